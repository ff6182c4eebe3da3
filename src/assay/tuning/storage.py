"""The SQLite file that holds every study of the project, and the lock of a study at work."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.storages import RDBStorage

from assay.errors import ArtifactError

log = logging.getLogger(__name__)


def open_storage(path: Path) -> RDBStorage:
    """Open the studies in an SQLite file, made where it is missing.

    Several processes that make the tables at one moment break the file, so a lock guards it.
    Raises ArtifactError when the file cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        _write_ahead(path)
        return RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 60}})


def _write_ahead(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError as error:
        raise ArtifactError(
            f"{path}, which holds the trials of every search, cannot be used: {error}; "
            "move it away to begin afresh"
        ) from error


@contextmanager
def alone_with(path: Path, study: str) -> Iterator[None]:
    """Hold the lock of one study: while it is held, no other process runs its trials."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.parent / "locks" / f"search-{study}")
    Path(lock.lock_file).parent.mkdir(exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("another process is at work on this very search: waiting for it to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
