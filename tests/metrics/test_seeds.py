"""Scores of several seeds, against scipy's own intervals and tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.metrics.seeds import are_tied, margin

SCORES = st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=2, max_size=8)


@given(values=SCORES)
def test_the_margin_is_that_of_a_t_interval(values: list[float]) -> None:
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    if np.ptp(values):
        assert margin(values) == pytest.approx((high - low) / 2)
    else:
        assert margin(values) == pytest.approx(0, abs=1e-12)


def test_one_seed_has_no_interval_and_no_verdict() -> None:
    assert margin([0.9]) is None
    assert are_tied({0: 0.9}, {0: 0.8}) is None
    assert are_tied({0: 0.9, 1: 0.8}, {5: 0.8}) is None


def test_the_same_seeds_are_compared_seed_by_seed() -> None:
    first = {seed: 0.9 + 0.05 * seed for seed in range(4)}
    better = {seed: score + 0.01 for seed, score in first.items()}
    assert are_tied(first, better) is False
    assert are_tied(first, {seed + 10: score for seed, score in better.items()}) is True


@given(first=SCORES, second=SCORES)
def test_verdicts_agree_with_the_t_tests(first: list[float], second: list[float]) -> None:
    count = min(len(first), len(second))
    differences = np.subtract(first[:count], second[:count])
    if np.ptp(differences) > 1e-9:
        p = stats.ttest_rel(first[:count], second[:count]).pvalue
        paired = are_tied(dict(enumerate(first[:count])), dict(enumerate(second[:count])))
        assert paired == (p >= 0.05) or p == pytest.approx(0.05, rel=1e-6)
    if np.ptp(first) and np.ptp(second):
        p = stats.ttest_ind(first, second, equal_var=False).pvalue
        apart = are_tied(dict(enumerate(first)), {seed + 99: s for seed, s in enumerate(second)})
        assert apart == (p >= 0.05) or p == pytest.approx(0.05, rel=1e-6)


def test_scores_that_never_vary_tie_only_where_they_are_the_same() -> None:
    assert are_tied({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5}) is True
    assert are_tied({0: 0.5, 1: 0.5}, {0: 0.6, 1: 0.6}) is False
    assert are_tied({0: 0.5, 1: 0.5}, {2: 0.6, 3: 0.6}) is False
