"""Which class a row is given when mistakes do not cost the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.data.spec import Task
from assay.errors import ConfigError, nearest

_FOLDS, _FEWEST_ROWS = 5, 50


@dataclass(frozen=True, kw_only=True)
class Decision:
    """``weights`` by class: of the probabilities times these the largest decides; they sum to 1.

    ``costs`` by class are of taking a row of it for another. Of two classes the weights are the
    ``threshold`` that the second one's probability must pass, and what it lacks to 1. ``before`` and
    ``after`` are the mean cost of a validation row by the most probable class, and by the weights.
    """

    weights: tuple[float, ...]
    costs: tuple[float, ...]
    before: float
    after: float
    threshold: float | None = None
    is_fitted: bool = False

    def words(self, classes: Sequence[object]) -> str:
        """Return the rule, and what it costs a validation row."""
        rule = "the largest probability times its class's cost"
        if self.threshold is not None:
            how = "of least cost on validation rows" if self.is_fitted else "by the probabilities"
            rule = f"'{classes[1]}' above {self.threshold:.3f} ({how})"
        return (
            f"{rule}; a validation row costs {self.after:.3g}, by the likeliest {self.before:.3g}"
        )


def costs_of(
    costs: Mapping[str, float], *, task: Task, classes: Sequence[object]
) -> tuple[float, ...]:
    """Return the costs in the order of the classes, 1 where nothing is said.

    Raises ConfigError for a task that decides between no classes, and for a class that there is not.
    """
    if task != "classification":
        raise ConfigError(
            [
                f"export.costs: costs decide between classes, but the task is {task}: leave them out"
                + (" (export.decide sets the thresholds of labels)" if task == "multilabel" else "")
            ]
        )
    names = [str(name) for name in classes]
    strange = [name for name in costs if name not in names]
    if strange:
        raise ConfigError(
            f"export.costs.{name}: there is no class '{name}'{nearest(name, names)}"
            for name in strange
        )
    return tuple(float(costs.get(name, 1.0)) for name in names)


def fit_decision(
    probability: np.ndarray, target: np.ndarray, *, costs: tuple[float, ...]
) -> Decision:
    """Return the decision of least expected cost, from validation rows.

    ``probability`` (N, K), ``target`` (N,) codes. By probabilities that mean what they say, the class
    of the largest probability times cost is the cheapest (Elkan 2001, The foundations of
    cost-sensitive learning; for two classes: above the first one's share of the costs). Of two classes
    another threshold is taken where, fitted on four fifths of the rows, it lowers the cost of the last
    fifth by more than the standard error of that gain; never below 50 rows.
    """
    total = sum(costs)
    weights, threshold, is_fitted = tuple(c / total for c in costs), None, False
    if len(costs) == 2:
        threshold = costs[0] / total
        score = probability[:, 1]
        if len(target) >= _FEWEST_ROWS and _pays(score, target, costs, threshold):
            threshold, is_fitted = _cheapest(score, target, costs, threshold), True
        weights = (threshold, 1 - threshold)
    return Decision(
        weights=weights,
        costs=costs,
        threshold=threshold,
        is_fitted=is_fitted,
        before=_mean_cost(probability.argmax(1), target, costs),
        after=_mean_cost((probability * np.array(weights)).argmax(1), target, costs),
    )


def _mean_cost(found: np.ndarray, target: np.ndarray, costs: Sequence[float]) -> float:
    return float((np.array(costs)[target] * (found != target)).mean())


def _pays(
    score: np.ndarray, target: np.ndarray, costs: tuple[float, ...], threshold: float
) -> bool:
    fold = np.random.default_rng(0).permutation(len(target)) % _FOLDS
    fitted = np.empty(len(target))
    for number in range(_FOLDS):
        rest = fold != number
        fitted[~rest] = _cheapest(score[rest], target[rest], costs, threshold)
    paid = np.array(costs)[target]
    gain = paid * ((score > threshold) != target) - paid * ((score > fitted) != target)
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def _cheapest(
    score: np.ndarray, target: np.ndarray, costs: tuple[float, ...], prior: float
) -> float:
    """Return the threshold of least cost, half way between scores; of several that nearest ``prior``."""
    ranked = np.unique(score)
    between = np.concatenate(
        [[ranked[0] / 2], (ranked[1:] + ranked[:-1]) / 2, [(1 + ranked[-1]) / 2]]
    )
    order = np.argsort(score, kind="stable")
    place = np.searchsorted(score[order], between)
    missed = np.r_[0.0, np.cumsum(costs[1] * (target[order] == 1))][place]
    false = (
        costs[0] * (target == 0).sum()
        - np.r_[0.0, np.cumsum(costs[0] * (target[order] == 0))][place]
    )
    paid = missed + false
    best = np.flatnonzero(paid <= paid.min() + 1e-12)
    return float(between[best[np.argmin(np.abs(between[best] - prior))]])
