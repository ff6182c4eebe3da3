"""Scores of several seeds: their mean with an interval, and whether two models' scores differ.

Student's t intervals (Student 1908, doi:10.2307/2331554): with the few seeds that people can
afford they are wide, and rightly so. Scores of two models under the same seeds are compared seed
by seed; else by Welch's interval (1947, doi:10.2307/2332510).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from scipy.stats import t, ttest_ind

CONFIDENCE = 0.95


def margin(values: Sequence[float]) -> float | None:
    """Return half the width of the interval of the mean; None for fewer than two values."""
    if len(values) < 2:
        return None
    error = float(np.std(values, ddof=1)) / sqrt(len(values))
    quantile: float = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return quantile * error


def are_tied(first: Mapping[int, float], second: Mapping[int, float]) -> bool | None:
    """Say whether an interval of the difference of two models' scores, by seed, includes zero.

    None where there are too few seeds to say: fewer than two in common, and fewer than two of
    either.
    """
    common = sorted(first.keys() & second.keys())
    if len(common) > 1:
        differences = [first[seed] - second[seed] for seed in common]
        return abs(float(np.mean(differences))) <= (margin(differences) or 0.0)
    if min(len(first), len(second)) < 2:
        return None
    ours, theirs = list(first.values()), list(second.values())
    if np.ptp(ours) == 0 and np.ptp(theirs) == 0:
        return ours[0] == theirs[0]
    between = ttest_ind(ours, theirs, equal_var=False).confidence_interval(CONFIDENCE)
    return bool(between.low <= 0 <= between.high)
