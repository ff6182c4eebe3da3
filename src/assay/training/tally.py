"""Two metrics that cost next to nothing, summed up batch by batch after each epoch.

The full set of metrics is computed once, after the fit; these name the objective and one that
people read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from assay.data.prepared import IGNORED
from assay.data.spec import Spec, Task, required

_SMALLEST_PROBABILITY = float(torch.finfo(torch.float32).eps)
Sums: TypeAlias = Callable[[Tensor, Tensor], list[Tensor]]
Values: TypeAlias = Callable[[list[float]], dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Summed:
    """What a task sums up over rows, from (answer, target), and the metrics that the sums give.

    The first sum is the number of what is summed over: rows, labels or steps.
    """

    sums: Sums
    values: Values


class Tally:
    """Running sums over a split; ``answer`` is what ``Network.answer`` gives."""

    def __init__(self, spec: Spec) -> None:
        self._of = _TASKS[spec.task](spec)
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self._rows, self._loss = 0, 0.0
        self._sums: list[float] = []

    def add(self, answer: Tensor, *, target: Tensor, loss: Tensor) -> None:
        """Add a batch with its mean loss."""
        self._rows += len(target)
        self._loss += float(loss) * len(target)
        found = [float(total) for total in self._of.sums(answer.cpu(), target.cpu())]
        self._sums = [a + b for a, b in zip(self._sums or [0.0] * len(found), found, strict=True)]

    def values(self) -> dict[str, float]:
        """Return ``loss`` and the task's two metrics."""
        return {"loss": self._loss / self._rows, **self._of.values(self._sums)}


def _of_classes(spec: Spec) -> Summed:
    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        likelihood = answer.gather(1, target.unsqueeze(1)).clamp(min=_SMALLEST_PROBABILITY)
        hits = (answer.argmax(1) == target).sum()
        return [torch.tensor(len(target)), -likelihood.double().log().sum(), hits]

    def values(totals: list[float]) -> dict[str, float]:
        rows, loss, hits = totals
        return {"log_loss": loss / rows, "accuracy": hits / rows}

    return Summed(sums=sums, values=values)


def _of_labels(spec: Spec) -> Summed:
    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        is_there = target.bool()
        likelihood = torch.where(is_there, answer, 1 - answer).clamp(min=_SMALLEST_PROBABILITY)
        hits = ((answer > 0.5) == is_there).all(1).sum()
        rows = torch.tensor(len(target))
        return [rows, -likelihood.double().log().mean(1).sum(), hits]

    def values(totals: list[float]) -> dict[str, float]:
        rows, loss, hits = totals
        return {"log_loss": loss / rows, "subset_accuracy": hits / rows}

    return Summed(sums=sums, values=values)


def _of_numbers(spec: Spec) -> Summed:
    centre = spec.target_mean

    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        error, centred = answer.double() - target.double(), target.double() - centre
        rows = torch.tensor(len(target))
        return [rows, (error**2).sum(), centred.sum(), (centred**2).sum()]

    def values(totals: list[float]) -> dict[str, float]:
        rows, squares, first, second = totals
        spread = second - first**2 / rows
        r2 = 1 - squares / spread if spread > 0 else math.nan
        return {"rmse": math.sqrt(squares / rows), "r2": r2}

    return Summed(sums=sums, values=values)


def _of_steps(spec: Spec) -> Summed:
    is_text = spec.task == "language_modelling"

    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        is_step = target != IGNORED
        of, tags = answer[is_step], target[is_step]
        likelihood = of.gather(1, tags.unsqueeze(1)).squeeze(1).double()
        loss = likelihood if is_text else likelihood.clamp(min=_SMALLEST_PROBABILITY).log()
        return [is_step.sum(), -loss.sum(), (of.argmax(1) == tags).sum()]

    def values(totals: list[float]) -> dict[str, float]:
        steps, loss, hits = totals
        return {"log_loss": loss / steps, "accuracy": hits / steps}

    return Summed(sums=sums, values=values)


def _of_forecasts(spec: Spec) -> Summed:
    scale = torch.tensor(required(spec.forecast).naive).double()

    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        error = answer.double() - target.double()
        rows = torch.tensor(len(target))
        return [rows, (error.abs() / scale).mean((1, 2)).sum(), error.abs().mean((1, 2)).sum()]

    def values(totals: list[float]) -> dict[str, float]:
        rows, scaled, plain = totals
        return {"mase": scaled / rows, "mae": plain / rows}

    return Summed(sums=sums, values=values)


def _of_errors(spec: Spec) -> Summed:
    """Of rows that are no known anomalies: those are to be reconstructed badly."""

    def sums(answer: Tensor, target: Tensor) -> list[Tensor]:
        errors = answer.double()[target != 1]
        return [torch.tensor(len(errors)), errors.sum(), errors.sqrt().sum()]

    def values(totals: list[float]) -> dict[str, float]:
        rows, squares, roots = totals
        return {"reconstruction_mse": squares / rows, "reconstruction_rmse": roots / rows}

    return Summed(sums=sums, values=values)


_TASKS: Mapping[Task, Callable[[Spec], Summed]] = {
    "classification": _of_classes,
    "multilabel": _of_labels,
    "regression": _of_numbers,
    "forecasting": _of_forecasts,
    "language_modelling": _of_steps,
    "tagging": _of_steps,
    "reconstruction": _of_errors,
}
