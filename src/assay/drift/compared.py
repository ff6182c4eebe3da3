"""Two samples of rows, quantity by quantity: how far apart, and how likely by chance."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Literal

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact, ks_2samp

from assay.drift.watched import Watched
from assay.metrics.repeated import holm

Test = Literal["Kolmogorov-Smirnov", "chi squared", "Fisher"]
_FEWEST_EXPECTED = 5
_EXACT_ROWS = 2000
_WHOLE_FROM = 1000


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How a quantity of new rows differs from that of reference rows.

    ``distance`` is between 0 and 1: the largest difference of the distribution functions for numbers
    (Kolmogorov and Smirnov), half of the summed differences of shares for words (total variation).
    ``p`` is the chance of such a difference between samples of one source, ``p_of_all`` that of such
    a one among all quantities (Holm). ``before`` and ``now`` say it in words.
    """

    name: str
    of: Literal["input", "output"]
    test: Test
    distance: float
    p: float
    before: str
    now: str
    p_of_all: float = 1.0

    def has_drifted(self, *, alpha: float, at_least: float) -> bool:
        """Tell whether the difference is no chance, and large enough to matter."""
        return self.p_of_all < alpha and self.distance >= at_least


def compare(before: Sequence[Watched], now: Sequence[Watched]) -> list[Compared]:
    """Compare what is watched of reference rows with that of new ones, which must be independent.

    The smallest p first. With ``p_of_all`` below alpha as drift, rows of the same source are called
    drifted in at most a share alpha of all comparisons.
    """
    found = [c for one, other in zip(before, now, strict=True) for c in _compared(one, other)]
    of_all = holm([c.p for c in found])
    adjusted = [replace(c, p_of_all=p) for c, p in zip(found, of_all, strict=True)]
    return sorted(adjusted, key=lambda c: (c.p_of_all, -c.distance))


def told_from(*, before: int, now: int, quantities: int, alpha: float) -> float:
    """Return the distance of numbers from which on drift is told, at so many rows and quantities.

    The asymptotic quantile of Kolmogorov and Smirnov (Smirnov 1948, doi:10.1214/aoms/1177730256) at
    alpha over the number of quantities: a true distance as large is found every second time.
    """
    return min(1.0, sqrt(-log(alpha / quantities / 2) / 2 * (before + now) / (before * now)))


def _compared(before: Watched, now: Watched) -> Iterator[Compared]:
    if not before.is_number:
        yield _words(before.name, before.of, before.values, now.values)
        return
    known = [of.values[~np.isnan(of.values)] for of in (before, now)]
    if any(len(k) < len(of.values) for k, of in zip(known, (before, now), strict=True)):
        gaps = [np.where(np.isnan(of.values), "missing", "given") for of in (before, now)]
        yield _words(f"{before.name} is missing", before.of, *gaps)
    if all(len(values) for values in known):
        yield _numbers(before, *known)


def _numbers(of: Watched, before: np.ndarray, now: np.ndarray) -> Compared:
    is_small = max(len(before), len(now)) <= _EXACT_ROWS
    with warnings.catch_warnings():  # what is too large to count is approximated
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ks_2samp(before, now, method="exact" if is_small else "asymp")
    return Compared(
        name=of.name,
        of=of.of,
        test="Kolmogorov-Smirnov",
        distance=float(found.statistic),
        p=float(found.pvalue),
        before=_middle(before),
        now=_middle(now),
    )


def _middle(values: np.ndarray) -> str:
    low, median, high = map(_number, np.quantile(values, (0.25, 0.5, 0.75)))
    return f"{median} ({low} to {high})"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < _WHOLE_FROM else f"{value:,.0f}"


def _words(
    name: str, of: Literal["input", "output"], before: np.ndarray, now: np.ndarray
) -> Compared:
    counts = [Counter(map(str, values)) for values in (before, now)]
    words = sorted({*counts[0], *counts[1]})
    table = np.array([[count[word] for word in words] for count in counts], np.float64)
    shares = table / table.sum(axis=1, keepdims=True)
    moved = int(np.abs(shares[1] - shares[0]).argmax())
    test, p = _chance(table)
    return Compared(
        name=name,
        of=of,
        test=test,
        distance=float(np.abs(shares[1] - shares[0]).sum() / 2),
        p=p,
        before=f"{words[moved]} {shares[0, moved]:.1%}",
        now=f"{words[moved]} {shares[1, moved]:.1%}",
    )


def _chance(table: np.ndarray) -> tuple[Test, float]:
    """Return the test of a table of counts (2, words) and its p; the rarest words are taken together."""
    while table.shape[1] > 2 and _expected(table).min() < _FEWEST_EXPECTED:
        rare = np.argsort(table.sum(axis=0))[:2]
        table = np.column_stack([np.delete(table, rare, axis=1), table[:, rare].sum(axis=1)])
    if table.shape[1] == 1:
        return "chi squared", 1.0
    if table.shape[1] == 2:
        return "Fisher", float(fisher_exact(table.astype(int)).pvalue)
    return "chi squared", float(chi2_contingency(table, correction=False).pvalue)


def _expected(table: np.ndarray) -> np.ndarray:
    return np.asarray(table.sum(axis=0) * table.sum(axis=1, keepdims=True) / table.sum())
