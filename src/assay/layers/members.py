"""Several bodies as one: each learns by itself, and their answers are averaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from assay.layers.shape import Answers


class Members(nn.Module):
    """Bodies that are given the same input.

    In training their outputs are put one behind another along the first axis, so that the loss is
    the mean of their own losses; else they are outputs of the mean answer: of probabilities, or of
    numbers (Lakshminarayanan et al. 2017, arXiv:1612.01474).
    """

    def __init__(self, bodies: Sequence[nn.Module], *, answers: Answers) -> None:
        super().__init__()
        self.bodies = nn.ModuleList(bodies)
        self._mean = _MEANS[answers]

    def forward(self, *given: Tensor) -> Tensor:
        """Return (members x batch, ...) in training, else (batch, ...)."""
        outputs = [body(*given) for body in self.bodies]
        return torch.cat(outputs) if self.training else self._mean(torch.stack(outputs))


def _of_classes(logits: Tensor) -> Tensor:
    """Return the logarithm of the mean probability, whose softmax is that probability."""
    logs = functional.log_softmax(logits.float(), dim=-1)
    return torch.logsumexp(logs, dim=0) - math.log(len(logits))


def _of_labels(logits: Tensor) -> Tensor:
    """Return the logit of the mean probability: log mean p - log mean (1 - p)."""
    yes, no = functional.logsigmoid(logits.float()), functional.logsigmoid(-logits.float())
    return torch.logsumexp(yes, dim=0) - torch.logsumexp(no, dim=0)


def _of_numbers(outputs: Tensor) -> Tensor:
    return outputs.mean(dim=0)


_MEANS: Mapping[Answers, Callable[[Tensor], Tensor]] = {
    "class": _of_classes,
    "labels": _of_labels,
    "numbers": _of_numbers,
}
