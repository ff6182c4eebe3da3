"""What search, early stopping and the gate look at, by task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.data.spec import Task

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric's name and whether less or more of it is better."""

    name: str
    direction: Direction

    def is_better(self, value: float, than: float) -> bool:
        """Return whether ``value`` is strictly better."""
        return value < than if self.direction == "minimize" else value > than


_LESS_IS_BETTER = frozenset({"log_loss", "ece", "brier", "mse", "mae", "rmse"})
_OBJECTIVES = {"classification": "log_loss", "regression": "rmse"}


def objective(task: Task) -> Objective:
    """Return log loss for classification and the root mean squared error for regression."""
    name = _OBJECTIVES[task]
    return Objective(name=name, direction=direction(name))


def objective_error(task: Task, *, target: np.ndarray, output: np.ndarray) -> float:
    """Return the objective's standard error over the rows; 0 for a single row.

    Log loss is a mean over rows, so its error is that of a mean; the error of the root of a mean
    square follows by the delta method. ``output`` is as in ``metrics.scores.score``.
    """
    rows = len(target)
    if rows < 2:
        return 0.0
    if task == "classification":
        chosen = np.clip(output[np.arange(rows), target], np.finfo(np.float32).tiny, None)
        spread = float(np.log(chosen).std(ddof=1))
        return spread / math.sqrt(rows)
    squares = np.square(np.asarray(output, float) - target)
    root = math.sqrt(float(squares.mean()))
    spread = float(squares.std(ddof=1))
    return spread / math.sqrt(rows) / (2 * root) if root else 0.0


def direction(metric: str) -> Direction:
    """Return whether less or more of a metric is better."""
    return "minimize" if metric in _LESS_IS_BETTER else "maximize"
