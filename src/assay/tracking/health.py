"""What may be amiss with tracking, and how to mend it: plain functions for ``assay doctor``."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from assay.artifacts.lock import is_held
from assay.artifacts.paths import home
from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.address import SQLITE, database_file, tracking_uri
from assay.tracking.environment import SqlAlchemyStore, mlflow
from assay.tracking.orphans import close_orphans, orphans
from assay.tracking.spool import DAMAGED, read_state, replay_leftovers, spool_folder
from assay.tracking.store import JOURNALS, Store, check_database, make_database
from assay.tracking.tracked import KIND

__all__ = [
    "DeadRun",
    "Kept",
    "StoreState",
    "close_orphans",
    "damaged_spools",
    "dead_runs",
    "mend_store",
    "replay_leftovers",
    "spools",
    "store_state",
]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file of changes that a store has not got: how many, how large, and for which store.

    ``address`` is the store's, without its secrets. A file that ``is_held`` belongs to a process
    at work, which sends it itself.
    """

    file: Path
    changes: int
    bytes: int
    address: str
    is_held: bool


@dataclass(frozen=True, kw_only=True)
class DeadRun:
    """A run that says RUNNING although its process is gone."""

    run_id: str
    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class StoreState:
    """A database of tracking: what is wrong with it, "" where it is whole or not there yet.

    ``drafts`` are files of an initialisation that was cut off; ``runs`` counts runs and
    registered models, None where the file cannot be read.
    """

    file: Path
    problem: str
    drafts: tuple[Path, ...]
    runs: int | None

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing is to be mended."""
        return not self.problem and not self.drafts


def spools(store: Store | None = None) -> list[Kept]:
    """Return what is kept for a store, without one for any store, oldest first."""
    folders = [spool_folder(store)] if store else sorted((home() / "spool").glob("*"))
    return [_kept(file) for folder in folders for file in sorted(folder.glob("*.jsonl"))]


def damaged_spools() -> list[Path]:
    """Return files that were moved aside because they could not be read whole."""
    return sorted((home() / "spool").glob(f"*/*{DAMAGED}"))


def dead_runs(store: Store) -> list[DeadRun]:
    """Return the runs that ``close_orphans`` would close. Raises TrackingError out of reach."""
    try:
        found = orphans(store)
    except Exception as error:  # SQLAlchemy's drivers have no common base class
        raise TrackingError(
            f"the tracking store {masked(store.uri)} cannot be searched: {masked(str(error))}"
        ) from error
    return [
        DeadRun(run_id=r.info.run_id, name=r.info.run_name, kind=r.data.tags.get(KIND, "run"))
        for r in found
    ]


def store_state() -> StoreState | None:
    """Return the state of the database that the environment names, None for a server.

    Looks only: nothing is made.
    """
    file = database_file(tracking_uri())
    if file is None:
        return None
    drafts = () if is_held(_lock(file)) else tuple(sorted(file.parent.glob(f".{file.name}.new*")))
    problem = _problem(file) if file.exists() else ""
    return StoreState(file=file, problem=problem, drafts=drafts, runs=_count(file))


def mend_store(state: StoreState) -> str:
    """Remove drafts, make a damaged store anew where it holds nothing; say what was done.

    The damaged file is kept beside. Raises TrackingError for one that holds runs, or that
    cannot be read: those are the user's to judge.
    """
    with FileLock(_lock(state.file)):
        for draft in state.drafts:
            draft.unlink(missing_ok=True)
        if not state.problem:
            return f"removed {len(state.drafts)} files of an initialisation that was cut off"
        if state.runs != 0:
            holds = "cannot be read" if state.runs is None else f"holds {state.runs} entries"
            raise TrackingError(f"{state.problem}; it {holds}, so it is left as it is")
        aside = _set_aside(state.file)
        make_database(state.file)
    return f"made {state.file} anew, which held no run; the old one is {aside}"


def _problem(file: Path) -> str:
    try:
        check_database(file)
        found = _revision(file)
        wanted = mlflow.store.db.utils._get_latest_schema_revision()  # type: ignore[no-untyped-call]  # MLflow's
    except TrackingError as error:
        return str(error)
    if found == wanted:
        return ""
    return (
        f"the tables of the tracking store {file} were not made to their end, or by another "
        f"release of MLflow: expected revision {wanted}, but got {found or 'none'}"
    )


def _revision(file: Path) -> str | None:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def _count(file: Path) -> int | None:
    """Return how many runs and registered models a database holds; None where it is none."""
    if not file.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {row[0] for row in rows} & {"runs", "registered_models"}
            counts = [database.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables]
    except sqlite3.Error:
        return None
    return int(sum(counts))


def _set_aside(file: Path) -> Path:
    """Move a database with its journals: a journal left behind would be played into the next."""
    if engine := SqlAlchemyStore._engine_map.get(f"{SQLITE}{file}"):
        engine.dispose()  # this process would go on writing into the file that is moved
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for end in (*JOURNALS, ""):
        old = file.with_name(file.name + end)
        if old.exists():
            old.replace(file.with_name(f"{file.name}.damaged-{stamp}{end}"))
    return file.with_name(f"{file.name}.damaged-{stamp}")


def _kept(file: Path) -> Kept:
    offset, _ = read_state(file)
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            changes = sum(line.endswith(b"\n") for line in opened)
    except OSError:
        changes = 0
    note = file.parent.with_suffix(".txt")
    address = note.read_text() if note.is_file() else "an unknown store"
    files = [file, *file.with_suffix(".files").rglob("*")]
    size = sum(f.stat().st_size for f in files if f.is_file())
    held = is_held(file.with_suffix(".lock"))
    return Kept(file=file, changes=changes, bytes=size, address=address, is_held=held)


def _lock(file: Path) -> Path:
    return Path(f"{file}.lock")
