"""Keep the user's files below ``data/NAME``, whole, and have DVC track them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from assay.errors import ArtifactError, DataError

_IMAGES, _FILES = "images", "files"


@contextmanager
def undone_on_failure(*paths: Path) -> Iterator[None]:
    """Remove those paths that were not there before, if the block does not end well."""
    fresh = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in fresh:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):  # what cannot be removed must not hide what went wrong
                path.unlink(missing_ok=True)
        raise


def store(source: Path, folder: Path, *, data: Any) -> dict[str, Path]:
    """Copy what a data set reads into ``folder``; return where it lies now, by the knob's name.

    A file keeps its ending and takes the folder's name. Folders of pictures become ``images``, others ``files``; of
    a table's pictures those are kept that it names.
    """
    inside = _IMAGES if data.kind == "image" else _FILES
    kept = {"path": folder / inside if source.is_dir() else _named(source, folder)}
    if hasattr(data, "folder"):
        kept["folder"] = folder / _IMAGES
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(source, kept["path"])
        if "folder" in kept:
            root = Path(data.folder) if data.folder is not None else source.parent
            _copy_listed(data.files()[1:], root, kept["folder"])
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be written: {error.strerror or error}") from error
    _remove_predecessors(folder, kept, source)
    return kept


def _named(source: Path, folder: Path) -> Path:
    return (
        folder
        / f"{folder.name}{''.join(source.suffixes[-2:] if source.suffix == '.gz' else source.suffixes[-1:])}"
    )


def _copy(source: Path, place: Path) -> None:
    """Copy whole, beside what may be a link into DVC's cache, then take its place."""
    if place.exists() and place.samefile(source):
        return
    draft = place.with_name(f".{place.name}.draft")
    try:
        if source.is_dir():
            shutil.copytree(source, draft)
            shutil.rmtree(place, ignore_errors=True)
        else:
            shutil.copyfile(source, draft)
        draft.replace(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True) if draft.is_dir() else draft.unlink(True)


def _copy_listed(files: list[Path], root: Path, place: Path) -> None:
    draft = place.with_name(f".{place.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for file in files:
        target = draft / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    shutil.rmtree(place, ignore_errors=True)
    draft.replace(place)


def _remove_predecessors(folder: Path, kept: Mapping[str, Path], source: Path) -> None:
    """Remove what an earlier file of another ending left: stages depend on the whole folder."""
    for pointer in folder.glob("*.dvc"):
        old = pointer.with_suffix("")
        if old not in kept.values() and not (old.exists() and old.samefile(source)):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
            pointer.unlink()


def track(root: Path, place: Path) -> None:
    """Let DVC track a file or folder; DataError with its words where it does not."""
    where = place.relative_to(root)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", "--quiet", str(where)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DataError(f"'dvc add {where}' failed: {done.stderr.strip() or done.stdout.strip()}")
