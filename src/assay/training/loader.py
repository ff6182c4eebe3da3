"""Batches gathered whole, in an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from assay.data.prepared import Split

IN_MEMORY_BYTES = 256 << 20
"""Splits up to this size are held as tensors; larger ones are read from their files by batch."""

_TOGETHER = 8
_PIECE_BYTES = 64 << 20
_EVALUATION_ROWS = 2048
_EVALUATION_NUMBERS = 1 << 20


class Batch(NamedTuple):
    """Input tensors by name, and the target."""

    inputs: dict[str, Tensor]
    target: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on ``device``."""
        inputs = {name: t.to(device, non_blocking=True) for name, t in self.inputs.items()}
        return Batch(inputs, self.target.to(device, non_blocking=True))


class Rows:
    """A split's rows as tensors, by index; small splits are read once, large ones never whole."""

    def __init__(self, split: Split, *, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self._split = split
        self._tensors: Batch | None = None
        self.row_bytes = sum(array.nbytes for array in split.batch(np.arange(1)).values())
        if not split.is_ragged and len(split) * self.row_bytes <= in_memory_bytes:
            self._tensors = self._read(np.arange(len(split)))

    def __len__(self) -> int:
        return len(self._split)

    @property
    def is_ragged(self) -> bool:
        """Whether the width of a batch depends on the rows in it."""
        return self._split.is_ragged

    def gather(self, indices: np.ndarray) -> Batch:
        """Return the rows at ``indices`` (int64), in that order."""
        if self._tensors is None:
            return self._read(indices)
        chosen = torch.from_numpy(indices)
        inputs = {n: t.index_select(0, chosen) for n, t in self._tensors.inputs.items()}
        return Batch(inputs, self._tensors.target.index_select(0, chosen))

    def _read(self, indices: np.ndarray) -> Batch:
        arrays = self._split.batch(indices)
        target = torch.from_numpy(np.array(self._split.targets(indices)))
        return Batch({name: torch.from_numpy(a) for name, a in arrays.items()}, target)


def order(rows: int, *, seed: int, epoch: int) -> np.ndarray:
    """Return the permutation of ``rows`` indices that ``epoch`` (from 0) of ``seed`` takes."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


class Batches:
    """A training split in shuffled batches, several at a time.

    Iterating yields pieces of a few batches that were gathered at once (fewer where they are big),
    and moves on to the next epoch. A last batch of a single row joins the one before it, since batch
    normalisation cannot learn from one row. The whole state is two integers: ``epoch`` and
    ``batch``, the next one to give; it moves on before a piece is given away, since Lightning does
    not ask for what comes after the last one. An epoch that is begun at its end gives one empty
    piece, so that what follows an epoch follows it.
    """

    def __init__(self, rows: Rows, *, batch_size: int, seed: int, limit: int | None = None) -> None:
        self._rows, self._seed = rows, seed
        fitting = _PIECE_BYTES // max(1, batch_size * rows.row_bytes)
        self._together = max(1, min(_TOGETHER, fitting))
        starts = list(range(0, max(1, len(rows) - 1), batch_size))
        self._bounds = [*starts, len(rows)][: None if limit is None else limit + 1]
        self.epoch, self.batch = 0, 0

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return len(self._bounds) - 1

    def __len__(self) -> int:
        return max(1, -(-(self.batches - self.batch) // self._together))

    def __iter__(self) -> Iterator[list[Batch]]:
        if self.batch == self.batches:
            self._advance(0)
            yield []
            return
        indices = order(len(self._rows), seed=self._seed, epoch=self.epoch)
        for first in range(self.batch, self.batches, self._together):
            bounds = self._bounds[first : first + self._together + 1]
            piece = self._piece(indices, bounds)
            self._advance(len(piece))
            yield piece

    def _piece(self, indices: np.ndarray, bounds: list[int]) -> list[Batch]:
        if self._rows.is_ragged:  # a batch's width, and so its bits, must be its own
            return [self._rows.gather(indices[start:end]) for start, end in pairwise(bounds)]
        return _cut(self._rows.gather(indices[bounds[0] : bounds[-1]]), bounds)

    def _advance(self, batches: int) -> None:
        self.batch += batches
        if self.batch >= self.batches:
            self.epoch, self.batch = self.epoch + 1, 0

    def start_at(self, *, epoch: int, batch: int) -> None:
        """Go to a position, from 0; ``batch`` may be the number of batches, the epoch's end."""
        self.epoch, self.batch = epoch, batch


class Passes:
    """A split in its own order, in batches of ``size`` rows."""

    def __init__(self, rows: Rows, *, size: int) -> None:
        self._rows, self._size = rows, size

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self._rows), self._size):
            yield self._rows.gather(np.arange(start, min(start + self._size, len(self._rows))))


def evaluation_size(split: Split, *, outputs: int) -> int:
    """Return how many rows to evaluate at once so that memory stays bounded."""
    return split.rows_at_once(
        most_rows=_EVALUATION_ROWS, most_numbers=_EVALUATION_NUMBERS, outputs=outputs
    )


def _cut(batch: Batch, bounds: list[int]) -> list[Batch]:
    sizes = [end - start for start, end in pairwise(bounds)]
    parts = {name: torch.split(tensor, sizes) for name, tensor in batch.inputs.items()}
    targets = torch.split(batch.target, sizes)
    return [Batch({n: p[i] for n, p in parts.items()}, t) for i, t in enumerate(targets)]
