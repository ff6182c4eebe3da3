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


def corrected_resampled_t(gains: Sequence[float], *, ratio: float) -> tuple[float, float, float]:
    """Return mean gain, its standard error and the two-sided p-value over repeated splits.

    Nadeau and Bengio 2003 (doi:10.1023/A:1024068626366): splits share training rows, so the
    variance of J gains is scaled by 1/J + ``ratio``, that of the rows scored to the rows trained
    on, and not by 1/J. Repeated seeds on one split are the case 0, Student's paired test. Raises
    ValueError for fewer than two gains or a ratio below 0.
    """
    if len(gains) < 2 or ratio < 0:
        raise ValueError(
            f"expected two gains or more and a ratio >= 0, but got {len(gains)} gains, {ratio=}"
        )
    mean, variance = float(np.mean(gains)), float(np.var(gains, ddof=1))
    error = sqrt((1 / len(gains) + ratio) * variance)
    if error == 0:
        return mean, 0.0, 1.0 if mean == 0 else 0.0
    return mean, error, 2 * float(t.sf(abs(mean) / error, len(gains) - 1))
