"""Attributions from gradients, for which the network itself must be at hand (torch, captum).

They are taken where the network's fixed first layer ends, and summed up over what belongs to one
feature: over a column's categories, the pixels of a patch, the steps of a segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from captum.attr import IntegratedGradients, Saliency
from torch import Tensor, nn

_INTEGRATION_STEPS = 24
_TOGETHER = 128  # each holds the numbers of all layers


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A network from where its first layer ends: ``answer(given, *rest)`` is (rows, outputs).

    ``feature`` maps each number of a row of ``given`` to the feature that it belongs to,
    ``features`` of them. ``body`` holds the layers that ``answer`` goes through.
    """

    answer: Callable[..., Tensor]
    feature: np.ndarray
    features: int
    body: nn.Module


@dataclass(frozen=True, kw_only=True)
class Given:
    """Rows where the first layer ends, what else the body takes of them, and what is explained."""

    rows: Tensor
    rest: tuple[Tensor, ...]
    outputs: Tensor


def integrated_gradients(inner: Inner, given: Given, *, background: Tensor) -> np.ndarray:
    """Return attributions (rows, features) that add up to the output less the background's mean one.

    Every background row is a baseline, and the attributions are averaged over them (Sundararajan,
    Taly and Yan 2017, arXiv:1703.01365).
    """
    times = len(background)
    rest = tuple(r.repeat_interleave(times, dim=0) for r in given.rest)
    found = IntegratedGradients(inner.answer).attribute(
        given.rows.repeat_interleave(times, dim=0),
        baselines=background.repeat(len(given.rows), *[1] * (background.ndim - 1)),
        target=given.outputs.repeat_interleave(times),
        additional_forward_args=rest or None,
        n_steps=_INTEGRATION_STEPS,
        internal_batch_size=_TOGETHER,
    )
    averaged = found.reshape(len(given.rows), times, *background.shape[1:]).mean(dim=1)
    return by_feature(inner, averaged)


def saliency(inner: Inner, given: Given) -> np.ndarray:
    """Return the sizes of gradients (rows, features), which have no sign.

    Simonyan, Vedaldi and Zisserman 2014 (arXiv:1312.6034).
    """
    rows = given.rows.clone().requires_grad_()
    found = Saliency(inner.answer).attribute(
        rows, target=given.outputs, additional_forward_args=given.rest or None
    )
    return by_feature(inner, found)


def by_feature(inner: Inner, found: Tensor) -> np.ndarray:
    """Return attributions of numbers, (rows, ...), summed up by feature: float64 (rows, features)."""
    flat = found.detach().numpy().astype(np.float64).reshape(len(found), -1)
    belongs = np.eye(inner.features)[inner.feature.ravel()]
    return np.asarray(flat @ belongs)
