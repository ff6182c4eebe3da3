"""Losses by name, checked against the task."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from assay.data.spec import Spec
from assay.errors import ConfigError
from assay.training.knobs import Training

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From raw outputs and the split's target to the mean loss, a scalar."""

_FITTING = {
    "classification": ("cross_entropy", "focal"),
    "regression": ("mse", "mae", "huber"),
}


def build_loss(knobs: Training, *, spec: Spec, device: torch.device) -> Loss:
    """Return the loss that the knobs name, on ``device``.

    Raises ConfigError when the loss does not fit the task.
    """
    fitting = _FITTING[spec.task]
    name = fitting[0] if knobs.loss == "auto" else knobs.loss
    if name not in fitting:
        expected = ", ".join(("auto", *fitting))
        raise ConfigError([f"training.loss: {spec.task} takes one of {expected}; got {name!r}"])
    if spec.task == "classification":
        return _for_classes(name, knobs, class_weights(knobs, spec=spec, device=device))
    return _for_numbers(name, knobs, spec)


def class_weights(knobs: Training, *, spec: Spec, device: torch.device) -> Tensor | None:
    """Return rows / (classes * rows of the class) for each class, or None for equal weights."""
    if knobs.class_weights == "none":
        return None
    counts = torch.tensor(spec.class_counts, dtype=torch.float32).clamp(min=1)
    return (sum(spec.class_counts) / (len(counts) * counts)).to(device)


def focal_loss(outputs: Tensor, target: Tensor, *, gamma: float, weight: Tensor | None) -> Tensor:
    """Return the mean of -w (1 - p)^gamma log p, p being the probability of the true class.

    Lin et al. 2017, arXiv:1708.02002, equation 5. Gamma 0 is weighted cross-entropy; as there, the
    mean over the batch is weighted by w.
    """
    log_p = functional.log_softmax(outputs, dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
    losses = -((1 - log_p.exp()).clamp(min=1e-6) ** gamma) * log_p
    if weight is None:
        return losses.mean()
    of_rows = weight[target]
    return (of_rows * losses).sum() / of_rows.sum()


def _for_classes(name: str, knobs: Training, weight: Tensor | None) -> Loss:
    if name == "focal":
        return partial(focal_loss, gamma=knobs.focal_gamma, weight=weight)
    smoothing = knobs.label_smoothing
    return partial(functional.cross_entropy, weight=weight, label_smoothing=smoothing)


def _for_numbers(name: str, knobs: Training, spec: Spec) -> Loss:
    functions: dict[str, Loss] = {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": partial(functional.huber_loss, delta=knobs.huber_delta),
    }
    distance, mean = functions[name], spec.target_mean
    std = spec.target_std if spec.target_std > 0 else 1.0
    return lambda outputs, target: distance(outputs.squeeze(1), (target - mean) / std)
