"""What could not be sent: one file of changes a process, kept in order until it can be replayed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assay.artifacts.paths import home
from assay.tracking.delivery import Change, deliver, is_lost
from assay.tracking.environment import MlflowException
from assay.tracking.store import REQUEST_SECONDS, Store, patience

log = logging.getLogger(__name__)


def spool_folder(store: Store) -> Path:
    """Return the folder that keeps what the store has not got yet."""
    return home() / "spool" / store.key


def replay_leftovers(store: Store) -> int:
    """Send what earlier processes left behind, oldest first; return how many changes were sent.

    Files of processes that are still at work are left to them.
    """
    sent = 0
    for file in sorted(spool_folder(store).glob("*.jsonl")):
        lock = FileLock(file.with_suffix(".lock"))
        try:
            with lock.acquire(timeout=0):
                spool = Spool(store, file)
                sent += spool.replay()
                if not spool.is_empty:
                    return sent
        except Timeout:
            continue
        file.with_suffix(".lock").unlink(missing_ok=True)
    return sent


def is_kept(store: Store, run_id: str) -> bool:
    """Tell whether changes of a run still wait for the store."""
    files = spool_folder(store).glob("*.jsonl")
    return any(run_id in file.read_text(encoding="utf-8", errors="replace") for file in files)


class Spool:
    """A file of changes: appended to while the store is away, then sent line by line.

    Beside it lie how far the replay came with the ids of the runs that it opened (``.state``),
    and copies of artifacts (``.files``).
    """

    def __init__(self, store: Store, file: Path) -> None:
        self._store = store
        self._file = file
        self._copies = file.with_suffix(".files")
        self._state_file = file.with_suffix(".state")
        state = json.loads(self._state_file.read_text()) if self._state_file.exists() else {}
        self._offset: int = state.get("offset", 0)
        self.ids: dict[str, str] = state.get("ids", {})

    @classmethod
    def new(cls, store: Store) -> Spool:
        """Begin a file of this process and hold its lock while the process lives."""
        folder = spool_folder(store)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{time.time_ns()}-{os.getpid()}.jsonl"
        spool = cls(store, file)
        spool._lock = FileLock(file.with_suffix(".lock"))
        spool._lock.acquire()
        return spool

    _lock: FileLock | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether everything was sent."""
        return not self._file.exists() or self._offset >= self._file.stat().st_size

    def append(self, change: Change) -> None:
        """Keep a change, with a copy of the artifact that it may carry; OSError on a full disk."""
        if change["op"] == "artifact":
            change = {**change, "path": str(self._copy(Path(change["path"])))}
        end = self._file.stat().st_size if self._file.exists() else 0
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(change) + "\n")
        except OSError:
            with suppress(OSError):
                os.truncate(self._file, end)  # the next change must not follow half a line
            raise

    def replay(self) -> int:
        """Send what is left, in order, until the end or until the store is away again."""
        sent = 0
        if self.is_empty:
            return sent
        with self._file.open("rb") as file, patience(REQUEST_SECONDS):
            file.seek(self._offset)
            while (line := file.readline()).endswith(b"\n"):
                if not self._send(json.loads(line)):
                    return sent
                sent += 1
                self._remember(file.tell())
        self.remove()
        return sent

    def remove(self) -> None:
        """Delete the files; the ids stay known to this object."""
        self._file.unlink(missing_ok=True)
        self._state_file.unlink(missing_ok=True)
        shutil.rmtree(self._copies, ignore_errors=True)
        self._offset = 0

    def release(self) -> None:
        """Let another process replay what is left."""
        if self._lock is not None:
            self._lock.release()
            if self.is_empty:
                self.remove()
                self._file.with_suffix(".lock").unlink(missing_ok=True)

    def _send(self, change: Change) -> bool:
        """Send one change; False when the store is away. What it refuses is dropped, and said."""
        run: str = change["run"]
        try:
            if change["op"] == "create":
                self.ids[run] = self._store.open_run(
                    change["name"], self._tags(change), start=change["start"]
                )
            else:
                deliver(self._store, change, self.ids.get(run, run))
        except (MlflowException, OSError) as error:
            if is_lost(error) and not is_refused(self._store, error):
                return False
            log.warning("tracking: the store refused %s: %s", change["op"], error)
        return True

    def _tags(self, change: Change) -> dict[str, str]:
        parent = "mlflow.parentRunId"
        tags: dict[str, str] = dict(change["tags"])
        if parent in tags:
            tags[parent] = self.ids.get(tags[parent], tags[parent])
        return tags

    def _remember(self, offset: int) -> None:
        """Write down how far the replay came; a full disk leaves what was written before."""
        self._offset = offset
        draft = self._state_file.with_suffix(".draft")
        with suppress(OSError):
            draft.write_text(json.dumps({"offset": offset, "ids": self.ids}))
            draft.replace(self._state_file)

    def _copy(self, path: Path) -> Path:
        target = self._copies / str(time.time_ns()) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copy2(path, target)
        return target


def is_refused(store: Store, error: Exception) -> bool:
    """Tell whether a store that answers was merely unable to take one change."""
    if not isinstance(error, MlflowException) or error.error_code != "INTERNAL_ERROR":
        return False
    try:
        with patience(2):
            store.client.get_experiment(store.experiment_id)
    except (MlflowException, OSError):
        return False
    return True
