"""The tracking store: made once, whole, under a lock; opened with one clear error if it fails."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy
from filelock import FileLock

from assay.artifacts.paths import home
from assay.errors import TrackingError
from assay.secrets import masked, shown
from assay.signals import HeldSignals
from assay.tracking.address import SQLITE, artifact_root, database_file, tracking_uri
from assay.tracking.environment import MlflowClient, MlflowException, SqlAlchemyStore, mlflow
from assay.tracking.limits import KEY_LENGTH, TAG_LENGTH, cut, key

FIRST_CONTACT_SECONDS = 5
REQUEST_SECONDS = 30
EXPERIMENT = "assay"
JOURNALS = ("-journal", "-wal", "-shm")
_LOCKED_SECONDS = 60
_KIND_OF_ERROR = 0xFF  # SQLite's extended codes add to it
KEY = "assay.key"
_UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# The UI opens an experiment of this kind on its table of runs, not on traces of agents.
_TAGS = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True, kw_only=True)
class Store:
    """An open tracking store and the experiment that the project's runs belong to."""

    uri: str
    experiment_id: str
    client: MlflowClient

    @cached_property
    def key(self) -> str:
        """Return a short name of the store for files, free of secrets."""
        return hashlib.sha256(masked(self.uri).encode()).hexdigest()[:12]

    def open_run(self, name: str, tags: Mapping[str, str], *, start: int | None = None) -> str:
        """Open a run and return its id; ``start`` in milliseconds. Raises what MLflow raises."""
        texts = {key(k): cut(shown(k, v), TAG_LENGTH) for k, v in tags.items()}
        run = self.client.create_run(
            self.experiment_id, start_time=start, tags=texts, run_name=masked(name)[:KEY_LENGTH]
        )
        return str(run.info.run_id)

    def create_run(self, name: str, tags: Mapping[str, str]) -> str:
        """Open a run and return its id. Raises TrackingError when the store is out of reach."""
        try:
            with patience(REQUEST_SECONDS):
                return self.open_run(name, tags)
        except (MlflowException, OSError) as error:
            raise TrackingError(_unreachable(self.uri, error)) from error

    def find_key(self, key: str) -> str | None:
        """Return the id of the run with that tag ``assay.key``. Raises what MLflow raises."""
        query = f"tags.`{KEY}` = '{key}'"
        found = self.client.search_runs([self.experiment_id], query, max_results=1)
        return str(found[0].info.run_id) if found else None

    def find_run(self, run_id: str) -> Any:
        """Return a run, deleted ones too, None for an unknown id. Raises what MLflow raises."""
        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code in _UNKNOWN:
                return None
            raise


