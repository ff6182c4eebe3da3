"""What a configuration says, as words for ``assay run``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString

from assay.config.compose import difference
from assay.config.space import flattened
from assay.config.words import rendered

_FIT = ("data", "model", "augmentation", "training")


def repeating(config: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """Return the words with which ``assay run`` does what a whole configuration says, for a shell.

    ``base`` is what its choices alone describe. What does not bear on a fit is left away.
    """
    chosen = [f"{group}={option}" for group, option in config["choices"].items() if group in _FIT]
    nodes = {key: (config[key], base.get(key, {})) for key in _FIT if key in config}
    changed = difference(
        {key: own for key, (own, _) in nodes.items()},
        {key: other for key, (_, other) in nodes.items()},
    )
    leaves = [f"++{key}={rendered(value)}" for key, value in flattened(changed) if value != {}]
    return shlex.join([*chosen, *leaves, f"seed={config['seed']}"])


def settings_in(words: str) -> dict[str, Any]:
    """Return the values by dotted key of such words, without the options of groups."""
    parsed = OverridesParser.create().parse_overrides(shlex.split(words))
    values = {o.key_or_group: o.value() for o in parsed if "." in o.key_or_group}
    return {key: v.text if isinstance(v, QuotedString) else v for key, v in values.items()}
