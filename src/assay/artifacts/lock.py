"""One writer a stage: the second waits, and says for whom."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assay.artifacts.paths import ARTIFACTS

log = logging.getLogger(__name__)


@contextmanager
def stage_lock(stage: str) -> Iterator[None]:
    """Hold the lock of a stage's output while the block runs; wait for another process's.

    The kernel frees the lock of a process that dies, however it dies. Ctrl-C ends the wait.
    """
    path = ARTIFACTS / ".locks" / f"{stage}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    _acquire(lock, path, stage)
    try:
        with suppress(OSError):  # a full disk: the note is for those who wait
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        lock.release()


def is_held(lock: Path) -> bool:
    """Tell whether a living process holds a lock; what cannot be tried counts as held."""
    if not lock.is_file():
        return False
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True


def _acquire(lock: FileLock, path: Path, stage: str) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        holder = path.read_text(encoding="utf-8").strip() or "another process"
        log.warning("%s is being written by %s: waiting until it has ended", stage, holder)
        lock.acquire()
