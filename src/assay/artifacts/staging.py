"""Write a stage's output: whole or not at all, by one process at a time, with its manifests."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.artifacts.commit import code_commit
from assay.artifacts.files import flush_folder, flush_tree
from assay.artifacts.lock import stage_lock
from assay.artifacts.manifest import MANIFEST, forget_loaded, write_manifests
from assay.artifacts.paths import ARTIFACTS, output_folder, stage_folder
from assay.errors import ArtifactError

_NUMPY_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")  # all that it says of a full disk


@contextmanager
def staged(stage: str) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well, its content becomes the stage's output.

    Holds the stage's lock meanwhile. Each entry is flushed to the disk, then moved into place
    whole, the manifests last: a failure, a signal, a kill, a power cut or a full disk leaves
    nothing half-written that could be taken for whole. Raises ArtifactError when the disk refuses.
    """
    try:
        with stage_lock(stage), _drafted(stage) as draft:
            code = code_commit()
            yield draft
            write_manifests(draft, stage=stage, code=code)
            flush_tree(draft)
            _publish(draft, stage)
    except OSError as error:
        raise ArtifactError(_disk_message(error)) from error
    finally:
        forget_loaded()


@contextmanager
def _drafted(stage: str) -> Iterator[Path]:
    """Yield a folder for drafts without what a killed process left there: the lock is held."""
    draft = ARTIFACTS / ".drafts" / stage
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            draft.parent.rmdir()


def _publish(draft: Path, stage: str) -> None:
    """Move every entry into place; until the manifests are there, none of them is loaded."""
    folder, manifests = output_folder(stage), stage_folder(stage) / MANIFEST
    folder.mkdir(parents=True, exist_ok=True)
    manifests.parent.mkdir(parents=True, exist_ok=True)
    _remove(manifests)
    for entry in sorted(draft.iterdir()):
        if entry.name != MANIFEST:
            _move(entry, folder / entry.name)
    flush_folder(folder)
    if (draft / MANIFEST).is_dir():
        _move(draft / MANIFEST, manifests)
        flush_folder(manifests.parent)


def _move(entry: Path, target: Path) -> None:
    if target.is_dir() or entry.is_dir():
        _remove(target)
    entry.replace(target)


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _disk_message(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    reason = error.strerror or str(error)
    if _NUMPY_CUT_SHORT.fullmatch(reason):
        reason = f"{os.strerror(errno.ENOSPC)} ({reason})"
    return f"the system refused a file{where}: {reason}; nothing was written"
