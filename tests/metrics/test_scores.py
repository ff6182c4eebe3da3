"""Every metric against an independent reference, torchmetrics, and at the edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional import (
    accuracy,
    auroc,
    calibration_error,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision,
    r2_score,
    recall,
)

from assay.metrics.objective import direction, objective
from assay.metrics.scores import score


def _random(classes, rows=400, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.integers(classes, size=rows)
    logits = rng.normal(size=(rows, classes))
    logits[np.arange(rows), target] += 1.0
    output = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return target, output


def _reference(target, output):
    classes = output.shape[1]
    t, p = torch.tensor(target), torch.tensor(output)
    many = {"task": "multiclass", "num_classes": classes}
    log_loss = torch.nn.functional.nll_loss(p.log(), t)
    same = {
        "accuracy": accuracy(p, t, average="micro", **many),
        "balanced_accuracy": recall(p, t, average="macro", **many),
        "log_loss": log_loss,
        "ece": calibration_error(p, t, n_bins=15, norm="l1", **many),
        "brier": ((p - torch.nn.functional.one_hot(t, classes)) ** 2).sum(1).mean(),
    }
    if classes == 2:
        two = {"task": "binary"}
        hard = p[:, 1]
        return same | {
            "precision": precision(hard, t, **two),
            "recall": recall(hard, t, **two),
            "f1": f1_score(hard, t, **two),
            "roc_auc": auroc(hard, t, **two),
        }
    return same | {
        "precision": precision(p, t, average="macro", **many),
        "recall": recall(p, t, average="macro", **many),
        "f1": f1_score(p, t, average="macro", **many),
        "roc_auc": auroc(p, t, average="macro", **many),
    }


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("seed", [0, 1])
def test_classification_agrees_with_torchmetrics(classes, seed):
    target, output = _random(classes, seed=seed)
    found = score("classification", target=target, output=output)
    expected = {name: float(value) for name, value in _reference(target, output).items()}
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_tied_scores_count_half():
    target, output = _random(2)
    output = np.round(output, 1)
    reference = auroc(torch.tensor(output[:, 1]), torch.tensor(target), task="binary")
    found = score("classification", target=target, output=output)["roc_auc"]
    assert found == pytest.approx(float(reference), abs=1e-6)


def test_regression_agrees_with_torchmetrics():
    rng = np.random.default_rng(0)
    target = rng.normal(150, 70, 300)
    output = target + rng.normal(0, 40, 300)
    t, p = torch.tensor(target), torch.tensor(output)
    assert score("regression", target=target, output=output) == pytest.approx(
        {
            "mse": float(mean_squared_error(p, t)),
            "rmse": float(mean_squared_error(p, t, squared=False)),
            "mae": float(mean_absolute_error(p, t)),
            "r2": float(r2_score(p, t)),
        }
    )


def test_macro_means_leave_out_classes_that_occur_nowhere():
    target = np.array([0, 0, 1, 1])
    output = np.eye(3)[[0, 1, 1, 1]]
    found = score("classification", target=target, output=output)
    assert found["recall"] == pytest.approx(0.75)
    assert found["precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(found["roc_auc"])


def test_one_class_leaves_what_needs_two_undefined():
    found = score("classification", target=np.zeros(5, int), output=np.full((5, 2), 0.5))
    assert np.isnan(found["roc_auc"]) and np.isnan(found["recall"]) and np.isnan(found["f1"])
    assert found["accuracy"] == 1.0 and found["log_loss"] == pytest.approx(np.log(2))


def test_a_certain_mistake_costs_a_finite_log_loss():
    found = score("classification", target=np.array([0]), output=np.array([[0.0, 1.0]]))
    assert 10 < found["log_loss"] < 20


def test_no_rows_give_nan_and_no_crash():
    for task, output in (("classification", np.empty((0, 3))), ("regression", np.empty(0))):
        found = score(task, target=np.empty(0, int), output=output)
        assert all(np.isnan(value) for value in found.values())


def test_r2_of_a_constant_target_is_undefined():
    found = score("regression", target=np.full(4, 7.1), output=np.arange(4.0))
    assert np.isnan(found["r2"]) and np.isfinite(found["rmse"])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_metrics_do_not_depend_on_the_order_of_rows(classes, seed):
    target, output = _random(classes, rows=60, seed=seed)
    order = np.random.default_rng(seed).permutation(60)
    first = score("classification", target=target, output=output)
    second = score("classification", target=target[order], output=output[order])
    assert first == pytest.approx(second, nan_ok=True)


def test_objectives():
    assert (objective("classification").name, objective("regression").name) == ("log_loss", "rmse")
    assert objective("regression").is_better(1.0, than=2.0)
    assert direction("accuracy") == "maximize" and direction("ece") == "minimize"
