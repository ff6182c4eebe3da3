"""How large gradients are, layer by layer: measured once an epoch, and judged in words at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import nn

PREFIX = "gradient_"
_MOST_LAYERS = 24
_VANISHING, _EXPLODING = 1e-4, 1e3


class Gradients:
    """Norms of gradients by layer, before they are clipped, at one step of each epoch.

    A layer is a module that holds parameters, or of a recurrent module one of its layers; in networks
    of many layers those with a common beginning of their names are taken together.
    """

    def __init__(self, module: nn.Module) -> None:
        names = {p: _layer(name) for name, p in module.named_parameters() if p.requires_grad}
        self._layers = dict(zip(names, _together(list(names.values())), strict=True))
        self.norms: dict[str, float] = {}

    def measure(self, parameters: Iterable[nn.Parameter]) -> None:
        """Take the norms of the gradients that some parameters have now."""
        own = [p for p in parameters if p.grad is not None and p in self._layers]
        if not own:
            return
        squares = torch.stack([p.grad.float().square().sum() for p in own if p.grad is not None])
        totals: dict[str, float] = {}
        for parameter, square in zip(own, squares.tolist(), strict=True):
            layer = self._layers[parameter]
            totals[layer] = totals.get(layer, 0.0) + square
        self.norms |= {layer: total**0.5 for layer, total in totals.items()}

    def row(self) -> dict[str, float]:
        """Return the norms as columns of an epoch's row, and forget them."""
        found = {f"{PREFIX}{layer}": norm for layer, norm in self.norms.items()}
        self.norms = {}
        return found


def judge_gradients(history: Sequence[Mapping[str, float]]) -> str:
    """Return a sentence on vanishing and exploding gradients, empty where none were measured.

    They vanish where a layer's median norm over the epochs is below a ten thousandth of the largest
    layer's, and explode where a layer's is a thousand times that of the first epoch, or infinite
    (Pascanu et al. 2013, arXiv:1211.5063).
    """
    layers = [name for name in (history[0] if history else {}) if name.startswith(PREFIX)]
    if not layers:
        return ""
    norms = np.array([[row.get(name, np.nan) for name in layers] for row in history])
    names = [name.removeprefix(PREFIX) for name in layers]
    growth = norms / np.maximum(norms[0], np.finfo(float).tiny)
    is_exploding = ~np.isfinite(norms).all(axis=0) | (
        (norms > 1.0).any(axis=0) & (growth.max(axis=0) > _EXPLODING)
    )
    if is_exploding.any():
        worst = int(np.argmax(np.nan_to_num(growth, nan=np.inf).max(axis=0)))
        return (
            f"gradients explode in {names[worst]}: their norm grew from {norms[0, worst]:.2g} to "
            f"{np.nanmax(norms[:, worst]):.2g}; lower training.lr or training.gradient_clip"
        )
    median = np.median(norms, axis=0)
    least, largest = int(median.argmin()), int(median.argmax())
    told = f"{names[least]} {median[least]:.2g}, {names[largest]} {median[largest]:.2g}"
    if median[least] < _VANISHING * median[largest]:
        return (
            f"gradients vanish (median norms: {told}): fewer layers or steps, gates (gru, lstm), "
            "residuals or normalisation may help"
        )
    return f"gradients neither vanish nor explode (median norms from {told})"


def _layer(name: str) -> str:
    """Return the module of a parameter: ``network.body.head.weight`` is of ``body.head``."""
    parts = name.removeprefix("network.").split(".")
    recurrent = re.search(r"_(l\d+)(_reverse)?$", parts[-1])
    return ".".join([*parts[:-1], *([recurrent[1]] if recurrent else [])]) or parts[-1]


def _together(layers: Sequence[str]) -> list[str]:
    """Return names of at most so many layers, as long as that allows."""
    split = [layer.split(".") for layer in layers]
    for depth in range(max(map(len, split), default=1), 1, -1):
        shorter = [".".join(parts[:depth]) for parts in split]
        if len(set(shorter)) <= _MOST_LAYERS:
            return shorter
    return [parts[0] for parts in split]
