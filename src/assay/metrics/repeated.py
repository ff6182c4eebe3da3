"""Several tests at once, and several trainings on overlapping rows: what their p-values become."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.stats import t


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold for the whole family, in their order.

    Holm 1979 (Scandinavian Journal of Statistics 6): the smallest of m times m, the next times
    m - 1, and so on, none below the one before.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, reached = [0.0] * len(order), 0.0
    for place, index in enumerate(order):
        reached = max(reached, min(1.0, p_values[index] * (len(order) - place)))
        adjusted[index] = reached
    return adjusted


def corrected_resampled_t(
    gains: Sequence[float], *, train_rows: int, test_rows: int
) -> tuple[float, float, float]:
    """Return mean gain, its standard error and the two-sided p-value over repeated splits.

    Nadeau and Bengio 2003 (doi:10.1023/A:1024068626366): splits share training rows, so the
    variance of J gains is scaled by 1/J + test_rows / train_rows, and not by 1/J. Repeated seeds
    on one split are the case ``test_rows`` 0, Student's paired test. Raises ValueError for fewer
    than two gains, or sizes that are none.
    """
    if len(gains) < 2 or train_rows < 1 or test_rows < 0:
        raise ValueError(
            "expected two gains or more, train_rows >= 1 and test_rows >= 0, but got "
            f"{len(gains)} gains, {train_rows=}, {test_rows=}"
        )
    mean, variance = float(np.mean(gains)), float(np.var(gains, ddof=1))
    error = sqrt((1 / len(gains) + test_rows / train_rows) * variance)
    if error == 0:
        return mean, 0.0, 1.0 if mean == 0 else 0.0
    return mean, error, 2 * float(t.sf(abs(mean) / error, len(gains) - 1))
