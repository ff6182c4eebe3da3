"""Where a fit that was cut off left its checkpoints and its tracked run."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assay.artifacts.files import read_json, write_json
from assay.artifacts.paths import home
from assay.errors import ArtifactError, AssayError
from assay.training.checkpoint import Checkpoints
from assay.training.knobs import Checkpointing

log = logging.getLogger(__name__)


class Resumable:
    """One fit's folder of checkpoints; before ``begin`` found one, a fit that cannot be resumed."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock: FileLock | None = None

    def begin(self, fingerprint: str) -> None:
        """Take the folder of the fit of that name; not while another process is at that fit.

        Raises ArtifactError where the home cannot be written.
        """
        folder = home() / "checkpoints" / fingerprint
        lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            log.info("another process is at this very fit: this one keeps no checkpoints")
        except OSError as error:
            raise ArtifactError(f"{folder} cannot be written: {error.strerror or error}") from error
        else:
            self._folder, self._lock = folder, lock

    @property
    def run_id(self) -> str | None:
        """The tracked run that the fit belongs to, where an earlier process began it."""
        try:
            found = read_json(self._folder / "run.json") if self._folder else {}
        except ArtifactError:
            return None
        return str(found["run_id"]) if isinstance(found, dict) and "run_id" in found else None

    def follow(self, run_id: str) -> None:
        """Write down which tracked run the fit belongs to."""
        if self._folder:
            write_json(self._folder / "run.json", {"run_id": run_id})

    def checkpoints(self, knobs: Checkpointing) -> Checkpoints | None:
        """Return the fit's checkpoints."""
        return Checkpoints(self._folder, knobs) if self._folder else None

    def remove(self) -> None:
        """Delete the checkpoints, all at one moment: there is nothing left to go on with."""
        if self._folder:
            dead = self._folder.with_name(f".{self._folder.name}.{os.getpid()}")
            with suppress(OSError):
                self._folder.replace(dead)
            shutil.rmtree(dead, ignore_errors=True)

    def release(self) -> None:
        """Let another process take the folder."""
        if self._lock:
            self._lock.release()


@contextmanager
def resumable(*, ended_by: tuple[type[BaseException], ...] = (AssayError,)) -> Iterator[Resumable]:
    """Yield a fit's checkpoints, which are removed when the block is done.

    They stay where the block is cut off by a signal or a defect, so that the next start goes on; a
    fit that was ``ended_by`` a message of ours would end with it again.
    """
    kept = Resumable()
    try:
        yield kept
        kept.remove()
    except ended_by:
        kept.remove()
        raise
    finally:
        kept.release()
