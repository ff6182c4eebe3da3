"""Bootstrap intervals cover what they should, and say why where there is none."""

import numpy as np
import pytest
from scipy import stats

from assay.metrics.intervals import difference_with_intervals, score_with_intervals
from assay.metrics.knobs import Evaluate

KNOBS = Evaluate(resamples=400)


def test_interval_agrees_with_scipy():
    rng = np.random.default_rng(0)
    target, output = rng.normal(size=200), rng.normal(size=200)
    found = score_with_intervals(
        "regression", target=target, output=output, knobs=Evaluate(resamples=4000)
    )
    reference = stats.bootstrap(
        (np.abs(target - output),), np.mean, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    assert found["mae"]["low"] == pytest.approx(reference.low, abs=0.02)
    assert found["mae"]["high"] == pytest.approx(reference.high, abs=0.02)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        is_right = rng.random(150) < 0.8
        target = rng.integers(2, size=150)
        output = np.eye(2)[np.where(is_right, target, 1 - target)]
        interval = score_with_intervals(
            "classification", target=target, output=output, knobs=Evaluate(resamples=200)
        )["accuracy"]
        covered += interval["low"] <= 0.8 <= interval["high"]
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.parametrize(("wrong", "expected"), [(0, (0.9394, 1)), (20, (0.5261, 0.7792))])
def test_an_accuracy_that_no_resample_changes_has_the_binomial_interval(wrong, expected):
    target = np.repeat([0, 1], [59 - wrong, wrong])
    output = np.tile([0.9, 0.1], (59, 1))  # always the first class
    if not wrong:
        target[:5], output[:5] = 1, (0.2, 0.8)
    found = score_with_intervals("classification", target=target, output=output, knobs=KNOBS)
    accuracy = found["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == pytest.approx(expected, abs=1e-4)
    same = difference_with_intervals(
        "classification", target=target, output=output, other=output, knobs=KNOBS
    )
    assert (same["accuracy"]["low"], same["accuracy"]["high"]) == (0, 0)


def test_resamples_keep_the_classes_so_a_rare_one_never_vanishes():
    target = np.r_[np.zeros(200, int), 1, 1]
    output = np.c_[np.linspace(1, 0, 202), np.linspace(0, 1, 202)]
    found = score_with_intervals("classification", target=target, output=output, knobs=KNOBS)
    assert found["roc_auc"]["low"] > 0.9


def test_an_undefined_metric_is_null_with_a_reason():
    found = score_with_intervals(
        "classification", target=np.zeros(5, int), output=np.full((5, 2), 0.5), knobs=KNOBS
    )
    assert found["roc_auc"]["value"] is None and found["roc_auc"]["high"] is None
    assert "only 1 of the 2 classes" in found["roc_auc"]["reason"]
    assert found["accuracy"]["value"] == 1.0


def test_one_row_and_no_row():
    one = score_with_intervals("regression", target=np.ones(1), output=np.zeros(1), knobs=KNOBS)
    assert one["mae"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert one["r2"]["value"] is None
    none = score_with_intervals("regression", target=np.ones(0), output=np.zeros(0), knobs=KNOBS)
    assert none["mae"]["reason"] == "there is no row to score"


def test_the_seed_fixes_the_interval():
    rng = np.random.default_rng(0)
    arrays = {"target": rng.normal(size=50), "output": rng.normal(size=50)}
    first = score_with_intervals("regression", **arrays, knobs=KNOBS)
    assert first == score_with_intervals("regression", **arrays, knobs=KNOBS)
    assert first != score_with_intervals(
        "regression", **arrays, knobs=Evaluate(resamples=400, seed=1)
    )


def test_paired_difference_is_narrower_than_the_intervals_of_each():
    rng = np.random.default_rng(0)
    target = rng.normal(size=300)
    noise = rng.normal(size=300)
    better, worse = target + noise, target + 1.1 * noise
    difference = difference_with_intervals(
        "regression", target=target, output=better, other=worse, knobs=KNOBS
    )["rmse"]
    alone = score_with_intervals("regression", target=target, output=better, knobs=KNOBS)["rmse"]
    assert difference["high"] < 0
    assert difference["high"] - difference["low"] < alone["high"] - alone["low"]


def test_many_rows_are_scored_in_bounded_pieces():
    rows = 30_000
    target = np.arange(rows) % 2
    output = np.full((rows, 2), 0.5)
    found = score_with_intervals(
        "classification", target=target, output=output, knobs=Evaluate(resamples=300)
    )
    assert found["roc_auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
