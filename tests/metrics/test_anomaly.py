"""Metrics of anomalies, against scikit-learn, and over weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from assay.metrics.anomaly import best_threshold
from assay.metrics.intervals import score_with_intervals
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import score, weighted
from assay.metrics.threshold import fit_threshold


def _case(seed, rows=80):
    random = np.random.default_rng(seed)
    target = (random.random(rows) < 0.3).astype(np.int64)
    target[:2] = [0, 1]
    scores = np.round(random.gamma(2.0, size=rows) + target, 1)  # with ties
    return target, scores


@pytest.mark.parametrize("seed", range(3))
def test_areas_and_f1_are_those_of_scikit_learn(seed):
    target, scores = _case(seed)
    flags = scores > 2.5
    found = score("reconstruction", target=target, output=np.stack([scores, flags], axis=1))
    assert found["auroc"] == pytest.approx(roc_auc_score(target, scores))
    assert found["average_precision"] == pytest.approx(average_precision_score(target, scores))
    assert found["f1"] == pytest.approx(f1_score(target, flags))
    assert found["false_alarm_rate"] == pytest.approx(flags[target == 0].mean())
    assert found["reconstruction_mse"] == pytest.approx(scores[target == 0].mean())


def test_rows_that_are_not_known_count_for_the_error_alone():
    target, scores = _case(0)
    unknown = np.r_[target, [-1, -1]], np.r_[scores, [99.0, 0.0]]
    plain = score("reconstruction", target=target, output=scores)
    found = score("reconstruction", target=unknown[0], output=unknown[1])
    assert found["auroc"] == plain["auroc"]
    assert found["average_precision"] == plain["average_precision"]
    assert found["reconstruction_mse"] > plain["reconstruction_mse"]


def test_without_labels_only_the_error_is_defined():
    knobs = Evaluate(resamples=20)
    output = np.stack([np.arange(5.0), np.zeros(5)], axis=1)
    found = score_with_intervals(
        "reconstruction", target=np.full(5, -1), output=output, knobs=knobs
    )
    assert found["reconstruction_mse"]["value"] == 2.0
    assert all(found[name]["value"] is None for name in ("auroc", "average_precision", "f1"))


def test_a_row_of_weight_two_counts_like_two_rows():
    target, scores = _case(1, rows=20)
    counts = np.random.default_rng(0).integers(0, 3, 20)
    output = np.stack([scores, scores > 2], axis=1)
    found = weighted("reconstruction", target=target, output=output)(counts[None].astype(float))
    again = score(
        "reconstruction", target=np.repeat(target, counts), output=np.repeat(output, counts, axis=0)
    )
    assert {name: value[0] for name, value in found.items()} == pytest.approx(again)


@given(st.integers(0, 1000))
def test_no_threshold_has_a_higher_f1(seed):
    target, scores = _case(seed, rows=30)
    found = best_threshold(scores, is_anomaly=target == 1)
    every = [f1_score(target, scores > s) for s in (*scores, scores.min() - 1)]
    assert f1_score(target, scores > found) == pytest.approx(max(every))


def test_without_known_anomalies_the_threshold_is_a_quantile():
    scores = np.arange(1000.0)
    found = fit_threshold(scores, np.full(1000, -1), false_alarms=0.02)
    assert (found.by, found.anomalies) == ("quantile", 0)
    assert np.mean(scores > found.value) == pytest.approx(0.02)
    assert fit_threshold(scores, (scores > 899).astype(int), false_alarms=0.5).value == 899.5
