"""The database that holds the studies, SQLite or PostgreSQL, and the locks of a study at work."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from filelock import FileLock, Timeout
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from assay.artifacts.alive import is_gone, own_key
from assay.artifacts.lock import is_held
from assay.errors import ArtifactError, ConfigError
from assay.secrets import masked
from assay.tuning.knobs import Search

log = logging.getLogger(__name__)
SQLITE, POSTGRESQL = "sqlite:///", "postgresql"
HEARTBEAT_SECONDS, GRACE_SECONDS = 60, 180
_REACH_SECONDS = 30
_POLL_SECONDS = 0.01
_JOURNALS = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where studies are kept: the URL, and the file where it is one."""

    url: str
    file: Path | None = None

    def __str__(self) -> str:
        """Return the file, or the URL without its secret."""
        return str(self.file) if self.file else masked(self.url)


def place_of(storage: Path | str) -> Place:
    """Return the place that a path or URL names. Raises ConfigError for another database."""
    text = str(storage)
    if isinstance(storage, Path) or text.startswith(SQLITE):
        file = Path(text.removeprefix(SQLITE)).absolute()
        return Place(url=f"{SQLITE}{file}", file=file)
    if text.startswith(POSTGRESQL) and _is_address(text):
        return Place(url=text)
    raise ConfigError(
        [
            "search.storage: expected sqlite:///FILE, or postgresql+pg8000:// and USER@HOST/NAME; got "
            f"'{masked(text)}'"
        ]
    )


def _is_address(text: str) -> bool:
    """Whether a URL can be read, and names a user where its driver takes no other's name."""
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        return False
    return bool(url.username) or "+pg8000" not in url.drivername


def storage_of(knobs: Search, *, default: Path) -> Path | str:
    """Return where the knobs say that the studies are. Raises ConfigError for an unset variable."""
    if knobs.storage_env is None:
        return knobs.storage or default
    if url := os.environ.get(knobs.storage_env):
        return url
    raise ConfigError(
        [f"search.storage_env: the environment variable {knobs.storage_env} holds no URL"]
    )


def open_storage(place: Place) -> RDBStorage:
    """Open the studies, made where they are missing.

    Several processes that make the tables at one moment fail, or break an SQLite file, so a lock
    guards it.
    Raises what ``refusals`` turns into an ArtifactError.
    """
    if place.file is None:
        engine = {"connect_args": _connect_args(place.url), "pool_pre_ping": True}
        with _advisory(place.url, "assay tables"):
            return _storage(place.url, engine)
    _make_folder(place.file.parent)
    with FileLock(f"{place.file}.lock"):
        if not place.file.exists() or not place.file.stat().st_size:
            _make(place.file)
        with closing(sqlite3.connect(place.file, timeout=60)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        storage = _storage(place.url, {"connect_args": {"timeout": 60}})
    # What a process has committed outlives it; only a power cut takes the last trials along.
    sqlalchemy.event.listen(storage.engine, "connect", _relax)
    storage.engine.dispose()
    return storage


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{folder}, where the trials of every search are to be kept, cannot be made: "
            f"{error.strerror}; correct search.storage, or ASSAY_HOME"
        ) from error


def _make(file: Path) -> None:
    """Build the tables beside their place and rename them: others see all of them or nothing.

    A table whose unique index a full disk cut off would take the same study twice.
    """
    draft = file.with_name(f".{file.name}.new")
    for leftover in file.parent.glob(f"{draft.name}*"):
        leftover.unlink()
    made = _storage(f"{SQLITE}{draft}", {"connect_args": {"timeout": 60}})
    made.engine.dispose()
    with draft.open("rb") as opened:
        os.fsync(opened.fileno())
    for end in _JOURNALS:  # of a file that was moved away: SQLite would play it into this one
        if (stale := Path(f"{file}{end}")).exists():
            stale.replace(f"{stale}.old")
    draft.replace(file)


def _storage(url: str, engine: dict[str, object]) -> RDBStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return RDBStorage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
        )


def _connect_args(url: str) -> dict[str, object]:
    return {"timeout": _REACH_SECONDS} if "+pg8000" in url else {}


