"""Raw data as every kind of it is handed over: one row an example, and what each column is for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
import pandas as pd

from assay.data.spec import Kind
from assay.data.splitting import Splitting

TaskChoice = Literal["auto", "classification", "regression"]


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What columns are for, other than being features."""

    target: str
    id: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()

    @property
    def withheld(self) -> frozenset[str]:
        """The columns that are no features: sensitive ones are, unless they are ignored too."""
        named = (self.target, self.id, self.group, self.time, self.split, *self.ignore)
        return frozenset(name for name in named if name is not None)


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Examples as they came: a frame with target and roles, and for images their pixels.

    ``images`` is uint8, rows by channels by height by width, in the order of ``frame``.
    """

    frame: pd.DataFrame
    roles: Roles
    task: TaskChoice = "auto"
    images: np.ndarray | None = None
    source: str = ""

    def digest(self) -> str:
        """Return the SHA-256 of all content, in hex."""
        total = hashlib.sha256("\0".join(map(str, self.frame.columns)).encode())
        total.update(np.asarray(pd.util.hash_pandas_object(self.frame, index=False)).tobytes())
        if self.images is not None:
            total.update(np.ascontiguousarray(self.images).tobytes())
        return total.hexdigest()


class DataSet(Protocol):
    """A kind of data: a frozen dataclass of knobs that can read what it describes."""

    kind: ClassVar[Kind]

    @property
    def split(self) -> Splitting:
        """How its rows are divided."""

    def read(self) -> Raw:
        """Return the examples; DataError where they cannot be used."""
