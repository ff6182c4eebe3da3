"""Two metrics that cost next to nothing, summed up batch by batch after each epoch.

The full set of metrics is computed once, after the fit; these name the objective and one that
people read.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from assay.data.spec import Spec

_SMALLEST_PROBABILITY = float(torch.finfo(torch.float32).eps)


class Tally:
    """Running sums over a split.

    ``answer`` is what ``Network.answer`` gives: probabilities (batch, classes), or values (batch,)
    in the target's own unit.
    """

    def __init__(self, spec: Spec) -> None:
        self._is_classifier = spec.task == "classification"
        self._centre = spec.target_mean
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self._rows, self._loss = 0, 0.0
        self._sums = torch.zeros(3, dtype=torch.float64)

    def add(self, answer: Tensor, *, target: Tensor, loss: Tensor) -> None:
        """Add a batch with its mean loss."""
        self._rows += len(target)
        self._loss += float(loss) * len(target)
        sums = self._of_classes if self._is_classifier else self._of_numbers
        self._sums += sums(answer.cpu(), target.cpu())

    def values(self) -> dict[str, float]:
        """Return ``loss``, and ``log_loss`` and ``accuracy``, or ``rmse`` and ``r2`` (else NaN)."""
        first, second, third = self._sums.tolist()
        loss = self._loss / self._rows
        if self._is_classifier:
            return {"loss": loss, "log_loss": first / self._rows, "accuracy": second / self._rows}
        spread = third - second**2 / self._rows
        r2 = 1 - first / spread if spread > 0 else math.nan
        return {"loss": loss, "rmse": math.sqrt(first / self._rows), "r2": r2}

    def _of_classes(self, answer: Tensor, target: Tensor) -> Tensor:
        likelihood = answer.gather(1, target.unsqueeze(1)).clamp(min=_SMALLEST_PROBABILITY)
        hits = (answer.argmax(1) == target).sum()
        return torch.stack([-likelihood.double().log().sum(), hits.double(), hits.double()])

    def _of_numbers(self, answer: Tensor, target: Tensor) -> Tensor:
        error, centred = answer.double() - target.double(), target.double() - self._centre
        return torch.stack([(error**2).sum(), centred.sum(), (centred**2).sum()])
