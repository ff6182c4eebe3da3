"""Locks of DVC that nobody holds any more.

DVC's main lock is freed by the kernel, however its holder ends. Who reads and writes which path
stands in ``rwlock``, JSON written in place: cut short it stops every command, and an entry of a
dead process blocks a path once its process id is given out again.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assay.artifacts.files import write_text
from assay.doctor.activity import is_dvc_alive
from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError

NAME = "DVC's locks"
_FILES = (".dvc/tmp/rwlock", ".dvc/tmp/exps/rwlock")
_HARDLINK = ".dvc/tmp/lock"
_SECONDS = 5


def find(place: Place) -> Account:
    """Look at who reads and writes what, and at the main lock where it is a hard link."""
    findings = [f for name in _FILES for f in _rwlock(place.root, name)]
    findings += _hardlink(place)
    held = f"held for {', '.join(place.at_work[:3])}" if place.at_work else "nobody holds one"
    return Account(looked_at=held, findings=findings)


def _rwlock(root: Path, name: str) -> Iterator[Finding]:
    path = root / name
    if not path.is_file():
        return
    try:
        content = _read(path)
    except ArtifactError as error:
        what = f"{name} {error}: DVC refuses to run any stage"
        yield Finding(what=what, remedy="removes it", mend=partial(_alone, path, path.unlink))
        return
    dead = _dead(content, since=path.stat().st_mtime)
    if dead:
        paths = sum(len(list(_holders(content, pid))) for pid in dead)
        who = ", ".join(map(str, sorted(dead)[:5]))
        what = f"{name} keeps {paths} paths for process {who}, which is gone"
        mend = partial(_alone, path, partial(_release, path, dead))
        yield Finding(what=what, remedy="frees them", mend=mend)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError("was cut short") from error
    if not isinstance(content, dict) or not all(map(_is_holder, _infos(content))):
        raise ArtifactError("is damaged")
    return content


def _is_holder(info: object) -> bool:
    return isinstance(info, Mapping) and isinstance(info.get("pid"), int)


def _infos(content: Mapping[str, Any]) -> Iterator[Any]:
    for mode in ("read", "write"):
        paths = content.get(mode, {})
        for infos in paths.values() if isinstance(paths, Mapping) else [None]:
            yield from infos if isinstance(infos, list) else [infos]


def _holders(content: Mapping[str, Any], pid: int) -> Iterator[Any]:
    return (info for info in _infos(content) if info["pid"] == pid)


def _dead(content: Mapping[str, Any], *, since: float) -> set[int]:
    pids = {info["pid"] for info in _infos(content)}
    return {pid for pid in pids if not is_dvc_alive(pid, since=since)}


def _alone(path: Path, change: Callable[[], object]) -> str:
    """Make a change while no DVC edits the file: DVC guards it with a lock beside it."""
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=_SECONDS):
            change()
    except Timeout as error:
        raise ArtifactError("a DVC process is changing it at this moment") from error
    return "removed" if not path.exists() else "freed"


def _release(path: Path, dead: set[int]) -> None:
    content = _read(path)
    readers = {
        place: kept
        for place, infos in content.get("read", {}).items()
        if (kept := [info for info in infos if info["pid"] not in dead])
    }
    writers = {
        place: info for place, info in content.get("write", {}).items() if info["pid"] not in dead
    }
    write_text(path, json.dumps({"read": readers, "write": writers}))


def _hardlink(place: Place) -> Iterator[Finding]:
    """Where DVC is told to lock by hard links, the lock outlives its holder, and names none."""
    if (place.root / _HARDLINK).exists() and _is_hardlinked(place.root) and not place.at_work:
        remedy = f"if no DVC of another machine is at work here, remove {_HARDLINK}"
        yield Finding(what=f"{_HARDLINK} was left by a DVC that was cut off", remedy=remedy)


def _is_hardlinked(root: Path) -> bool:
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read([root / ".dvc/config", root / ".dvc/config.local"], encoding="utf-8")
        return config.getboolean("core", "hardlink_lock", fallback=False)
    except (configparser.Error, ValueError):
        return False
