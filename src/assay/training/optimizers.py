"""Optimizers by name."""

from __future__ import annotations

from torch import nn, optim

from assay.training.knobs import Training


def build_optimizer(module: nn.Module, *, knobs: Training, is_fused: bool) -> optim.Optimizer:
    """Return the optimizer that the knobs name; biases and normalisation are not decayed.

    ``is_fused`` takes torch's fused kernels, which spare small networks most of a step's overhead;
    they cannot be combined with the loss scaling of 16-bit floats.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": knobs.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    lr, momentum = knobs.lr, knobs.momentum
    if knobs.optimizer == "sgd":
        nesterov = momentum > 0
        return optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov, fused=is_fused)
    if knobs.optimizer == "rmsprop":
        return optim.RMSprop(groups, lr=lr, momentum=momentum)
    if knobs.optimizer == "adam":
        return optim.Adam(groups, lr=lr, fused=is_fused)
    return optim.AdamW(groups, lr=lr, fused=is_fused)
