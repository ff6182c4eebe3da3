"""What goes wrong, told in the words of an application that knows Hydra's sweeper and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from assay.errors import AssayError, ConfigError

_WORDS = {
    "search.study": "hydra.sweeper.study_name",
    "search.storage": "hydra.sweeper.storage",
    "search.retries": "hydra.sweeper.retries",
    "search.max_failure_rate": "hydra.sweeper.max_failure_rate",
    "search.sampler": "hydra.sweeper.sampler",
    "search.pruner": "hydra.sweeper.pruner",
    "search.launcher": "hydra/launcher",
    "search.space.": "",
    "search.space": "hydra.sweeper.params",
    "; give it a key, such as training.lr, or choose 'search: none'": "; sweep a key: x=interval(0,1)",
    ", or raise search.timeout_minutes if that was set": "",
    "their runs in MLflow": "the logs in their folders",
}
_KNOWN = re.compile("|".join(map(re.escape, _WORDS)))


@contextmanager
def in_own_words() -> Iterator[None]:
    """Name what an error says of the configuration as ``hydra.sweeper`` names it."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(map(_own, error.problems)) from error
    except AssayError as error:
        raise type(error)(_own(str(error))) from error


def _own(text: str) -> str:
    return _KNOWN.sub(lambda found: _WORDS[found[0]], text)
