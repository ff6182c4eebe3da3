"""Find the functions that a value would call: OmegaConf names them within ``${...}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf.errors import GrammarParseError
from omegaconf.grammar_parser import parse

_PURE = frozenset({"oc.select", "oc.dict.keys", "oc.dict.values", "oc.deprecated"})
_CALL, _NAME = "InterpolationResolverContext", "ResolverNameContext"


def refused_functions(value: Any) -> list[str]:
    """Return the functions that a value calls and that do more than look up another key.

    ``oc.env`` reads the environment, ``oc.decode`` and ``oc.create`` make new expressions of text,
    and a name that is put together, ``${oc.${key}:HOME}``, may be any of them.
    """
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in refused_functions(item)]
    if isinstance(value, Mapping):
        return refused_functions(list(value.values()))
    if not isinstance(value, str) or "${" not in value:
        return []
    try:
        tree = parse(value)
    except GrammarParseError:
        return []  # it is reported where it is resolved
    return [name for name in _called(tree) if name not in _PURE]


def _called(node: Any) -> Iterator[str]:
    children = getattr(node, "children", None) or ()
    for child in children:
        if type(node).__name__ == _CALL and type(child).__name__ == _NAME:
            yield str(child.getText())
        yield from _called(child)
