"""Which rows went worst, and which were wrong with most confidence."""

import numpy as np
import pytest

from assay.metrics.errors import confused_pairs, row_errors
from assay.metrics.objective import objective
from assay.metrics.scores import score


def test_the_worst_class_and_the_surest_mistake_come_first():
    output = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.45, 0.55]])
    target = np.array([0, 0, 1, 0])
    found = row_errors("classification", target=target, output=output)
    assert found.worst(3).tolist() == [1, 3, 2]
    assert found.confidently_wrong(9).tolist() == [1, 3]
    assert found.confidence[1] == 0.6


@pytest.mark.parametrize("task", ["classification", "multilabel", "tagging", "language_modelling"])
def test_losses_are_those_whose_mean_is_the_objective(task):
    rng = np.random.default_rng(0)
    arrays = {
        "classification": (rng.integers(3, size=50), rng.dirichlet(np.ones(3), 50)),
        "multilabel": (rng.integers(2, size=(50, 4)), rng.random((50, 4))),
        "tagging": (rng.integers(3, size=(50, 5)), rng.dirichlet(np.ones(3), (50, 5))),
        "language_modelling": (rng.integers(9, size=(50, 5)), -rng.random(50) * 9),
    }
    target, output = arrays[task]
    found = row_errors(task, target=target, output=output)
    whole = score(task, target=target, output=output)[objective(task).name]
    assert found.loss.mean() == pytest.approx(whole)


def test_a_label_that_is_wrong_counts_with_the_confidence_of_that_label():
    target = np.array([[1, 0], [1, 0]])
    output = np.array([[0.9, 0.7], [0.9, 0.1]])
    found = row_errors("multilabel", target=target, output=output)
    assert found.is_wrong.tolist() == [True, False]
    assert found.confidence.tolist() == pytest.approx([0.7, np.nan], nan_ok=True)


def test_anomalies_are_wrong_where_they_score_low_and_others_where_they_score_high():
    output = np.array([[1.0, 0], [9.0, 1], [2.0, 0], [3.0, 0]])
    found = row_errors("reconstruction", target=np.array([1, 0, 0, -1]), output=output)
    assert found.worst(9).tolist() == [1, 0, 2]
    assert found.confidently_wrong(9).tolist() == [1, 0]


def test_numbers_and_forecasts_have_a_worst_row_but_none_that_is_wrong():
    found = row_errors("regression", target=np.array([1.0, 2.0]), output=np.array([1.5, 5.0]))
    assert found.worst(1).tolist() == [1] and found.confidently_wrong(5).size == 0
    ahead = row_errors(
        "forecasting", target=np.zeros((2, 3, 1)), output=np.ones((2, 3, 1)) * 4, naive=(2.0,)
    )
    assert ahead.loss.tolist() == [2.0, 2.0]


def test_pairs_of_classes_are_counted():
    target = np.array([0, 0, 0, 1, 1, 2])
    output = np.eye(3)[[1, 1, 0, 1, 0, 2]]
    found = confused_pairs(target, output, classes=["a", "b", "c"])
    assert found["actual"].tolist() == ["a", "b"] and found["rows"].tolist() == [2, 1]
    assert found["share"].tolist() == pytest.approx([2 / 3, 1 / 2])
