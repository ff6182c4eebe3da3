"""The SQLite file that holds every study of the project, and the lock of a study at work."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from assay.errors import ArtifactError

log = logging.getLogger(__name__)


def open_storage(path: Path) -> RDBStorage:
    """Open the studies in an SQLite file, made where it is missing.

    Several processes that make the tables at one moment break the file, so a lock guards it.
    Raises what ``refusals`` turns into an ArtifactError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        return RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 60}})


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Raise ArtifactError where the file of studies is damaged, or the disk is full."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, StorageInternalError) as error:
        reason = _cause(error)
        remedy = (
            "free some space, or see who else uses it: the next start goes on from the trials "
            "that have ended"
            if isinstance(reason, sqlite3.OperationalError)
            else "move it away to begin afresh"
        )
        raise ArtifactError(
            f"{path}, which holds the trials of every search, cannot be used: {reason}; {remedy}"
        ) from error


def _cause(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _cause(error.__cause__)


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
