"""What a fit remembers: a row an epoch, the best weights, and when to stop."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from assay.errors import TrainingError
from assay.metrics.objective import Objective
from assay.training.knobs import EarlyStopping


class Record:
    """Rows and best weights, by the objective on the validation split; epochs count from 1."""

    def __init__(self, *, objective: Objective, stopping: EarlyStopping) -> None:
        self._objective, self._stopping = objective, stopping
        self._since_gain = 0
        self.history: list[dict[str, float]] = []
        self.weights: dict[str, Tensor] = {}
        self.best_epoch, self.best_value = 0, math.nan

    def add(self, row: dict[str, float], *, network: nn.Module) -> None:
        """Keep an epoch's row, and the weights if it is the best one so far.

        Raises TrainingError when the objective is no finite number.
        """
        self.history.append(row)
        epoch, value = len(self.history), row[f"valid_{self._objective.name}"]
        if not math.isfinite(value):
            raise TrainingError(
                _diverged(f"the validation {self._objective.name}", value, epoch=epoch)
            )
        self._since_gain = 0 if self._is_gain(value) else self._since_gain + 1
        if not self.best_epoch or self._objective.is_better(value, self.best_value):
            self.best_epoch, self.best_value = epoch, value
            self.weights = {n: t.detach().cpu().clone() for n, t in network.state_dict().items()}

    @property
    def is_over(self) -> bool:
        """Whether early stopping has seen enough."""
        patience = self._stopping.patience
        return patience is not None and self._since_gain >= patience

    def check_loss(self, loss: float) -> None:
        """Raise TrainingError when a training loss is no finite number."""
        if not math.isfinite(loss):
            raise TrainingError(_diverged("the training loss", loss, epoch=len(self.history) + 1))

    def state(self) -> dict[str, Any]:
        """Return all that it remembers, as tensors, numbers and strings."""
        return {
            "history": self.history,
            "since_gain": self._since_gain,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "weights": self.weights,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Remember what ``state`` returned."""
        self.history, self._since_gain = state["history"], state["since_gain"]
        self.best_epoch, self.best_value = state["best_epoch"], state["best_value"]
        self.weights = state["weights"]

    def _is_gain(self, value: float) -> bool:
        if not self.best_epoch:
            return True
        least = self._stopping.min_delta
        goal = (
            self.best_value - least
            if self._objective.direction == "minimize"
            else self.best_value + least
        )
        return self._objective.is_better(value, goal)


def _diverged(what: str, value: float, *, epoch: int) -> str:
    return (
        f"the fit diverged: {what} became {value} in epoch {epoch}, where a finite number was "
        "expected; lower training.lr, set training.gradient_clip, or use training.precision=32"
    )
