"""One matrix of bounded size from a prepared split, for models that want one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from assay.data.prepared import LENGTHS, Split
from assay.data.spec import Spec

_CELLS = 20_000_000
_PIXELS = 32
_BATCH = 1024


@dataclass(frozen=True, kw_only=True)
class Features:
    """Columns of the matrix: numeric ones first (NaN where missing), then codes of categories."""

    matrix: np.ndarray
    numeric: int
    rows: int

    @property
    def categorical(self) -> list[int]:
        """The places of the columns that hold codes."""
        return list(range(self.numeric, self.matrix.shape[1]))


def features(split: Split, indices: np.ndarray, *, spec: Spec) -> Features:
    """Return the rows at ``indices`` as float32; images averaged to 32 by 32, sequences summed up.

    Texts are one column of themselves.
    """
    if spec.text is not None:
        texts = split.rows()[spec.text.column].to_numpy(object)[indices]
        return Features(matrix=texts[:, None], numeric=0, rows=len(indices))
    parts = [_part(split, indices[i : i + _BATCH]) for i in range(0, max(1, len(indices)), _BATCH)]
    matrix = np.concatenate(parts)
    codes = split.inputs["categorical"].shape[1] if "categorical" in split.inputs else 0
    return Features(matrix=matrix, numeric=matrix.shape[1] - codes, rows=len(indices))


def training_rows(split: Split, *, spec: Spec, most: int, seed: int) -> tuple[np.ndarray, str]:
    """Return the rows to fit on, and what to say about them when they are not all."""
    width = features(split, np.arange(min(1, len(split))), spec=spec).matrix.shape[1]
    limit = min(most, max(1000, _CELLS // max(1, width)))
    if len(split) <= limit:
        return np.arange(len(split)), ""
    rows = np.random.default_rng(seed).choice(len(split), limit, replace=False)
    return np.sort(rows), f"fitted on {limit:,} of {len(split):,} training rows, drawn at random"


def _part(split: Split, indices: np.ndarray) -> np.ndarray:
    batch = split.batch(indices)
    if "image" in batch:
        return _smaller(batch["image"]).reshape(len(indices), -1)
    if "sequence" in batch:
        return _summary(batch["sequence"], batch[LENGTHS])
    parts = [batch[name].astype(np.float32) for name in ("numeric", "categorical") if name in batch]
    return np.concatenate(parts, axis=1)


def _summary(sequences: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return mean, spread, least, greatest, first and last value of each channel, and the length."""
    is_inside = np.arange(sequences.shape[1]) < lengths[:, None]
    known = np.where(is_inside[:, :, None], sequences.astype(np.float64), np.nan)
    last = sequences[np.arange(len(sequences)), lengths - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a channel without any value is NaN
        parts = [f(known, axis=1) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)]
    parts += [sequences[:, 0], last, lengths[:, None]]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _smaller(images: np.ndarray) -> np.ndarray:
    """Average blocks of pixels of large images; what does not fill a block is cut off."""
    rows, channels, height, width = images.shape
    down, across = -(-height // _PIXELS), -(-width // _PIXELS)
    height, width = height // down, width // across
    blocks = images[:, :, : height * down, : width * across].astype(np.float32)
    return np.asarray(blocks.reshape(rows, channels, height, down, width, across).mean(axis=(3, 5)))
