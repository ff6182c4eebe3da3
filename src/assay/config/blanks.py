"""Options that describe data of the user's own: some of their values are still to be given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.artifacts.files import read_yaml

_MISSING = "???"


def blanks(conf: Path, option: object) -> tuple[str, ...]:
    """Return the keys of a data option for which a value is needed: none for a set that is there."""
    file = conf / "data" / f"{option}.yaml"
    node = read_yaml(file) if file.is_file() else None
    if not isinstance(node, Mapping):
        return ()
    return tuple(str(key) for key, value in node.items() if value == _MISSING)
