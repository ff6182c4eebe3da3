"""Prepared splits on disk: one array per tensor, mapped into memory, gathered batch by batch.

A split's folder holds, by kind of input: ``numeric.npy`` (float32, rows by columns) and
``categorical.npy`` (int64 codes) for tables; ``image-00000.npy`` and following (uint8, rows by
channels by height by width, in pieces of bounded size) for images; ``sequence-00000.npy`` and
following (float32, steps of all rows by channels) or ``tokens-00000.npy`` and following (int32),
with ``sequence-offsets.npy`` or ``tokens-offsets.npy`` (int64, where each row begins).

``target.npy`` is a row's target: int64 class codes, uint8 (rows, labels), float32 in the target's
own unit, for forecasts (rows, horizon, series). Tasks with a target for each step keep those as
``tags-00000.npy`` with ``tags-offsets.npy``, and the number of steps in ``target.npy``. In
``rows.parquet`` is what people read: ``__id__``, ``__target__``, where given ``__group__`` and
``__time__``, sensitive columns, and the raw columns of a table.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from assay.data.ragged import Ragged
from assay.errors import ArtifactError

ID, TARGET, GROUP, TIME = "__id__", "__target__", "__group__", "__time__"
RESERVED = (ID, TARGET, GROUP, TIME)
PIECE_BYTES = 256 << 20
_WRITTEN_BYTES = 16 << 20
LENGTHS = "lengths"
IGNORED = -100
"""The target of a step that is none: what fills a batch of tags up."""
_TENSORS = ("numeric", "categorical", "image")
_RAGGED = ("sequence", "tokens")
_TAGS = "tags"
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


class Rows(Protocol):
    """One input of a split: its rows, and a batch of them."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and the shape of one of them, of the longest where they differ."""

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows at ``indices``, in that order, as one array in memory."""


class Padded:
    """Ragged rows as a batch takes them: each filled up with zeros to the longest of the batch."""

    def __init__(self, rows: Ragged) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, the steps of the longest, and the shape of one step."""
        longest = int(self.rows.lengths.max(initial=0))
        return (len(self), longest, *self.rows.values.shape[1:])

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows at ``indices``; tokens as int64."""
        array = self.rows.padded(indices)
        return array.astype(np.int64) if array.dtype == np.int32 else array


class Chosen:
    """Some rows of an input, by position."""

    def __init__(self, rows: Rows, positions: np.ndarray) -> None:
        self._rows, self._positions = rows, positions

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def shape(self) -> tuple[int, ...]:
        """As many rows as were chosen, each of the shape of all."""
        return (len(self), *self._rows.shape[1:])

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the chosen rows at ``indices``, in that order."""
        return self._rows.gather(self._positions[indices])


