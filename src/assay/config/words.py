"""Settings as words for a command line: what ``assay run`` takes to do the same again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from assay.config.space import flattened


def as_words(nodes: Mapping[str, Any], *, options: Mapping[str, str] | None = None) -> str:
    """Return ``data=digits model=mlp ++model.width=8 ... seed=0``, quoted for a shell.

    ``options`` of groups are named first; a node with a ``_target_`` whose group is not among them
    names the module of its class. A group that is named takes nothing from params.yaml, so the
    words mean the same whatever stands there later.
    """
    groups = {key: node["_target_"] for key, node in nodes.items() if _is_built(node)}
    modules = {key: target.split(".")[-2] for key, target in groups.items()}
    chosen = [f"{key}={option}" for key, option in {**modules, **(options or {})}.items()]
    leaves = [(k, v) for k, v in flattened(nodes) if not k.endswith("._target_")]
    added = {key: "++" * ("." in key) + key for key, _ in leaves}
    return shlex.join([*chosen, *(f"{added[key]}={rendered(value)}" for key, value in leaves)])


def _is_built(node: Any) -> bool:
    return isinstance(node, Mapping) and "_target_" in node


def word(value: Any) -> str:
    """Return a value in Hydra's override grammar, a plain word without quotes."""
    is_plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _OTHERS
    return str(value) if is_plain else rendered(value)


_PLAIN = re.compile(r"[A-Za-z_][\w./@-]*")
_OTHERS = frozenset({"null", "true", "false", "nan", "inf"})


def rendered(value: Any) -> str:
    """Return a value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {rendered(v)}" for key, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(rendered, value)) + "]"
    quoted = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"
