"""Metrics of several labels a row, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from assay.metrics.intervals import score_with_intervals
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import objective, objective_error
from assay.metrics.scores import score, weighted
from assay.metrics.threshold import label_thresholds


def _rows(seed: int, rows: int = 60, labels: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = (rng.random((rows, labels)) < [0.5, 0.3, 0.1, 0.8][:labels]).astype(np.uint8)
    target[:2] = [[0] * labels, [1] * labels]
    noisy = np.clip(0.5 * target + rng.random(target.shape) * 0.6, 0.01, 0.99)
    return target, noisy.round(2)  # so that some scores are tied


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_metric_is_scikit_learns(seed: int) -> None:
    target, output = _rows(seed)
    given_ = (output > 0.5).astype(int)
    expected = {
        "subset_accuracy": sk.accuracy_score(target, given_),
        "f1_micro": sk.f1_score(target, given_, average="micro"),
        "f1_macro": sk.f1_score(target, given_, average="macro"),
        "roc_auc": sk.roc_auc_score(target, output, average="macro"),
        "average_precision": sk.average_precision_score(target, output, average="macro"),
        "log_loss": np.mean([sk.log_loss(t, p) for t, p in zip(target.T, output.T, strict=True)]),
        "brier": np.mean(
            [sk.brier_score_loss(t, p) for t, p in zip(target.T, output.T, strict=True)]
        ),
    }
    found = score("multilabel", target=target, output=output)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_decisions_that_come_with_the_output_count_and_not_one_half() -> None:
    target, output = _rows(0)
    decided = np.stack([output, target], axis=-1)
    found = score("multilabel", target=target, output=decided)
    assert found["subset_accuracy"] == found["f1_macro"] == 1.0
    plain = score("multilabel", target=target, output=output)
    assert found["log_loss"] == plain["log_loss"] and plain["f1_macro"] < 1


def test_weights_are_repeated_rows() -> None:
    target, output = _rows(1, rows=30)
    counts = np.random.default_rng(0).integers(0, 3, (1, 30))
    weighed = weighted("multilabel", target=target, output=output)(counts.astype(float))
    repeated = np.repeat(np.arange(30), counts[0])
    plain = score("multilabel", target=target[repeated], output=output[repeated])
    for name, value in plain.items():
        assert weighed[name][0] == pytest.approx(value), name


def test_a_label_that_no_row_has_is_left_out_of_the_means() -> None:
    target, output = _rows(2)
    more = np.concatenate([target, np.zeros((60, 1), np.uint8)], axis=1)
    with_it = score("multilabel", target=more, output=np.c_[output, np.full(60, 0.01)])
    without = score("multilabel", target=target, output=output)
    for name in ("roc_auc", "average_precision", "f1_macro"):
        assert with_it[name] == pytest.approx(without[name])


def test_intervals_and_the_objectives_error() -> None:
    target, output = _rows(3)
    intervals = score_with_intervals(
        "multilabel", target=target, output=output, knobs=Evaluate(resamples=1000)
    )
    for found in intervals.values():
        assert found["low"] <= found["value"] <= found["high"]
    assert objective("multilabel").name == "log_loss"
    error = objective_error("multilabel", target=target, output=output)
    spread = intervals["log_loss"]["high"] - intervals["log_loss"]["low"]
    assert error == pytest.approx(spread / 3.92, rel=0.15)


def test_thresholds_are_those_of_the_highest_f1_where_rows_suffice() -> None:
    target, output = _rows(4, rows=200)
    scaled = output * [1.0, 0.4, 1.0, 1.0]
    target[:, 2] = 0
    target[:9, 2] = 1
    thresholds = label_thresholds(scaled, target)
    assert thresholds[2] == 0.5
    for k in (0, 1, 3):
        own = sk.f1_score(target[:, k], scaled[:, k] > thresholds[k])
        others = [sk.f1_score(target[:, k], scaled[:, k] > t) for t in np.linspace(0, 1, 101)]
        assert own >= max(others) - 1e-9
    assert thresholds[1] < 0.4
