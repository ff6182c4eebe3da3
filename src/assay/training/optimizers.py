"""Optimizers by name."""

from __future__ import annotations

from typing import Any

from torch import optim

from assay.layers.network import Network
from assay.training.knobs import Training


def build_optimizer(
    network: Network,
    *,
    knobs: Training,
    is_fused: bool,
    part: str = "",
    betas: tuple[float, float] = (0.9, 0.999),
) -> optim.Optimizer:
    """Return the optimizer that the knobs name; biases and normalisation are not decayed.

    ``part`` takes the parameters whose names begin so; ``betas`` are those of Adam and AdamW. A
    group's ``rate`` is the share of the learning rate that its parameters take.

    ``is_fused`` takes torch's fused kernels, which spare small networks most of a step's overhead;
    they cannot be combined with the loss scaling of 16-bit floats.
    """
    groups = _groups(network, part=part, weight_decay=knobs.weight_decay)
    lr, momentum = knobs.lr, knobs.momentum
    if knobs.optimizer == "sgd":
        nesterov = momentum > 0
        return optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov, fused=is_fused)
    if knobs.optimizer == "rmsprop":
        return optim.RMSprop(groups, lr=lr, momentum=momentum)
    if knobs.optimizer == "adam":
        return optim.Adam(groups, lr=lr, betas=betas, fused=is_fused)
    return optim.AdamW(groups, lr=lr, betas=betas, fused=is_fused)


def _groups(network: Network, *, part: str, weight_decay: float) -> list[dict[str, Any]]:
    learned = {
        n: p for n, p in network.named_parameters() if p.requires_grad and n.startswith(part)
    }
    found: dict[tuple[float, float], list[Any]] = {(1.0, weight_decay): [], (1.0, 0.0): []}
    for name, parameter in learned.items():
        decay = weight_decay if parameter.ndim > 1 else 0.0
        found.setdefault((network.rate_of(name), decay), []).append(parameter)
    return [
        {"params": parameters, "rate": rate, "weight_decay": decay}
        for (rate, decay), parameters in found.items()
    ]
