"""Rows of unequal length: all values one behind another, and where each row begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from assay.errors import ArtifactError


class Flat(Protocol):
    """Values along one axis that can be gathered, in memory or in files."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values there are, and the shape of one."""

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the values at ``indices``."""


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """An array as ``Flat`` values."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.array.shape

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """Return the values at ``indices``."""
        return np.asarray(self.array[indices])


class Ragged:
    """Rows of ``values``: row i holds those from ``offsets[i]`` to ``offsets[i + 1]``.

    ``offsets`` is int64 (rows + 1,), from 0 to the number of values, never falling. Raises
    ArtifactError where it is not.
    """

    def __init__(self, values: Flat, offsets: np.ndarray) -> None:
        rises = len(offsets) > 0 and offsets[0] == 0 and bool(np.all(np.diff(offsets) >= 0))
        if not rises or offsets[-1] != values.shape[0]:
            raise ArtifactError(
                f"offsets of ragged rows must rise from 0 to {values.shape[0]}, the number of "
                "values: these do not"
            )
        self.values, self.offsets = values, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """How many values each row has, int64 (rows,)."""
        return np.diff(self.offsets)

    def row(self, index: int) -> np.ndarray:
        """Return one row's values."""
        return self.values.gather(np.arange(self.offsets[index], self.offsets[index + 1]))

    def take(self, indices: np.ndarray) -> Ragged:
        """Return the rows at ``indices`` in memory, in that order."""
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Ragged(InMemory(array=self.values.gather(self._places(indices))), offsets)

    def padded(self, indices: np.ndarray, *, fill: int = 0) -> np.ndarray:
        """Return the rows at ``indices``, each filled up to the longest of them.

        Their shape is (rows, longest, ...): the longest of no rows is 0.
        """
        lengths = self.lengths[indices]
        longest = int(lengths.max(initial=0))
        values = self.values.gather(self._places(indices))
        result = np.full((len(indices), longest, *values.shape[1:]), fill, values.dtype)
        result[np.arange(longest) < lengths[:, None]] = values
        return result

    def _places(self, indices: np.ndarray) -> np.ndarray:
        lengths, starts = self.lengths[indices], self.offsets[indices]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.asarray(np.repeat(starts, lengths) + within)


def ragged(rows: Sequence[np.ndarray]) -> Ragged:
    """Return arrays of unequal length as ragged rows; there must be at least one."""
    lengths: Iterable[int] = (len(row) for row in rows)
    offsets = np.concatenate([[0], np.cumsum(list(lengths))]).astype(np.int64)
    return Ragged(InMemory(array=np.concatenate(list(rows))), offsets)


def of_one_width(batches: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return batches (rows, steps, ...) filled up to the widest: with zeros, or empty texts."""
    widths = {batch.shape[1] for batch in batches if batch.ndim > 1}
    if len(widths) < 2:
        return list(batches)
    return [_widened(batch, max(widths)) for batch in batches]


def _widened(batch: np.ndarray, steps: int) -> np.ndarray:
    more = [(0, 0), (0, steps - batch.shape[1]), *[(0, 0)] * (batch.ndim - 2)]
    return np.pad(batch, more, constant_values="" if batch.dtype == object else 0)
