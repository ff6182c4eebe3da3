"""Losses by name, checked against the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from assay.data.prepared import IGNORED
from assay.data.spec import Spec, Task, required
from assay.errors import ConfigError
from assay.training.knobs import LossName, Training

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From raw outputs and the split's target to the mean loss, a scalar."""

Named: TypeAlias = Mapping[LossName, Callable[[Training, Spec, torch.device], Loss]]


def build_loss(knobs: Training, *, spec: Spec, device: torch.device) -> Loss:
    """Return the loss that the knobs name, on ``device``; ``auto`` is the first that fits the task.

    Raises ConfigError when the loss does not fit the task.
    """
    fitting = _LOSSES[spec.task]
    name = next(iter(fitting)) if knobs.loss == "auto" else knobs.loss
    if name not in fitting:
        expected = ", ".join(("auto", *fitting))
        raise ConfigError([f"training.loss: {spec.task} takes one of {expected}; got {name!r}"])
    return partial(_for_every_answer, fitting[name](knobs, spec, device))


def _for_every_answer(loss: Loss, outputs: Tensor, target: Tensor) -> Tensor:
    """Repeat the target where the members of a body answer each row by themselves."""
    times = len(outputs) // max(1, len(target))
    return loss(outputs, target if times == 1 else torch.cat([target] * times))


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


def _cross_entropy(knobs: Training, spec: Spec, device: torch.device) -> Loss:
    weight, smoothing = class_weights(knobs, spec=spec, device=device), knobs.label_smoothing
    return partial(functional.cross_entropy, weight=weight, label_smoothing=smoothing)


def _focal(knobs: Training, spec: Spec, device: torch.device) -> Loss:
    weight = class_weights(knobs, spec=spec, device=device)
    return partial(focal_loss, gamma=knobs.focal_gamma, weight=weight)


def _of_labels(knobs: Training, spec: Spec, device: torch.device) -> Loss:
    """Cross-entropy of each label by itself; balanced weights make up for rare labels."""
    weight = label_weights(knobs, spec=spec, device=device)
    bce = partial(functional.binary_cross_entropy_with_logits, pos_weight=weight)
    return lambda outputs, target: bce(outputs, target.to(outputs.dtype))


def label_weights(knobs: Training, *, spec: Spec, device: torch.device) -> Tensor | None:
    """Return (rows without the label) / (rows with it) for each label, or None for equal weights."""
    if knobs.class_weights == "none":
        return None
    counts = torch.tensor(spec.class_counts, dtype=torch.float32).clamp(min=1)
    return ((spec.train_rows - counts).clamp(min=1) / counts).to(device)


def _of_steps(knobs: Training, spec: Spec, device: torch.device) -> Loss:
    """Cross-entropy over steps: outputs (batch, steps, classes), target (batch, steps)."""
    weight = class_weights(knobs, spec=spec, device=device) if spec.classes else None
    of = partial(
        functional.cross_entropy,
        weight=weight,
        label_smoothing=knobs.label_smoothing,
        ignore_index=IGNORED,
    )
    return lambda outputs, target: of(outputs.flatten(0, 1), target.flatten())


def _of_numbers(distance: Loss) -> Callable[[Training, Spec, torch.device], Loss]:
    def build(knobs: Training, spec: Spec, device: torch.device) -> Loss:
        mean, std = spec.target_mean, spec.target_std if spec.target_std > 0 else 1.0
        return lambda outputs, target: distance(outputs.squeeze(1), (target - mean) / std)

    return build


def _of_forecasts(distance: Loss) -> Callable[[Training, Spec, torch.device], Loss]:
    """The distance over steps and series alike, each series in its own standard deviations."""

    def build(knobs: Training, spec: Spec, device: torch.device) -> Loss:
        of = required(spec.forecast)
        mean, std = (torch.tensor(v, device=device) for v in (of.mean, of.std))
        return lambda outputs, target: distance(outputs, ((target - mean) / std).flatten(1))

    return build


def _of_pairs(distance: Loss) -> Callable[[Training, Spec, torch.device], Loss]:
    """The distance between what was given and what came back, of rows that are no known anomalies."""

    def mean(outputs: Tensor, target: Tensor) -> Tensor:
        is_asked = target != 1
        pairs = outputs[is_asked] if is_asked.any() else outputs
        return distance(pairs[:, 0], pairs[:, 1])

    return lambda knobs, spec, device: mean


def _numbers(of: Callable[[Loss], Callable[[Training, Spec, torch.device], Loss]]) -> Named:
    """The distances between numbers, for what a task's outputs and targets are."""
    return {
        "mse": of(functional.mse_loss),
        "mae": of(functional.l1_loss),
        "huber": lambda knobs, spec, device: of(
            partial(functional.huber_loss, delta=knobs.huber_delta)
        )(knobs, spec, device),
    }


_LOSSES: Mapping[Task, Named] = {
    "classification": {"cross_entropy": _cross_entropy, "focal": _focal},
    "multilabel": {"cross_entropy": _of_labels},
    "regression": _numbers(_of_numbers),
    "forecasting": _numbers(_of_forecasts),
    "language_modelling": {"cross_entropy": _of_steps},
    "tagging": {"cross_entropy": _of_steps},
    "reconstruction": _numbers(_of_pairs),
}
