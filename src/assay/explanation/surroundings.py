"""The rows that LIME looks at around a row of a table, drawn as the package lime draws them.

The package takes training rows apart anew for each explained row, and fits with checks that cost more
than the fit. Here training is taken apart once, numbers come from the same calls of the same generator,
and a ridge regression is solved directly: the same explanations, several times as fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.explanation.sources import Feeds
from assay.inference.columns import Columns

_KERNEL_WIDTH = 0.75  # LIME's own for tables, times the root of the number of columns
_RIDGE = 1.0


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as LIME sees it: numbers, or codes into a ``vocabulary`` (values,) that training has.

    ``share`` is how often training has each word; ``mean`` and ``deviation`` are those of numbers, 0 and 1
    for words.
    """

    mean: float
    deviation: float
    vocabulary: np.ndarray | None = None
    share: np.ndarray | None = None

    def distance(self, own: float) -> float:
        """Return how far the row stands from the training mean, in LIME's own scale."""
        if self.share is not None:
            return 1.0 - float(self.share[int(own)])
        return (own - self.mean) / self.deviation


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Perturbed rows: ``feeds``, how they lie to the row (rows, columns) in LIME's scale, and how near."""

    feeds: Feeds
    scaled: np.ndarray
    nearness: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A linear model's ``weights`` (columns,) and its R², weighted by nearness."""

    weights: np.ndarray
    r2: float


class Surroundings:
    """Training rows taken apart, one array (rows,) a column.

    Texts, columns of two values and columns that are missing in the explained row are words, drawn as
    often as in training; other columns vary as a normal distribution around the row.
    """

    def __init__(self, training: Feeds) -> None:
        self._training = dict(training.items())
        self._columns = {name: _column(values) for name, values in self._training.items()}

    def columns_of(self, row: Feeds) -> list[tuple[Column, float]]:
        """Return each column as this row, arrays (1,), makes it, and the row's own number or code."""
        return [self._as_in(name, row[name][0]) for name in self._training]

    def _as_in(self, name: str, own: object) -> tuple[Column, float]:
        column = self._columns[name]
        if column.vocabulary is None and not _is_missing(own):
            return column, float(str(own))
        if column.vocabulary is None:
            column = _words(self._training[name])
        vocabulary, share = column.vocabulary, column.share
        assert vocabulary is not None  # words have one
        assert share is not None
        found = np.flatnonzero(pd.isna(vocabulary) if _is_missing(own) else vocabulary == own)
        if len(found):
            return column, float(found[0])
        unseen = np.concatenate([vocabulary, np.array([own], dtype=vocabulary.dtype)])
        share = np.append(share, 0.0)
        return Column(mean=0.0, deviation=1.0, vocabulary=unseen, share=share), len(unseen) - 1.0

    def drawn(self, columns: list[tuple[Column, float]], *, samples: int, seed: int) -> Drawn:
        """Draw rows around a row, which is the first of them."""
        random = np.random.RandomState(seed)
        own = np.array([value for _, value in columns])
        scale = np.array([column.deviation for column, _ in columns])
        mean = np.array([column.mean for column, _ in columns])
        data = random.normal(0, 1, samples * len(columns)).reshape(samples, -1) * scale + own
        known, index = {}, {}
        every = np.arange(samples)
        for place, (name, (column, value)) in enumerate(zip(self._training, columns, strict=True)):
            if column.vocabulary is None:
                data[0, place] = value
                known[name], index[name] = data[:, place].copy(), every
                continue
            codes = random.choice(np.arange(len(column.vocabulary)), samples, p=column.share)
            codes[0] = int(value)
            data[:, place] = codes == int(value)
            known[name], index[name] = column.vocabulary, codes
        scaled = (data - mean) / scale
        square = np.square(scaled - scaled[0]).sum(axis=1)
        width = _KERNEL_WIDTH**2 * len(columns)
        return Drawn(
            feeds=Columns(known, index), scaled=scaled, nearness=np.sqrt(np.exp(-square / width))
        )


def fit(drawn: Drawn, answers: np.ndarray) -> Fit:
    """Fit a ridge regression (penalty 1, as LIME's) to ``answers`` (rows,), weighted by nearness."""
    weight = drawn.nearness / drawn.nearness.sum()
    centred = drawn.scaled - weight @ drawn.scaled
    wanted = answers - weight @ answers
    weighted = centred * drawn.nearness[:, None]
    square = centred.T @ weighted + _RIDGE * np.eye(centred.shape[1])
    found = np.linalg.solve(square, weighted.T @ wanted)
    missed = drawn.nearness @ np.square(wanted - centred @ found)
    whole = drawn.nearness @ np.square(wanted)
    return Fit(weights=found, r2=float(1 - missed / whole) if whole > 0 else 0.0)


def _column(training: np.ndarray) -> Column:
    if training.dtype.kind != "f" or _distinct(training) <= 2:
        return _words(training)
    numbers = np.where(np.isnan(training), np.nanmedian(training), training)
    return Column(mean=float(numbers.mean()), deviation=float(numbers.std() or 1.0))


def _words(training: np.ndarray) -> Column:
    codes, vocabulary = pd.factorize(training, use_na_sentinel=False)
    share = np.bincount(codes, minlength=len(vocabulary)) / len(codes)
    return Column(mean=0.0, deviation=1.0, vocabulary=np.asarray(vocabulary), share=share)


def _is_missing(value: object) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _distinct(numbers: np.ndarray) -> int:
    return len(np.unique(numbers[~np.isnan(numbers)]))
