"""How much disk something holds, and how long ago it was touched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_DAY_SECONDS = 24 * 3600
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links count as themselves."""
    return sum(stat_size for stat_size, _ in _stats(path))


def days_untouched(path: Path) -> float:
    """Return the days since the youngest file in a folder, or the folder, was written."""
    youngest = max((written for _, written in _stats(path)), default=time.time())
    return (time.time() - youngest) / _DAY_SECONDS


def _stats(path: Path) -> Iterator[tuple[int, float]]:
    for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
        with suppress(OSError):
            found = each.lstat()
            yield (0 if each.is_dir() else found.st_size), found.st_mtime


def shown(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.0f} {_UNITS[-1]}"
