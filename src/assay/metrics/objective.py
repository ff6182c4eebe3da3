"""What search, early stopping and the gate look at, by task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.data.spec import Task
from assay.metrics.decisions import probabilities
from assay.metrics.forecasts import block_error
from assay.metrics.steps import language_error, tagging_error

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric's name and whether less or more of it is better."""

    name: str
    direction: Direction

    def is_better(self, value: float, than: float) -> bool:
        """Return whether ``value`` is strictly better."""
        return value < than if self.direction == "minimize" else value > than


_LESS_IS_BETTER = frozenset(
    {
        "log_loss",
        "ece",
        "brier",
        "mse",
        "mae",
        "rmse",
        "mase",
        "perplexity",
        "bits_per_token",
        "smape",
        "reconstruction_mse",
        "false_alarm_rate",
        "frechet",
        "missing_classes",
        "copied",
        "cost",
    }
)
_OBJECTIVES: Mapping[Task, str] = {
    "classification": "log_loss",
    "multilabel": "log_loss",
    "regression": "rmse",
    "forecasting": "mase",
    "language_modelling": "log_loss",
    "tagging": "log_loss",
    "reconstruction": "reconstruction_mse",
    "generation": "frechet",
}


def objective(task: Task) -> Objective:
    """Return what a task optimises, such as log loss for classes."""
    name = _OBJECTIVES[task]
    return Objective(name=name, direction=direction(name))


def objective_error(
    task: Task, *, target: np.ndarray, output: np.ndarray, naive: Sequence[float] = ()
) -> float:
    """Return the objective's standard error over the rows; 0 for a single row.

    Log loss is a mean over rows, so its error is that of a mean; the error of the root of a mean
    square follows by the delta method. ``output`` is as in ``metrics.scores.score``.
    """
    if task == "forecasting" and len(target) > 1:
        return block_error(np.asarray(target), np.asarray(output), naive)
    return 0.0 if len(target) < 2 else _ERRORS[task](np.asarray(target), np.asarray(output))


def _of_classes(target: np.ndarray, output: np.ndarray) -> float:
    likelihood = probabilities(output)[np.arange(len(target)), target]
    return mean_error(np.log(np.clip(likelihood, np.finfo(np.float32).tiny, None)))


def _of_labels(target: np.ndarray, output: np.ndarray) -> float:
    probability = output if output.ndim == 2 else output[..., 0]
    chosen = np.where(target.astype(bool), probability, 1 - probability)
    return mean_error(np.log(np.clip(chosen, np.finfo(np.float32).eps, None)).mean(1))


def _of_numbers(target: np.ndarray, output: np.ndarray) -> float:
    squares = np.square(output.astype(float) - target)
    root = math.sqrt(float(squares.mean()))
    return mean_error(squares) / (2 * root) if root else 0.0


def _of_errors(target: np.ndarray, output: np.ndarray) -> float:
    score = output.reshape(len(output), -1)[:, 0][target != 1]
    return mean_error(score) if len(score) > 1 else 0.0


def mean_error(values: np.ndarray) -> float:
    """Return the standard error of the mean of two values or more."""
    return float(values.std(ddof=1)) / math.sqrt(len(values))


_ERRORS: Mapping[Task, Callable[[np.ndarray, np.ndarray], float]] = {
    "classification": _of_classes,
    "multilabel": _of_labels,
    "regression": _of_numbers,
    "language_modelling": language_error,
    "tagging": tagging_error,
    "reconstruction": _of_errors,
}


def direction(metric: str) -> Direction:
    """Return whether less or more of a metric is better."""
    return "minimize" if metric in _LESS_IS_BETTER else "maximize"