class Split:
    """One prepared split: its tensors by name, its target, and its rows as people read them.

    Beside ragged rows there is the input ``lengths``, int64 (rows,). ``tags`` are the targets of
    single steps, None for tasks without.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._target = _open(folder / "target.npy")
        self.inputs: Mapping[str, Rows] = dict(_tensors(folder))
        self.tags = _ragged(folder, _TAGS)
        self._positions: np.ndarray | None = None

    def take(self, positions: np.ndarray) -> Split:
        """Return the rows at ``positions`` as a split of their own; what they hold is not read."""
        part = Split(self._folder)
        part._positions = positions if self._positions is None else self._positions[positions]
        part._target = self._target[positions]
        part.inputs = {name: Chosen(rows, positions) for name, rows in self.inputs.items()}
        part.tags = None if self.tags is None else self.tags.take(positions)
        return part

    def __len__(self) -> int:
        return len(self._target)

    @cached_property
    def target(self) -> np.ndarray:
        """Every row's target: for steps int64 (rows, steps of the longest), ``IGNORED`` after the end."""
        return self._target if self.tags is None else self.targets(np.arange(len(self)))

    @property
    def is_ragged(self) -> bool:
        """Whether rows are of unequal length, so that a batch's width is its own."""
        return LENGTHS in self.inputs or self.tags is not None

    @property
    def lengths(self) -> np.ndarray:
        """How many steps each row has, int64 (rows,): 1 where rows have none."""
        found = self.inputs.get(LENGTHS)
        everything = np.arange(len(self))
        return np.ones(len(self), np.int64) if found is None else found.gather(everything)

    def batch(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Return the input tensors of the rows at ``indices``, by name."""
        return {name: pieces.gather(indices) for name, pieces in self.inputs.items()}

    def rows_at_once(self, *, most_rows: int, most_numbers: int, outputs: int = 0) -> int:
        """Return how many rows a batch may have so that it holds at most so many numbers.

        Numbers of the inputs, and ``outputs`` for each step where each step has an answer.
        """
        numbers = sum(int(np.prod(pieces.shape[1:])) for pieces in self.inputs.values())
        if self.tags is not None:
            numbers += outputs * int(self.lengths.max(initial=1))
        return max(1, min(most_rows, most_numbers // max(1, numbers)))

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return what a loss takes: rows of ``target``, or padded tags, int64 (rows, steps)."""
        if self.tags is None:
            return np.asarray(self._target[indices])
        return self.tags.padded(indices, fill=IGNORED).astype(np.int64)

    def whole(self) -> dict[str, np.ndarray]:
        """Return every row's input tensors, by name, in memory."""
        return self.batch(np.arange(len(self)))

    def rows(self) -> pd.DataFrame:
        """Return ``rows.parquet``."""
        try:
            rows = pd.read_parquet(self._folder / "rows.parquet")
        except UNREADABLE as error:
            raise ArtifactError(
                f"{self._folder / 'rows.parquet'} cannot be read: {error}"
            ) from error
        return rows if self._positions is None else rows.iloc[self._positions]


def _tensors(folder: Path) -> Iterator[tuple[str, Rows]]:
    for name in _TENSORS:
        if pieces := _pieces(folder, name):
            yield name, pieces
    for name in _RAGGED:
        if rows := _ragged(folder, name):
            yield name, Padded(rows)
            yield LENGTHS, Pieces([rows.lengths])


def _pieces(folder: Path, name: str) -> Pieces | None:
    files = sorted(folder.glob(f"{name}-[0-9]*.npy")) or sorted(folder.glob(f"{name}.npy"))
    return Pieces([_open(file) for file in files]) if files else None


def _ragged(folder: Path, name: str) -> Ragged | None:
    values = _pieces(folder, name)
    if values is None:
        return None
    place = folder / f"{name}-offsets.npy"
    try:
        return Ragged(values, _open(place))
    except (ArtifactError, *UNREADABLE) as error:
        raise ArtifactError(f"{place} is damaged: {error}") from error


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
    folder: Path,
    name: str,
    array: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    piece_bytes: int = PIECE_BYTES,
) -> None:
    """Write rows (all, or those at ``rows``) as ``name-00000.npy`` and following.

    Each file has at most ``piece_bytes``; memory holds a small part of one, also where ``array``
    is a file that is larger than memory.
    """
    chosen = np.arange(len(array)) if rows is None else rows
    size = max(1, array[:1].nbytes)
    at_a_time = max(1, piece_bytes // size)
    for number, start in enumerate(range(0, max(1, len(chosen)), at_a_time)):
        piece = chosen[start : start + at_a_time]
        _write_piece(folder / f"{name}-{number:05d}.npy", array, piece, size=size)


def _write_piece(path: Path, array: np.ndarray, rows: np.ndarray, *, size: int) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": (len(rows), *array.shape[1:]),
    }
    step = max(1, _WRITTEN_BYTES // size)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)  # as numpy.save does
        for start in range(0, len(rows), step):
            file.write(np.ascontiguousarray(array[rows[start : start + step]]).tobytes())


def write_ragged(folder: Path, name: str, rows: Ragged, *, piece_bytes: int = PIECE_BYTES) -> None:
    """Write ragged rows as ``name-00000.npy`` and following, and ``name-offsets.npy``."""
    np.save(folder / f"{name}-offsets.npy", rows.offsets.astype(np.int64))
    count = rows.values.shape[0]
    size = rows.values.gather(np.arange(min(1, count))).nbytes
    at_a_time = max(1, piece_bytes // max(1, size))
    for number, start in enumerate(range(0, max(1, count), at_a_time)):
        piece = rows.values.gather(np.arange(start, min(start + at_a_time, count)))
        np.save(folder / f"{name}-{number:05d}.npy", piece)
