"""Two samples: what is told as drift, and how seldom without any."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from assay.drift.compared import compare, told_from
from assay.drift.watched import Watched


def watched(name, values):
    values = np.asarray(values)
    values = values.astype(np.float64 if values.dtype.kind in "fiu" else object)
    return Watched(name=name, of="input", values=values)


def one(before, now):
    (found,) = compare([watched("x", before)], [watched("x", now)])
    return found


def drifted(found):
    return [c.name for c in found if c.has_drifted(alpha=0.05, at_least=0.05)]


@pytest.mark.parametrize("values", [np.arange(40.0), ["a", "b", "b"] * 20, [1.0, np.nan] * 20])
def test_a_sample_against_itself_is_no_drift(values):
    for found in compare([watched("x", values)], [watched("x", values)]):
        assert (found.distance, found.p) == (0.0, pytest.approx(1.0))
        assert not found.has_drifted(alpha=0.05, at_least=0.0)


def test_the_distance_of_numbers_is_between_their_distribution_functions():
    found = one([1, 2, 3, 4], [3, 4, 5, 6])
    assert found.distance == pytest.approx(0.5)
    assert (found.before, found.now) == ("2.5 (1.75 to 3.25)", "4.5 (3.75 to 5.25)")


def test_the_distance_of_words_is_the_share_that_would_have_to_move():
    before, now = ["a"] * 60 + ["b"] * 40 + ["c"] * 50, ["a"] * 30 + ["b"] * 70 + ["c"] * 50
    found = one(before, now)
    assert found.distance == pytest.approx(0.2)
    assert found.p == pytest.approx(
        chi2_contingency([[60, 40, 50], [30, 70, 50]], correction=False).pvalue
    )
    assert (found.before, found.now) == ("a 40.0%", "a 20.0%")


def test_words_that_are_rare_are_tested_together():
    found = one([*"aaaaaaaaaaaaaaaaaaaabcdefgh"], [*"aaaaaaaaaaaaaaaaaaaaijklmno"])
    assert (found.test, found.p) == ("Fisher", pytest.approx(1.0))
    assert found.distance > 0.25


def test_what_is_missing_is_a_quantity_of_its_own():
    before, now = [*range(60)], [*range(30), *[np.nan] * 30]
    found = compare([watched("x", before)], [watched("x", now)])
    by_name = {c.name: c for c in found}
    assert by_name["x is missing"].distance == pytest.approx(0.5)
    assert (by_name["x is missing"].before, by_name["x is missing"].now) == (
        "given 100.0%",
        "given 50.0%",
    )
    assert set(by_name) == {"x", "x is missing"}
    everything_gone = compare([watched("x", before)], [watched("x", [np.nan] * 60)])
    assert drifted(everything_gone) == ["x is missing"]


def test_a_certain_difference_that_is_small_does_not_count():
    rng = np.random.default_rng(0)
    found = one(rng.normal(size=40_000), rng.normal(0.05, 1, size=40_000))
    assert found.p_of_all < 1e-6
    assert not found.has_drifted(alpha=0.05, at_least=0.05)
    assert found.has_drifted(alpha=0.05, at_least=0.01)


def looks(shift, *, times=400, rows=120):
    """Return in how many looks drift is told of 10 numbers and 5 columns of words."""
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(times):
        before, now = (
            [
                *(watched(f"n{i}", rng.normal(s, 1, rows)) for i in range(10)),
                *(watched(f"w{i}", rng.choice([*"abcdef"], rows)) for i in range(5)),
            ]
            for s in (0, shift)
        )
        told += bool(drifted(compare(before, now)))
    return told / times


def test_without_drift_it_is_told_in_at_most_a_share_alpha():
    assert looks(0.0) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_shift_of_most_columns_is_found():
    assert looks(0.8, times=40) == 1.0


def test_how_large_a_distance_is_told_follows_from_the_rows():
    """At the distance that is given, a single comparison is about to be told."""
    edge = told_from(before=4000, now=4000, quantities=1, alpha=0.05)
    rows = np.arange(4000.0)
    below, above = (one(rows, rows + d * 4000) for d in (0.97 * edge, 1.03 * edge))
    assert below.p > 0.05 > above.p
    assert told_from(before=4000, now=400, quantities=30, alpha=0.05) > edge
    assert told_from(before=2, now=2, quantities=30, alpha=0.05) == 1.0
