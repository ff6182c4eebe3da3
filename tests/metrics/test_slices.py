"""Metrics by the values of a column and of two: the worst first, tested together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from assay.errors import ConfigError
from assay.metrics.dependence import Dependence
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import score
from assay.metrics.slices import Measured, score_slices, slice_words

KNOBS = Evaluate(resamples=20)


def _measured(count=200):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "__id__": np.arange(count),
            "sex": np.where(rng.random(count) < 0.5, "f", "m"),
            "age": rng.uniform(18, 90, count),
        }
    )
    rows.loc[:29, "sex"] = None
    rows.loc[30:32, "sex"] = "x"
    target, output = rng.normal(size=count), rng.normal(size=count)
    return Measured(task="regression", rows=rows, target=target, output=output)


def _with_a_weak_part(where, gap=3.0):
    """Errors of standard deviation 1, ``gap`` times as large where both columns say so."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"a": rng.choice(list("uv"), 800), "b": rng.choice(list("xyz"), 800)})
    weak = np.logical_and.reduce([rows[c] == v for c, v in where.items()])
    error = rng.normal(size=800) * np.where(weak, gap, 1.0)
    return Measured(task="regression", rows=rows, target=np.zeros(800), output=error)


def test_each_value_is_scored_on_its_rows():
    measured = _measured()
    found = score_slices(measured, columns=("sex",), knobs=KNOBS)
    assert {entry["value"]: entry["rows"] for entry in found} == (
        measured.rows["sex"].fillna("missing").value_counts().to_dict()
    )
    here = (measured.rows["sex"] == "f").to_numpy()
    women = next(entry for entry in found if entry["value"] == "f")
    expected = score("regression", target=measured.target[here], output=measured.output[here])
    assert women["metrics"]["rmse"]["value"] == pytest.approx(expected["rmse"])


def test_a_slice_of_three_rows_comes_last_and_says_why():
    few = score_slices(_measured(), columns=("sex",), knobs=KNOBS)[-1]
    assert few["value"] == "x" and few["rows"] == 3 and few["metrics"] == {}
    assert few["reason"] == "fewer than 20 rows (evaluate.slice_rows)"


def test_numbers_are_cut_at_their_quartiles():
    found = score_slices(_measured(), columns=("age",), knobs=KNOBS)
    assert [entry["rows"] for entry in found] == [50, 50, 50, 50]


def test_the_worst_come_first():
    found = score_slices(_measured(), columns=("age", "sex"), knobs=KNOBS)
    values = [entry["beside"]["here"] for entry in found if entry.get("beside")]
    assert len(values) > 6 and values == sorted(values, reverse=True)


def test_a_weak_crossing_is_found_and_named():
    found = score_slices(_with_a_weak_part({"a": "u", "b": "x"}), columns=("a", "b"), knobs=KNOBS)
    worst = found[0]
    assert (worst["column"], worst["value"], worst["crossing"]) == ("a and b", "u, x", True)
    assert worst["beside"]["p_holm"] < 1e-6
    words = slice_words(found, level=0.05)
    assert words.startswith("worse than the other rows, beyond chance: a and b u, x (rmse 2.88")


def test_only_so_many_crossings_are_told_but_all_are_tested():
    measured = _with_a_weak_part({"a": "u"})
    one = score_slices(measured, columns=("a", "b"), knobs=replace(KNOBS, cross_slices=1))
    none = score_slices(measured, columns=("a", "b"), knobs=replace(KNOBS, cross_slices=0))
    assert sum("crossing" in entry for entry in one) == 1 and len(one) == 6
    assert not any("crossing" in entry for entry in none)
    tested = {e["value"]: e["beside"]["p_holm"] for e in one}
    alone = {e["value"]: e["beside"]["p_holm"] for e in none}
    assert tested["x"] >= alone["x"] and tested["u"] > alone["u"]


def test_slices_that_do_not_differ_are_called_worse_at_most_so_often():
    wrong = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame({c: rng.choice(list("uvw"), 300) for c in "ab"})
        measured = Measured(
            task="regression", rows=rows, target=np.zeros(300), output=rng.normal(size=300)
        )
        knobs = Evaluate(resamples=1, cross_slices=1)
        found = score_slices(measured, columns=("a", "b"), knobs=knobs)
        wrong += any(e["beside"]["p_holm"] <= 0.05 for e in found)
    assert wrong <= 4


def test_crossings_that_are_nearly_one_of_their_columns_are_none():
    rows = pd.DataFrame({"a": ["u"] * 100 + ["v"] * 100, "b": ["x"] * 98 + ["y"] * 102})
    measured = Measured(
        task="regression", rows=rows, target=np.zeros(200), output=np.arange(200) % 7.0
    )
    found = score_slices(measured, columns=("a", "b"), knobs=replace(KNOBS, slice_rows=5))
    assert {e["value"] for e in found if e.get("crossing")} == set()


def test_a_slice_without_enough_other_rows_is_measured_but_not_tested():
    rows = pd.DataFrame({"a": ["u"] * 90 + ["v"] * 10})
    measured = Measured(
        task="regression", rows=rows, target=np.zeros(100), output=np.arange(100) % 7.0
    )
    (whole, _) = score_slices(measured, columns=("a",), knobs=KNOBS)
    assert whole["beside"] is None and whole["metrics"]["rmse"]["value"] > 0
    assert slice_words([whole], level=0.05) == ""


def test_rows_in_groups_are_tested_over_groups():
    rng = np.random.default_rng(3)
    code = np.repeat(np.arange(30), 20)
    rows = pd.DataFrame({"a": np.where(code < 15, "u", "v")})
    error = (rng.lognormal(sigma=1.0, size=30)[code]) * rng.normal(size=600)
    free = Measured(task="regression", rows=rows, target=np.zeros(600), output=error)
    bound = replace(free, dependence=Dependence(way="group", code=code))
    alone, whole = (
        min(e["beside"]["p"] for e in score_slices(m, columns=("a",), knobs=KNOBS))
        for m in (free, bound)
    )
    assert alone < 0.01 < whole


def test_no_slices_and_unknown_columns():
    assert score_slices(_measured(), columns=(), knobs=Evaluate()) == []
    with pytest.raises(ConfigError, match="no column 'sx'; did you mean 'sex'"):
        score_slices(_measured(), columns=("sx",), knobs=Evaluate())
