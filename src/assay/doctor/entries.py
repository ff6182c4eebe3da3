"""The entries of a ``dvc.lock``: what of a damaged one is whole, and what keeps DVC from reading it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_BEGIN = re.compile(r"  ([^\s:#][^:\n]*):\s*\n")
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is wrong with a lock file ("" if nothing is), and the entries in it that are whole."""

    problem: str = ""
    whole: Mapping[str, Any] = field(default_factory=dict)


def read_lock(text: str) -> Reading:
    """Return what can be read of a lock file, and what keeps DVC from reading all of it.

    The last entry of a damaged file does not count as whole: a number in it may be cut.
    """
    problem, entries = _problem(text), list(_entries(text))
    if problem:
        entries = entries[:-1]
    return Reading(problem=problem, whole={n: e for n, e in entries if is_entry(e)})


def _entries(text: str) -> Iterator[tuple[str, Any]]:
    """Yield each stage's entry, None where it is no YAML by itself."""
    lines = text.splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines) if _BEGIN.fullmatch(line)]
    for start, end in pairwise([*starts, len(lines)]):
        name, block = lines[start].strip().removesuffix(":"), "".join(lines[start:end])
        try:
            found = load(block)
        except YAMLError:
            found = None
        yield name, found.get(name) if isinstance(found, Mapping) else None


def is_entry(entry: object) -> bool:
    """Tell whether a value is a whole entry: a command, and digests of all that it lists."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("cmd"), str):
        return False
    listed = [*_listed(entry, "deps"), *_listed(entry, "outs")]
    return bool(_listed(entry, "outs")) and all(map(_is_digested, listed))


def _listed(entry: Mapping[str, Any], key: str) -> list[Any]:
    value = entry.get(key, [])
    return value if isinstance(value, list) else [value]


def _is_digested(item: object) -> bool:
    return (
        isinstance(item, Mapping)
        and isinstance(item.get("path"), str)
        and _MD5.fullmatch(str(item.get("md5", ""))) is not None
    )


def _problem(text: str) -> str:
    if not text.strip():
        return "is empty"
    if "\0" in text or "\ufffd" in text:
        return "holds bytes that are no text"
    try:
        content = load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return f"was cut short or damaged: no YAML{f' in line {mark.line + 1}' if mark else ''}"
    if not text.endswith("\n"):
        return "was cut short in the middle of a line"
    return _misshape(content)


def _misshape(content: object) -> str:
    if not isinstance(content, Mapping) or content.get("schema") != "2.0":
        return "was cut short or damaged: it does not begin as DVC's"
    stages = content.get("stages", {})
    if not isinstance(stages, Mapping):
        return "was cut short before the first stage"
    broken = [name for name, entry in stages.items() if not _is_readable(entry)]
    return f"was cut short in stage '{broken[0]}'" if broken else ""


def _is_readable(entry: object) -> bool:
    """Tell whether DVC reads an entry; what it lists may be less than the stage has."""
    if not isinstance(entry, Mapping) or "cmd" not in entry:
        return False
    lists = [entry.get(key, []) for key in ("deps", "outs")]
    if not all(isinstance(items, list) and all(map(_is_item, items)) for items in lists):
        return False
    params = entry.get("params", {})
    return isinstance(params, Mapping) and all(isinstance(v, Mapping) for v in params.values())


def _is_item(item: object) -> bool:
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        return False
    return all(item.get(key, 0) is not None for key in ("md5", "size", "hash", "nfiles"))


def load(text: str) -> Any:
    """Read YAML as DVC writes it, so that it is written again with the same bytes."""
    return YAML().load(text)
