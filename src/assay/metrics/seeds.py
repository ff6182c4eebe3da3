"""Scores of several seeds or splits: their mean with an interval, and whether two models differ.

Student's t intervals (Student 1908, doi:10.2307/2331554): with the few seeds that people can
afford they are wide, and rightly so. Scores of two models under the same seeds are compared seed
by seed; else by Welch's interval (1947, doi:10.2307/2332510). Splits share training rows, for which
the corrected resampled t test makes up.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import sqrt

import numpy as np
from scipy.stats import t, ttest_ind

from assay.metrics.repeated import corrected_resampled_t

CONFIDENCE = 0.95


def margin(values: Sequence[float], *, ratio: float = 0.0) -> float | None:
    """Return half the width of the interval of the mean; None for fewer than two values.

    ``ratio`` is that of ``corrected_resampled_t``, 0 for seeds on one split.
    """
    if len(values) < 2:
        return None
    error = float(np.std(values, ddof=1)) * sqrt(1 / len(values) + ratio)
    quantile: float = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return quantile * error


def are_tied(
    first: Mapping[Hashable, float], second: Mapping[Hashable, float], *, ratio: float = 0.0
) -> bool | None:
    """Say whether an interval of the difference of two models' scores includes zero.

    The keys say what two scores have in common: the seed, or split and seed. ``ratio`` is that of
    ``corrected_resampled_t``, 0 for seeds on one split.

    None where there are too few seeds to say: fewer than two in common, and fewer than two of
    either.
    """
    common = first.keys() & second.keys()
    if len(common) > 1:
        *_, p = corrected_resampled_t([first[key] - second[key] for key in common], ratio=ratio)
        return p >= 1 - CONFIDENCE
    if min(len(first), len(second)) < 2:
        return None
    ours, theirs = list(first.values()), list(second.values())
    if np.ptp(ours) == 0 and np.ptp(theirs) == 0:
        return ours[0] == theirs[0]
    between = ttest_ind(ours, theirs, equal_var=False).confidence_interval(CONFIDENCE)
    return bool(between.low <= 0 <= between.high)
