"""Read and write the pipeline's files: whole or not at all, with errors that name the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from assay.artifacts.paths import ARTIFACTS, stage_folder
from assay.errors import ArtifactError

_BLOCK_BYTES = 1 << 20
_NUMPY_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")  # all that it says of a full disk


@contextmanager
def staged(stage: str) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well, its content becomes the stage's output.

    Each entry is moved into place whole, so a failure, a signal or a full disk leaves nothing
    half-written. Raises ArtifactError when the disk refuses.
    """
    drafts = ARTIFACTS / ".drafts"
    draft = drafts / f"{stage}-{os.getpid()}"
    try:
        _sweep(drafts, stage)
        draft.mkdir(parents=True)
        yield draft
        _publish(draft, stage_folder(stage))
    except OSError as error:
        raise ArtifactError(_disk_message(error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            drafts.rmdir()


def _sweep(drafts: Path, stage: str) -> None:
    """Remove what a process left that was killed before it could; and what had our own id."""
    for draft in drafts.glob(f"{stage}-[0-9]*"):
        process = draft.name.rpartition("-")[2]
        if process == str(os.getpid()) or not _is_alive(int(process)):
            shutil.rmtree(draft, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _publish(draft: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in sorted(draft.iterdir()):
        target = folder / entry.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        elif entry.is_dir():
            target.unlink(missing_ok=True)
        entry.replace(target)


def _disk_message(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    reason = error.strerror or str(error)
    if _NUMPY_CUT_SHORT.fullmatch(reason):
        reason = f"{os.strerror(errno.ENOSPC)} ({reason})"
    return f"the system refused a file{where}: {reason}; nothing was written"


def write_text(path: Path, text: str) -> None:
    """Write a text file whole: to a temporary name, flushed, then renamed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the renames within a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values are equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_yaml(path: Path, value: Any) -> None:
    """Write YAML in the order of the mapping."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def read_json(path: Path) -> Any:
    """Read JSON; ArtifactError names the file when it is missing or damaged."""
    try:
        return json.loads(_read(path))
    except ValueError as error:
        raise ArtifactError(f"{path} is damaged, not JSON: {error}") from error


def read_yaml(path: Path) -> Any:
    """Read YAML without Python tags; ArtifactError names the file when missing or damaged."""
    try:
        return yaml.safe_load(_read(path))
    except yaml.YAMLError as error:
        raise ArtifactError(f"{path} is damaged, not YAML: {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing: run 'dvc repro' to make it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's relative names and contents, in hex.

    Raises ArtifactError where there is nothing at ``path``, or it cannot be read.
    """
    try:
        return _file_digest(path) if path.is_file() else _folder_digest(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error


def _folder_digest(path: Path) -> str:
    if not path.is_dir():
        raise ArtifactError(f"{path} is missing: run 'dvc repro' to make it")
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        total.update(f"{file.relative_to(path).as_posix()}\0{_file_digest(file)}\n".encode())
    return total.hexdigest()


def _file_digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()
