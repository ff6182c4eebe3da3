"""Prepared splits on disk: one array per tensor, mapped into memory, gathered batch by batch.

A split's folder holds, by kind of input: ``numeric.npy`` (float32, rows by columns) and
``categorical.npy`` (int64 codes) for tables; ``image-00000.npy`` and following (uint8, rows by
channels by height by width, in pieces of bounded size) for images; ``target.npy`` (int64 class
codes, or float32 in the target's own unit); and ``rows.parquet`` with what people read: ``__id__``,
``__target__``, where given ``__group__`` and ``__time__``, sensitive columns, and the raw columns
of a table.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from assay.errors import ArtifactError

ID, TARGET, GROUP, TIME = "__id__", "__target__", "__group__", "__time__"
RESERVED = (ID, TARGET, GROUP, TIME)
PIECE_BYTES = 256 << 20
_TENSORS = ("numeric", "categorical", "image")
# What NumPy, pyarrow and the archives that they read raise for files that lie about themselves.
UNREADABLE = (
    ArithmeticError,
    ArrowException,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class Pieces:
    """Arrays that lie one behind another along the first axis and are read as one."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self._arrays = arrays
        self._starts = np.cumsum([0, *(len(a) for a in arrays)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and the shape of one of them."""
        return (len(self), *self._arrays[0].shape[1:])

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows at ``indices``, in that order, as one array in memory."""
        if len(self._arrays) == 1:
            return np.asarray(self._arrays[0][indices])
        which = np.searchsorted(self._starts, indices, side="right") - 1
        rows = np.empty((len(indices), *self.shape[1:]), self._arrays[0].dtype)
        for piece in np.unique(which):
            here = which == piece
            rows[here] = self._arrays[piece][indices[here] - self._starts[piece]]
        return rows


class Split:
    """One prepared split: its tensors by name, its target, and its rows as people read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.target: np.ndarray = _open(folder / "target.npy")
        self.inputs: Mapping[str, Pieces] = dict(_tensors(folder))

    def __len__(self) -> int:
        return len(self.target)

    def batch(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Return the input tensors of the rows at ``indices``, by name."""
        return {name: pieces.gather(indices) for name, pieces in self.inputs.items()}

    def whole(self) -> dict[str, np.ndarray]:
        """Return every row's input tensors, by name, in memory."""
        return self.batch(np.arange(len(self)))

    def rows(self) -> pd.DataFrame:
        """Return ``rows.parquet``."""
        try:
            return pd.read_parquet(self._folder / "rows.parquet")
        except UNREADABLE as error:
            raise ArtifactError(
                f"{self._folder / 'rows.parquet'} cannot be read: {error}"
            ) from error


def _tensors(folder: Path) -> Iterator[tuple[str, Pieces]]:
    for name in _TENSORS:
        files = sorted(folder.glob(f"{name}-[0-9]*.npy")) or sorted(folder.glob(f"{name}.npy"))
        if files:
            yield name, Pieces([_open(file) for file in files])


def _open(path: Path) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing: run 'dvc repro prepare' to make it") from error
    except UNREADABLE as error:
        raise ArtifactError(f"{path} is damaged: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ArtifactError(f"{path} is damaged: expected one array, got an archive")
    return array


def write_pieces(
    folder: Path, name: str, array: np.ndarray, *, piece_bytes: int = PIECE_BYTES
) -> None:
    """Write an array as ``name-00000.npy`` and following, each of at most ``piece_bytes``."""
    rows = max(1, piece_bytes // max(1, array[:1].nbytes))
    for number, start in enumerate(range(0, max(1, len(array)), rows)):
        np.save(folder / f"{name}-{number:05d}.npy", array[start : start + rows])
