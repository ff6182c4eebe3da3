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
from assay.secrets import masked
from assay.tracking.delivery import Change, deliver, is_lost
from assay.tracking.environment import MlflowException
from assay.tracking.store import REQUEST_SECONDS, Store, patience

log = logging.getLogger(__name__)
DAMAGED = ".damaged"


def spool_folder(store: Store) -> Path:
    """Return the folder that keeps what the store has not got yet."""
    return home() / "spool" / store.key


def replay_leftovers(store: Store) -> int:
    """Send what earlier processes left behind, oldest first; return how many changes were sent.

    Files of processes that are still at work are left to them. What cannot be read is moved
    aside, and said; it stops nothing.
    """
    sent = 0
    for file in sorted(spool_folder(store).glob("*.jsonl")):
        try:
            with FileLock(file.with_suffix(".lock")).acquire(timeout=0):
                spool = Spool(store, file)
                sent += spool.replay()
                spool.say_dropped()
                if not spool.is_empty:
                    return sent
            file.with_suffix(".lock").unlink(missing_ok=True)
        except Timeout:
            continue
        except OSError as error:
            _set_aside(file, str(error))
    return sent


def is_kept(store: Store, run_id: str) -> bool:
    """Tell whether changes of a run still wait for the store."""
    return any(run_id in _text(file) for file in spool_folder(store).glob("*.jsonl"))


def read_state(file: Path) -> tuple[int, dict[str, str]]:
    """Return how far a file was sent, and the ids of the runs that this opened.

    What a torn state forgets is sent again: the store takes each change twice as it does once.
    """
    try:
        state = json.loads(file.with_suffix(".state").read_bytes())
        return int(state["offset"]), {str(k): str(v) for k, v in state["ids"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0, {}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _set_aside(file: Path, reason: str) -> None:
    target = file.with_name(file.name + DAMAGED)
    with suppress(OSError):
        file.replace(target)
    log.warning("tracking: %s could not be sent whole (%s): kept as %s", file, reason, target.name)


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
        self._offset, self.ids = read_state(file)
        self._refused: list[str] = []
        self._unreadable = 0

    @classmethod
    def new(cls, store: Store) -> Spool:
        """Begin a file of this process and hold its lock while the process lives."""
        folder = spool_folder(store)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            folder.with_suffix(".txt").write_text(masked(store.uri))
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
                if not self._send(line):
                    return sent
                sent += 1
                self._remember(file.tell())
        if self._unreadable:
            _set_aside(self._file, f"{self._unreadable} of its changes cannot be read")
        self.remove()
        return sent

    def say_dropped(self) -> str:
        """Log, and return, what the store refused of the replay; "" where it took everything."""
        if not self._refused:
            return ""
        text = f"the store refused {len(self._refused)} kept changes: {self._refused[0]}"
        log.warning("tracking: %s", text)
        self._refused = []
        return text

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

    def _send(self, line: bytes) -> bool:
        """Send one change; False when the store is away. What it refuses is dropped."""
        try:
            self._deliver(json.loads(line))
        except (MlflowException, OSError) as error:
            if is_lost(error) and not is_refused(self._store, error):
                return False
            self._refused.append(masked(str(error).splitlines()[0][:300]))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._unreadable += 1
        return True

    def _deliver(self, change: Change) -> None:
        run: str = change["run"]
        if change["op"] != "create":
            deliver(self._store, change, self.ids.get(run, run))
            return
        # A sender that was cut off may have opened the run and not noted it.
        self.ids[run] = self._store.find_key(run) or self._store.open_run(
            change["name"], self._tags(change), start=change["start"]
        )

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
