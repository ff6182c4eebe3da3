"""Edit ``params.yaml`` as a person would: comments and order stay, and the difference is shown."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from assay.artifacts.files import write_text
from assay.errors import ConfigError


def updated(path: Path, params: Mapping[str, Any], *, whole: bool = False) -> str:
    """Return the text of ``path`` with the choices and the ``set`` of ``params`` put in.

    ``whole`` takes out choices that ``params`` does not name. Raises ConfigError where it is no YAML.
    """
    editor = YAML()
    editor.width = 100
    try:
        content = editor.load(path.read_text(encoding="utf-8")) or {}
    except (YAMLError, OSError, ValueError, RecursionError) as error:
        raise ConfigError([f"{path}: {' '.join(str(error).split())}"]) from error
    if not isinstance(content, MutableMapping):
        raise ConfigError([f"{path}: expected group names with options and 'set', got {content!r}"])
    for gone in [key for key in content if whole and key not in params]:
        del content[gone]
    for key, value in params.items():
        _put(content, key, value)
    text = io.StringIO()
    editor.dump(content, text)
    return text.getvalue()


def _put(node: Any, key: str, value: Any) -> None:
    """Set one key, and what lies below it one by one, so that comments beside the rest stay."""
    old = node.get(key)
    if key in node and old == value:
        return
    if not (isinstance(old, Mapping) and isinstance(value, Mapping) and old and value):
        node[key] = value
        return
    for gone in [k for k in old if k not in value]:
        del node[key][gone]
    for inner, inner_value in value.items():
        _put(node[key], inner, inner_value)


def write_params(path: Path, params: Mapping[str, Any], *, whole: bool = False) -> str:
    """Write choices and ``set`` into ``params.yaml``; return the difference as people read it.

    ``whole`` takes out choices that ``params`` does not name: their groups' defaults hold again.
    """
    after = updated(path, params, whole=whole)
    before = path.read_text(encoding="utf-8")
    write_text(path, after)
    lines = difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        f"{path.name} before",
        f"{path.name} now",
        n=1,
        lineterm="",
    )
    return "\n".join(lines)


def without_section(settings: Mapping[str, Any], section: str) -> dict[str, Any]:
    """Return ``set`` without what it says of one group: another option may not know these keys."""
    return {key: value for key, value in settings.items() if key != section}