def open_store() -> Store:
    """Open the store that the environment names, made first where it is a file not there yet.

    Raises TrackingError within seconds when it cannot be reached or is damaged.
    """
    uri = tracking_uri()
    if file := database_file(uri):
        _ensure_database(file)
    try:
        with patience(FIRST_CONTACT_SECONDS):
            client = MlflowClient(tracking_uri=uri)
            return Store(uri=uri, experiment_id=_experiment(client, uri), client=client)
    except TrackingError:
        raise
    except (MlflowException, OSError, ImportError, ValueError) as error:
        raise TrackingError(_unreachable(uri, error)) from error
    except Exception as error:  # SQLAlchemy's drivers have no common base class
        raise TrackingError(_unreachable(uri, error)) from error


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Let MLflow's requests take that long, and not be tried again, within the block.

    Signals wait for its end: one that cuts off a transaction leaves the database locked for as
    long as the exception lives, and so the run's own end unsaid.
    """
    changes = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    with HeldSignals():
        before = {name: os.environ.get(name) for name in changes}
        attempts = mlflow.store.db.utils.MAX_RETRY_COUNT
        os.environ.update(changes)
        mlflow.store.db.utils.MAX_RETRY_COUNT = 1
        try:
            yield
        finally:
            mlflow.store.db.utils.MAX_RETRY_COUNT = attempts
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _experiment(client: MlflowClient, uri: str) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            location = _location(uri, name)
            return str(client.create_experiment(name, artifact_location=location, tags=_TAGS))
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise TrackingError(
            f"the MLflow experiment '{name}' in {masked(uri)} is deleted: restore it with "
            f"'mlflow experiments restore --experiment-id {experiment.experiment_id}', or name "
            "another one in MLFLOW_EXPERIMENT_NAME"
        )
    return str(experiment.experiment_id)


def _location(uri: str, name: str) -> str | None:
    root = artifact_root(uri)
    return None if root is None else f"{root}/{name}"


def _ensure_database(file: Path) -> None:
    if not file.exists():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{file}.lock"):
                if not file.exists():
                    make_database(file)
        except OSError as error:
            raise TrackingError(
                f"the tracking store {file} cannot be made: {error.strerror or error}; make the "
                "folder writable, or name another place in ASSAY_HOME or MLFLOW_TRACKING_URI"
            ) from error
    check_database(file)


def make_database(file: Path) -> None:
    """Build the database beside its place and rename it: others see all of it or nothing."""
    draft = file.with_name(f".{file.name}.new")
    for leftover in file.parent.glob(f"{draft.name}*"):
        leftover.unlink()
    uri = f"{SQLITE}{draft}"
    try:
        with _unflushed():
            made = SqlAlchemyStore(uri, artifact_root(f"{SQLITE}{file}"))  # type: ignore[no-untyped-call]  # MLflow's
        made.engine.dispose()
    except Exception as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise TrackingError(
            f"the tracking store {file} cannot be made: {_first_line(error)}; free some space or "
            "name another place in ASSAY_HOME"
        ) from error
    _flush(draft)
    for end in JOURNALS:  # of a database that was moved away: SQLite would play it into this one
        if (stale := Path(f"{file}{end}")).exists():
            stale.replace(f"{stale}.old")
    draft.replace(file)


@contextmanager
def _unflushed() -> Iterator[None]:
    """Skip SQLite's flush after each of the hundred steps in which MLflow builds its tables.

    A draft that a power cut spoils is not in its place yet.
    """

    def relax(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", relax)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", relax)


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def check_database(file: Path) -> None:
    """Raise TrackingError for a file that is no database, or one that was begun and not ended.

    So it does for one that another process keeps locked for long.
    """
    address = f"file:{file}?mode=rw"
    try:  # for writing: what a killed writer left half done is rolled back by whoever opens it next
        with closing(sqlite3.connect(address, uri=True, timeout=_LOCKED_SECONDS)) as database:
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & _KIND_OF_ERROR == sqlite3.SQLITE_BUSY:
            raise TrackingError(
                f"the tracking store {file} was locked by another process for {_LOCKED_SECONDS} s: "
                f"'fuser {file}' tells which; start again once it has ended"
            ) from error
        raise TrackingError(_damaged(file, str(error))) from error
    if missing := {"alembic_version", "experiments", "runs", "registered_models"} - tables:
        raise TrackingError(_damaged(file, f"it lacks the tables {', '.join(sorted(missing))}"))


def _damaged(file: Path, reason: str) -> str:
    return (
        f"the tracking store {file} is damaged ({reason}): expected an MLflow database; move the "
        "file away and the next run makes a new one"
    )


def _unreachable(uri: str, error: Exception) -> str:
    shown = masked(uri)
    if "out-of-date database schema" in str(error):
        return (
            f"the tracking store {shown} was written by another release of MLflow: copy it, then "
            f"run 'mlflow db upgrade {shown}'"
        )
    if file := database_file(uri):
        return f"the tracking store {file} cannot be opened: {_first_line(error)}"
    return (
        f"the tracking store {shown} cannot be reached: {_first_line(error)}\n"
        "start the server, correct MLFLOW_TRACKING_URI, or unset it to track in "
        f"{SQLITE}{home() / 'mlflow.db'}"
    )


def _first_line(error: Exception) -> str:
    cause: BaseException = error
    while below := cause.__cause__ or cause.__context__:
        cause = below
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return masked(lines[0])[:300]
