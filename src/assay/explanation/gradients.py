"""Attributions from gradients, for which the network itself must be at hand (torch, captum).

They are taken where the network's fixed first layer ends, and summed up over what belongs to one
feature: over a column's categories, the pixels of a patch, the steps of a segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients, Saliency
from torch import Tensor

_INTEGRATION_STEPS = 24
_DRAWS = 64
_TOGETHER = 1024


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A network from where its first layer ends: ``answer(given, *rest)`` is (rows, outputs).

    ``feature`` maps each number of a row of ``given`` to the feature that it belongs to,
    ``features`` of them.
    """

    answer: Callable[..., Tensor]
    feature: np.ndarray
    features: int


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
    return _by_feature(inner, averaged)


def saliency(inner: Inner, given: Given) -> np.ndarray:
    """Return the sizes of gradients (rows, features), which have no sign.

    Simonyan, Vedaldi and Zisserman 2014 (arXiv:1312.6034).
    """
    rows = given.rows.clone().requires_grad_()
    found = Saliency(inner.answer).attribute(
        rows, target=given.outputs, additional_forward_args=given.rest or None
    )
    return _by_feature(inner, found)


def gradient_shap(inner: Inner, given: Given, *, background: Tensor, seed: int) -> np.ndarray:
    """Return expected gradients (rows, features), an estimate of SHAP values from the network.

    Erion, Janizek, Sturmfels, Lundberg and Lee 2021 (doi:10.1038/s42256-021-00343-w): gradients
    on the way from random background rows, each way a stratum of the walk.
    """
    draw = torch.Generator().manual_seed(seed)
    parts = []
    for i, row in enumerate(given.rows):
        start = background[torch.randint(len(background), (_DRAWS,), generator=draw)]
        share = (torch.arange(_DRAWS) + torch.rand(_DRAWS, generator=draw)) / _DRAWS
        way = row - start
        share = share.reshape(-1, *[1] * (way.ndim - 1))
        point = (start + share * way).requires_grad_()
        rest = tuple(r[i : i + 1].expand(_DRAWS, *r.shape[1:]) for r in given.rest)
        total = inner.answer(point, *rest)[:, given.outputs[i]].sum()
        (slope,) = torch.autograd.grad(total, point)
        parts.append((slope * way).mean(dim=0))
    return _by_feature(inner, torch.stack(parts))


def _by_feature(inner: Inner, found: Tensor) -> np.ndarray:
    flat = found.detach().numpy().astype(np.float64).reshape(len(found), -1)
    belongs = np.eye(inner.features)[inner.feature.ravel()]
    return np.asarray(flat @ belongs)
