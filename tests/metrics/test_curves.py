"""The points behind the plots."""

import numpy as np
import pytest

from assay.metrics import curves
from assay.metrics.scores import score


def _random(classes, rows=500):
    rng = np.random.default_rng(0)
    target = rng.integers(classes, size=rows)
    output = rng.dirichlet(np.ones(classes), size=rows) + np.eye(classes)[target] * 0.3
    return target, output / output.sum(1, keepdims=True)


def test_area_under_the_points_is_the_metric():
    target, output = _random(2)
    points = curves.roc(target=target, output=output, classes=("no", "yes"))
    assert set(points["class"]) == {"yes"} and len(points) <= curves.MOST_POINTS
    area = np.trapezoid(points["true_positive_rate"], points["false_positive_rate"])
    expected = score("classification", target=target, output=output)["roc_auc"]
    assert area == pytest.approx(expected, abs=5e-3)


def test_each_class_has_its_curve():
    target, output = _random(3)
    points = curves.precision_recall(target=target, output=output, classes=(5, 6, 7))
    assert set(points["class"]) == {"5", "6", "7"}
    assert points["precision"].between(0, 1).all() and points["threshold"].between(0, 1).all()


def test_one_class_gives_no_curve_but_the_columns():
    target, output = np.zeros(4, int), np.full((4, 2), 0.5)
    points = curves.roc(target=target, output=output, classes=("no", "yes"))
    assert list(points) == ["class", "false_positive_rate", "true_positive_rate", "threshold"]
    assert points.empty


def test_calibration_points_give_the_metric_back():
    target, output = _random(4)
    points = curves.calibration(target=target, output=output, bins=15)
    gap = (points["confidence"] - points["accuracy"]).abs() * points["rows"]
    expected = score("classification", target=target, output=output)["ece"]
    assert gap.sum() / points["rows"].sum() == pytest.approx(expected)


def test_confusion_speaks_the_users_classes():
    table = curves.confusion(target=np.array([0, 1]), output=np.eye(2), classes=(False, True))
    assert table.to_dict("list") == {"actual": ["False", "True"], "predicted": ["False", "True"]}


def test_residual_is_actual_minus_predicted():
    table = curves.residuals(target=np.array([3.0]), output=np.array([1.0]))
    assert table["residual"].tolist() == [2.0]
