"""The user's own images: a table with a picture's path and its label, labels or number in each row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from assay.data.csv import read_table, require_columns
from assay.data.pictures import Pictures, decode_all
from assay.data.raw import Raw, Roles, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.target import Target, with_target
from assay.errors import DataError


@dataclass(frozen=True, kw_only=True)
class ImageCsv:
    """``image`` is the column of paths, below ``folder`` (null: the table's own folder).

    ``target`` is a column, or a list of columns of yes and no; with ``label_separator`` its cells
    list any number of labels.
    """

    kind: ClassVar[Kind] = "image"
    path: str
    image: str = "image"
    target: str | tuple[str, ...]
    folder: str | None = None
    label_separator: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None
    split_column: str | None = None
    sensitive: tuple[str, ...] = ()
    task: TaskChoice = "auto"
    encoding: str = "utf-8"
    separator: str = ","
    pictures: Pictures = field(default_factory=Pictures)
    split: Splitting = field(default_factory=Splitting)

    def files(self) -> list[Path]:
        """Return the table and the pictures that it names, as far as they are there."""
        table = read_table(Path(self.path), encoding=self.encoding, separator=self.separator)
        names = table[self.image].dropna().astype(str) if self.image in table else ()
        found = (self._root / name for name in names)
        return [Path(self.path), *(path for path in found if path.is_file())]

    @property
    def _root(self) -> Path:
        return Path(self.path).parent if self.folder is None else Path(self.folder)

    def read(self) -> Raw:
        """Return the images; DataError says what is wrong with the table, a path or a picture."""
        path = Path(self.path)
        table = read_table(path, encoding=self.encoding, separator=self.separator)
        target = Target(columns=self.target, separator=self.label_separator, task=self.task)
        roles = Roles(
            target=target.column,
            id=self.id or self.image,
            group=self.group,
            time=self.time,
            split=self.split_column,
            sensitive=tuple(self.sensitive),
        )
        others = {"target": target.names, "image": (self.image,)}
        require_columns(table, roles, self.path, others=others)
        names = _paths(table[self.image])
        decoded = decode_all(((name, self._root / name) for name in names), knobs=self.pictures)
        raw = Raw(
            frame=table.iloc[decoded.kept].reset_index(drop=True),
            roles=roles,
            task=self.task,
            images=decoded.images,
            notes=decoded.notes,
            source=path.name,
        )
        return with_target(raw, target)


def _paths(column: pd.Series) -> list[str]:
    """Return relative paths that stay where they belong; DataError names the first that does not."""
    names = ["" if pd.isna(value) else str(value).replace("\\", "/") for value in column]
    for row, name in enumerate(names):
        parts = Path(name).parts
        if not name or "\0" in name or Path(name).is_absolute() or ".." in parts:
            raise DataError(
                f"column '{column.name}', row {row + 1} below the header: expected the path of a "
                f"picture below data.folder, got {column.iloc[row]!r}"
            )
    doubled = pd.Series(names)[pd.Series(names).duplicated()]
    if len(doubled):
        raise DataError(
            f"column '{column.name}' names {doubled.iloc[0]!r} in more than one row "
            f"({np.unique(doubled).size} such pictures): join their rows, or drop all but one"
        )
    return names
