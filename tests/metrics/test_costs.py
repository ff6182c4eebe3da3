"""The class of least expected cost, and the threshold that validation rows show to be cheaper."""

import numpy as np
import pytest

from assay.errors import ConfigError
from assay.metrics.costs import costs_of, fit_decision
from assay.metrics.decisions import chosen, weighed
from assay.metrics.scores import score


def _rows(count, *, shift=0.0, seed=0):
    """Two classes; the probabilities mean what they say where ``shift`` is 0."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 2, count)
    target = (rng.random(count) < 1 / (1 + np.exp(-logit))).astype(int)
    said = 1 / (1 + np.exp(-(logit + shift)))
    return np.stack([1 - said, said], axis=1), target


def _cost(probability, target, threshold, costs):
    found = (probability[:, 1] > threshold).astype(int)
    return np.mean(np.array(costs)[target] * (found != target))


def test_probabilities_that_mean_what_they_say_give_the_threshold_of_the_costs():
    found = [fit_decision(*_rows(400, seed=s), costs=(1.0, 5.0)) for s in range(20)]
    assert sum(not f.is_fitted for f in found) >= 12
    assert all(f.threshold == pytest.approx(1 / 6) for f in found if not f.is_fitted)
    assert all(f.after < f.before for f in found)


def test_a_threshold_is_fitted_where_probabilities_mislead():
    probability, target = _rows(3000, shift=-2.0)
    found = fit_decision(probability, target, costs=(1.0, 5.0))
    assert found.is_fitted and found.threshold == pytest.approx(0.027, abs=0.015)
    fresh = _rows(3000, shift=-2.0, seed=1)
    assert _cost(*fresh, found.threshold, found.costs) < 0.9 * _cost(*fresh, 1 / 6, found.costs)


def test_the_fitted_threshold_is_the_cheapest_of_all():
    probability, target = _rows(200, shift=3.0)
    found = fit_decision(probability, target, costs=(2.0, 1.0))
    assert found.is_fitted
    every = [_cost(probability, target, t, found.costs) for t in np.linspace(0, 1, 2001)]
    assert found.after == pytest.approx(min(every))


def test_few_rows_are_left_to_the_probabilities():
    assert not fit_decision(*_rows(40, shift=3.0), costs=(1.0, 5.0)).is_fitted


def test_more_classes_are_decided_by_probability_times_cost():
    probability = np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05], [0.1, 0.5, 0.4]])
    target = np.array([2, 0, 1])
    found = fit_decision(probability, target, costs=(1.0, 1.0, 4.0))
    assert found.threshold is None and sum(found.weights) == pytest.approx(1)
    assert (probability * found.weights).argmax(1).tolist() == [2, 0, 2]
    assert (found.before, found.after) == (pytest.approx(4 / 3), pytest.approx(1 / 3))


def test_metrics_take_the_decision_and_say_what_it_costs():
    probability, target = _rows(500)
    given = np.eye(2)[(probability[:, 1] > 0.2).astype(int)]
    output = np.stack([probability, given], axis=-1)
    found = score("classification", target=target, output=output, costs=(1.0, 5.0))
    likeliest = score("classification", target=target, output=probability)
    assert found["cost"] == pytest.approx(_cost(probability, target, 0.2, (1.0, 5.0)))
    assert found["recall"] > likeliest["recall"] and "cost" not in likeliest
    assert found["roc_auc"] == likeliest["roc_auc"] and found["ece"] == likeliest["ece"]
    assert np.array_equal(chosen(output), probability[:, 1] > 0.2)


def test_a_baseline_is_decided_by_the_same_costs():
    probability, _ = _rows(500)
    output = weighed(probability, (1.0, 5.0))
    assert np.array_equal(chosen(output), probability[:, 1] > 1 / 6)
    assert weighed(probability, ()) is probability


def test_costs_of_classes_that_are_none_and_of_other_tasks_are_refused():
    assert costs_of({"b": 5.0}, task="classification", classes=["a", "b"]) == (1.0, 5.0)
    with pytest.raises(ConfigError, match=r"export\.costs\.bda: .* did you mean 'bad'"):
        costs_of({"bda": 5.0}, task="classification", classes=["good", "bad"])
    with pytest.raises(ConfigError, match="the task is regression"):
        costs_of({"bad": 5.0}, task="regression", classes=[])
