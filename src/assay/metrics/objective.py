"""What search, early stopping and the gate look at, by task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


def direction(metric: str) -> Direction:
    """Return whether less or more of a metric is better."""
    return "minimize" if metric in _LESS_IS_BETTER else "maximize"
