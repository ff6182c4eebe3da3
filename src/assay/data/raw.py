"""Raw data as every kind of it is handed over: one row an example, and what each column is for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd

from assay.data.ragged import Ragged
from assay.data.spec import Kind, Task
from assay.data.splitting import Splitting
from assay.data.tokenizer import Tokens

_PIECE_BYTES = 16 << 20
TaskChoice: TypeAlias = Literal["auto", Task]
ImageTask: TypeAlias = Literal["classification", "reconstruction", "generation"]
"""What labelled images can be used for."""

Label: TypeAlias = str | int | bool


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What columns are for, other than being features; no ``target`` where there is no such column."""

    target: str = ""
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
        return frozenset(name for name in named if name)


@dataclass(frozen=True, kw_only=True)
class Forecasting:
    """Of what the targets' last axis is, and how windows were cut from ``steps`` steps of time.

    ``season`` is the period of the naive forecast in steps; ``starts`` (rows,) is where each window
    of ``window`` steps begins. ``look_back`` and ``level`` are as in ``data.windows.Windows``;
    ``time`` is the column of the user's table that says when.
    """

    series: tuple[str, ...]
    window: int
    starts: np.ndarray
    steps: int
    season: int = 1
    level: Literal["last", "none"] = "last"
    look_back: bool = False
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Examples as they came: a frame with target and roles, and what no cell of it can hold.

    ``images`` is uint8, rows by channels by height by width; ``series`` are float32 steps by
    ``channels`` a row, NaN where a value is missing; ``text`` is the frame's column of texts, and
    ``tokens`` how they become tokens. ``targets`` is a target that is no column: steps by series for forecasting, a
    tag's name for each step for tagging, for several labels 1 where a row has one of ``labels``
    (uint8, rows by labels). All are in the order of ``frame``. ``anomalies`` are the values of the
    target that are none of the normal ones; ``notes`` say what was left out.
    """

    frame: pd.DataFrame
    roles: Roles
    task: TaskChoice = "auto"
    images: np.ndarray | None = None
    series: Ragged | None = None
    channels: tuple[str, ...] = ()
    text: str | None = None
    tokens: Tokens = field(default_factory=Tokens)
    targets: np.ndarray | Ragged | None = None
    labels: tuple[str, ...] = ()
    forecast: Forecasting | None = None
    anomalies: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def kind(self) -> Kind:
        """What the inputs are."""
        given = {"image": self.images, "sequence": self.series, "text": self.text}
        kinds: list[Kind] = [name for name, part in given.items() if part is not None]  # type: ignore[misc]
        return kinds[0] if kinds else "table"

    def digest(self) -> str:
        """Return the SHA-256 of all content, in hex."""
        total = hashlib.sha256("\0".join(map(str, self.frame.columns)).encode())
        total.update(np.asarray(pd.util.hash_pandas_object(self.frame, index=False)).tobytes())
        for array in (self.images, *_arrays(self.series), *_arrays(self.targets)):
            if array is not None:
                for piece in _pieces(array):
                    total.update(_bytes(piece))
        return total.hexdigest()


def _arrays(part: np.ndarray | Ragged | None) -> tuple[np.ndarray | None, ...]:
    if isinstance(part, Ragged):
        return part.offsets, part.values.gather(np.arange(part.values.shape[0]))
    return (part,)


def _pieces(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an array that may be larger than memory in parts."""
    rows = max(1, _PIECE_BYTES // max(1, array[:1].nbytes))
    for start in range(0, max(1, len(array)), rows):
        yield array[start : start + rows]


def _bytes(array: np.ndarray) -> bytes:
    if array.dtype == object:
        array = np.asarray(pd.util.hash_array(array.reshape(-1)))
    return np.ascontiguousarray(array).tobytes()


class DataSet(Protocol):
    """A kind of data: a frozen dataclass of knobs that can read what it describes.

    A set for one task only says which in a class variable ``task``, so that a model that cannot do it
    is refused before anything runs. One that reads more than what lies at its ``path`` lists all
    of it in a method ``files``, so that a change is seen.
    """

    @property
    def kind(self) -> Kind:
        """What its inputs are."""

    @property
    def split(self) -> Splitting:
        """How its rows are divided."""

    def read(self) -> Raw:
        """Return the examples; DataError where they cannot be used."""
