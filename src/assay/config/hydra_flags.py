"""What of Hydra itself a command line may set: launchers, sweepers and folders, but no code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hydra.core.override_parser.types import Override

from assay.errors import ConfigError, nearest

_FLAGS = frozenset(
    {
        "-h", "--help", "--hydra-help", "--version",
        "-c", "--cfg", "-p", "--package", "--resolve",
        "-m", "--multirun", "-i", "--info", "-sc", "--shell-completion",
    }
)  # fmt: skip
_WITH_VALUE = frozenset({"-c", "--cfg", "-p", "--package", "-i", "--info"})
_OVERRIDE = re.compile(r"~.|\+{0,2}[^=+\s].*=")
_ELSEWHERE = {
    "--config-path": "conf/ is the one place of the configuration",
    "--config-dir": "conf/ is the one place of the configuration",
    "--config-name": "conf/config.yaml is where the configuration begins",
    "--experimental-rerun": "say the overrides again, or 'assay use run:ID'",
}
_CODE = ("callbacks", "job_logging", "hydra_logging", "searchpath", "runtime")
_FUNCTIONS = ("hydra.sweeper.custom_search_space",)


def is_hydras(key: str) -> bool:
    """Whether a key or group belongs to Hydra itself."""
    return key == "hydra" or key.startswith(("hydra.", "hydra/"))


def refuse_flags(arguments: Sequence[str]) -> None:
    """Raise ConfigError for flags that make Hydra read another place, or that it does not have."""
    flags = [a.partition("=")[0] for a in arguments if _is_flag(a)]
    problems = [
        f"{flag}: {_ELSEWHERE[flag]}"
        if flag in _ELSEWHERE
        else f"{flag}: there is no such flag{nearest(flag, _FLAGS)}"
        for flag in flags
        if flag not in _FLAGS
    ]
    if problems:
        raise ConfigError(problems)


def overrides_in(arguments: Sequence[str]) -> list[str]:
    """Return the overrides among the arguments; ConfigError for words that are none."""
    words = [
        a
        for before, a in pairwise(["", *arguments])
        if not _is_flag(a) and before not in _WITH_VALUE
    ]
    problems = [
        f"{word!r}: expected GROUP=OPTION or KEY=VALUE, for example model=mlp training.lr=0.01"
        for word in words
        if not _OVERRIDE.match(word)
    ]
    if problems:
        raise ConfigError(problems)
    return words


def refuse_hydra_nodes(overrides: Iterable[Override]) -> None:
    """Raise ConfigError for overrides by which Hydra would be told what code to call."""
    problems = [
        f"{o.key_or_group}: Hydra's own parts are chosen as hydra/launcher=NAME and "
        "hydra/sweeper=NAME; what it calls, logs with or searches is not set on the command line"
        for o in overrides
        if is_hydras(o.key_or_group)
        and (_names_code(o.key_or_group) or "_target_" in str(o.value()))
    ]
    if problems:
        raise ConfigError(problems)


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _names_code(key: str) -> bool:
    parts = key.replace("/", ".").split(".")
    if ".".join(parts) in _FUNCTIONS:
        return True
    return len(parts) < 2 or parts[1] in _CODE or any(part.startswith("_") for part in parts[1:])
