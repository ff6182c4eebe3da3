"""Check plain mappings against dataclasses of knobs: every problem at once, each with its key."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from assay.errors import ConfigError, nearest

T = TypeVar("T")


def typed(cls: type[T], node: Mapping[str, Any], *, where: str = "") -> T:
    """Return ``cls`` built from ``node``; ConfigError lists every problem with its key."""
    problems = [*unknown_keys(cls, node, where=where), *_no_numbers(cls, node, where=where)]
    known = {key: value for key, value in node.items() if key in field_names(cls)}
    try:
        value = TypeAdapter(cls).validate_python(known)
    except ValidationError as error:
        told = {problem.split(":")[0] for problem in problems}
        sentences = [_sentence(e, where) for e in error.errors()]
        problems += [sentence for sentence in sentences if sentence.split(":")[0] not in told]
    if problems:
        raise ConfigError(problems)
    return value


def checked(hint: Any, value: Any, *, where: str) -> Any:
    """Return one plain value as its type says; ConfigError where it does not fit."""
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise ConfigError([_sentence(e, where) for e in error.errors()]) from error


def problems_of(cls: type, node: Any, *, where: str) -> list[str]:
    """Return what is wrong with ``node`` as a ``cls``, one sentence a problem."""
    if not isinstance(node, Mapping):
        return [f"{where}: expected keys with values, got {node!r}"]
    try:
        typed(cls, node, where=where)
    except ConfigError as error:
        return list(error.problems)
    return []


def field_names(cls: type) -> list[str]:
    """Return the names of a dataclass's fields."""
    return [f.name for f in dataclasses.fields(cls)]


def unknown_keys(cls: type, node: Mapping[str, Any], *, where: str) -> list[str]:
    """Return a sentence for each key that ``cls`` (or a dataclass inside it) does not have."""
    names, hints = field_names(cls), get_type_hints(cls)
    found = []
    for key, value in node.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in names:
            found.append(f"{path}: there is no such key{nearest(str(key), names)}")
        elif dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            found += unknown_keys(hints[key], value, where=path)
    return found


def _no_numbers(cls: type, node: Mapping[str, Any], *, where: str) -> Iterator[str]:
    """Refuse what pydantic takes for a number: yes and no, infinity and NaN."""
    hints = get_type_hints(cls)
    for key in field_names(cls):
        hint, value, path = hints[key], node.get(key), f"{where}.{key}" if where else key
        if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
            yield from _no_numbers(hint, value, where=path)  # type: ignore[arg-type]
        kinds = {*(get_args(hint) or (hint,))} & {bool, int, float}
        if isinstance(value, bool) and kinds and bool not in kinds:
            yield f"{path}: the value should be a number; got {value!r}"
        if isinstance(value, float) and kinds and not math.isfinite(value):
            yield f"{path}: the value should be a finite number; got {value!r}"


def _sentence(error: Any, where: str) -> str:
    path = ".".join(str(part) for part in (*([where] if where else ()), *error["loc"]))
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{path}: a value is needed"
    if error["type"] == "value_error":
        return f"{path}: {error['ctx']['error']}"
    if error["type"] == "string_type" and isinstance(error["input"], (int, float)):
        return f"{path}: expected text, got {error['input']!r}: put it in quotes"
    message = error["msg"]
    rule = message[:1].lower() + message[1:].removesuffix(".")
    if error["type"] == "literal_error":
        got = str(error["input"])
        options = [
            o.strip().strip("'") for o in error["ctx"]["expected"].replace(" or ", ",").split(",")
        ]
        return (
            f"{path}: expected one of {', '.join(options)}; got {got!r}{_only_close(got, options)}"
        )
    return f"{path}: {rule.replace('input should', 'the value should')}; got {error['input']!r}"


def _only_close(name: str, options: list[str]) -> str:
    hint = nearest(name, options)
    return hint if "did you mean" in hint else ""
