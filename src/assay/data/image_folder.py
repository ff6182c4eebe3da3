"""The user's own images: a folder for each class, above it perhaps one for each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd

from assay.data.pictures import Pictures, decode_all, is_picture
from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import SPLIT_NAMES, Splitting
from assay.errors import DataError

FILE, CLASS, SPLIT = "file", "class", "split"


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """``path/CLASS/*`` or ``path/SPLIT/CLASS/*``, with folders of any depth below a class."""

    kind: ClassVar[Kind] = "image"
    task: ClassVar[Literal["classification"]] = "classification"
    path: str
    pictures: Pictures = field(default_factory=Pictures)
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the images with ``class`` as target; DataError where there are none to learn from."""
        root = Path(self.path)
        files, passed_over = _files(root)
        has_splits = _has_splits(files)
        rows = [_row(file, has_splits) for file in files]
        named = ((file.as_posix(), root / file) for file in files)
        decoded = decode_all(named, knobs=self.pictures)
        frame = pd.DataFrame(rows).iloc[decoded.kept].reset_index(drop=True)
        return Raw(
            frame=frame,
            roles=Roles(target=CLASS, id=FILE, split=SPLIT if has_splits else None),
            task=self.task,
            images=decoded.images,
            notes=(*decoded.notes, *_notes(passed_over)),
            source=root.name,
        )


def _files(root: Path) -> tuple[list[Path], list[Path]]:
    """Return pictures below a class, and other files, as paths below ``root`` in their order."""
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder with a folder for each class")
    found = sorted(p.relative_to(root) for p in _walk(root))
    pictures = [path for path in found if is_picture(path) and len(path.parts) > 1]
    if not pictures:
        raise DataError(f"{root}: expected a folder for each class with pictures in it; found none")
    return pictures, [path for path in found if path not in set(pictures)]


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _has_splits(files: list[Path]) -> bool:
    """Whether every folder at the top is called like a split, and holds folders with pictures."""
    tops = {path.parts[0].lower() for path in files}
    return tops <= SPLIT_NAMES.keys() and all(len(path.parts) > 2 for path in files)


def _row(file: Path, has_splits: bool) -> dict[str, str]:
    split, *rest = file.parts if has_splits else ("", *file.parts)
    row = {FILE: file.as_posix(), CLASS: rest[0]}
    return {**row, SPLIT: split} if has_splits else row


def _notes(passed_over: list[Path]) -> list[str]:
    if not passed_over:
        return []
    endings = Counter(path.suffix or path.name for path in passed_over)
    listed = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(5))
    return [f"{len(passed_over)} files are no pictures of a class: {listed}"]
