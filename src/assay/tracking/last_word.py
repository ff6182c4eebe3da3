"""How a run ended, said where a full disk still lets it: over a block that was taken before."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from assay.tracking.delivery import Change, deliver, is_lost
from assay.tracking.environment import MlflowException
from assay.tracking.process import is_gone, own_key
from assay.tracking.store import REQUEST_SECONDS, Store, patience

_BYTES = 4096
_ENDING = ".last"


class LastWord:
    """A block of disk that a process holds while it has runs open.

    When neither the store nor the spool takes the end of a run, it is written over the block,
    which needs no free space; the next start tells the store.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{time.time_ns()}@{own_key()}{_ENDING}"
        self._ends: list[Change] = []
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._write(b" " * _BYTES, mode="wb")

    def say(self, change: Change) -> bool:
        """Keep the end of a run; tell whether there was room for it."""
        words = json.dumps([*self._ends, change]).encode()
        if len(words) > _BYTES:
            return False
        try:
            self._write(words.ljust(_BYTES), mode="r+b")
        except OSError:
            return False
        self._ends.append(change)
        return True

    def release(self) -> None:
        """Give the block back, unless something was said."""
        if not self._ends:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _write(self, content: bytes, *, mode: str) -> None:
        with self._file.open(mode) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def tell_last_words(store: Store, folder: Path) -> None:
    """Tell the store the ends that dead processes left, and remove their files."""
    for file in sorted(folder.glob(f"*{_ENDING}")):
        if not is_gone(file.name.removesuffix(_ENDING).partition("@")[2]):
            continue
        if all(_told(store, change) for change in _ends_in(file)):
            file.unlink(missing_ok=True)


def _told(store: Store, change: Change) -> bool:
    try:
        with patience(REQUEST_SECONDS):
            deliver(store, change, change["run"])
    except (MlflowException, OSError) as error:
        return not is_lost(error)
    return True


def _ends_in(file: Path) -> list[Any]:
    try:
        found = json.loads(file.read_bytes() or b"[]")
    except (OSError, ValueError):
        return []
    is_end = {"op", "run", "status", "end"}.issubset
    return [change for change in found if isinstance(change, dict) and is_end(change)]
