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
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from assay.artifacts.lock import is_held
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
    lock = FileLock(_lock(path, study))
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("another process is at work on this very search: waiting for it to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock(path: Path, study: str) -> Path:
    return path.parent / "locks" / f"search-{study}"


def left_running(path: Path) -> dict[str, int]:
    """Return how many trials are RUNNING, by study, of the studies that no process is at.

    Looks only: nothing is changed. Raises ArtifactError where the file is no database of studies.
    """
    query = (
        "SELECT study_name, count(*) FROM trials JOIN studies USING (study_id) "
        "WHERE state = 'RUNNING' GROUP BY study_name"
    )
    # Without a journal nobody writes; reading it as it is makes no files beside it.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{path}?{mode}", uri=True, timeout=20)) as connection:
            found = dict(connection.execute(query))
    except sqlite3.Error as error:
        raise ArtifactError(str(error)) from error
    return {study: count for study, count in found.items() if not is_held(_lock(path, study))}


def close_left_running(path: Path) -> int:
    """Fail the trials that ``left_running`` counts; return how many. Raises ArtifactError."""
    closed = 0
    with refusals(path):
        storage = open_storage(path)
        for study in left_running(path):
            lock = FileLock(_lock(path, study))
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            try:
                with lock.acquire(timeout=0):
                    closed += _fail(storage, study)
            except Timeout:
                continue
    return closed


def _fail(storage: RDBStorage, study: str) -> int:
    """Fail what is still RUNNING: a process that had the study meanwhile has closed it itself."""
    number = storage.get_study_id_from_name(study)
    running = storage.get_all_trials(number, deepcopy=False, states=(TrialState.RUNNING,))
    for trial in running:
        storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)
    return len(running)