def _relax(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def refusals(place: Place) -> Iterator[None]:
    """Raise ArtifactError where the studies are damaged or out of reach, or the disk is full."""
    try:
        yield
    except (
        *(sqlite3.Error, SQLAlchemyError, StorageInternalError, ImportError),
        *(TimeoutError, ConnectionError),
    ) as error:
        reason = _cause(error)
        raise ArtifactError(
            f"{place}, which holds the trials of every search, cannot be used: "
            f"{masked(_text(reason))[:300]}; {_remedy(place, reason)}"
        ) from error


def _remedy(place: Place, reason: BaseException) -> str:
    if isinstance(reason, (ImportError, NoSuchModuleError)):
        return "pip install 'assay[postgres]' and write postgresql+pg8000://USER@HOST/NAME"
    if place.file is None:
        return "start the server, or correct search.storage"
    if isinstance(reason, sqlite3.OperationalError):
        if place.file.is_dir():
            return "it is a folder: correct search.storage"
        return (
            "free some space, or see who else uses it: the next start goes on from the trials "
            "that have ended"
        )
    return "move it away to begin afresh"


def _text(reason: BaseException) -> str:
    """Return what an error says; PostgreSQL's own comes as fields, M the one for people."""
    fields = reason.args[0] if reason.args else None
    return str(fields["M"]) if isinstance(fields, dict) and "M" in fields else str(reason)


def _cause(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _cause(error.__cause__)


@contextmanager
def alone_with(place: Place, study: str) -> Iterator[None]:
    """Hold the lock of one study: while it is held, no other search of this machine is at it.

    On a server other machines may join. The kernel frees the lock of a process that dies.
    """
    if place.file is None:
        yield
        return
    lock = FileLock(_lock(place.file, study))
    note = Path(lock.lock_file)
    _make_folder(note.parent)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("%s is at work on this very search: waiting for it to end", _holder(note))
        lock.acquire()
    try:
        if (left := _read(note)) and is_gone(left):
            log.info("search: %s, which was at it, has died: going on from there", _holder(note))
        _write(note, own_key())
        yield
    finally:
        _write(note, "")
        lock.release()


def _holder(note: Path) -> str:
    host, pid, _ = (_read(note) or "::").split(":")
    return f"process {pid} on {host}" if pid else "another process"


def _read(note: Path) -> str:
    try:
        text = note.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.count(":") == 2 else ""


def _write(note: Path, text: str) -> None:
    with suppress(OSError):  # a full disk: the note is for those who wait
        note.write_text(text, encoding="utf-8")


def claiming(place: Place, study: str) -> Callable[[], AbstractContextManager[object]]:
    """Return what one process at a time holds while it begins a trial of a study."""
    if place.file is None:
        return lambda: _advisory(place.url, study)
    path = _lock(place.file, f"{study}-claim")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, poll_interval=0.005)
    return lambda: lock


_engines: dict[tuple[int, str], sqlalchemy.Engine] = {}


@contextmanager
def _advisory(url: str, study: str) -> Iterator[None]:
    """Hold PostgreSQL's advisory lock of a study: it ends with the transaction or its process."""
    key = (os.getpid(), url)
    if key not in _engines:
        _engines[key] = sqlalchemy.create_engine(url, connect_args=_connect_args(url))
    query = sqlalchemy.text("SELECT pg_try_advisory_xact_lock(hashtext(:study))")
    with _engines[key].begin() as connection:
        # Asked again and again: a long wait for one answer would look like a server that is gone.
        while not connection.scalar(query, {"study": study}):
            time.sleep(_POLL_SECONDS)
        yield


def _lock(path: Path, study: str) -> Path:
    return path.parent / "locks" / f"search-{re.sub(r'[^A-Za-z0-9_.-]', '_', study)}"


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
    return {study: n for study, n in found.items() if not is_held(_lock(path, _searched(study)))}


def close_left_running(path: Path) -> int:
    """Fail the trials that ``left_running`` counts; return how many. Raises ArtifactError."""
    closed = 0
    place = place_of(path)
    with refusals(place):
        storage = open_storage(place)
        for study in left_running(path):
            lock = FileLock(_lock(path, _searched(study)))
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            try:
                with lock.acquire(timeout=0):
                    closed += _fail(storage, study)
            except Timeout:
                continue
    return closed


AGAIN = "-again"


def _searched(study: str) -> str:
    """Return the search that a study belongs to: repeats are kept in a study of their own."""
    return study.removesuffix(AGAIN)


def _fail(storage: RDBStorage, study: str) -> int:
    """Fail what is still RUNNING: a process that had the study meanwhile has closed it itself."""
    number = storage.get_study_id_from_name(study)
    running = storage.get_all_trials(number, deepcopy=False, states=(TrialState.RUNNING,))
    for trial in running:
        storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)
    return len(running)
