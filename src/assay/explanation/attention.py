"""Attention rollout: how much of each step a transformer's answer is made of (torch)."""

from __future__ import annotations

import torch
from torch import Tensor


def rollout(maps: Tensor, lengths: Tensor) -> Tensor:
    """Return the share of each step in a row's answer, (batch, steps), which sums to 1.

    ``maps`` (layers, batch, steps, steps) are attention with its heads averaged. Half of a step
    passes each layer as it is (Abnar and Zuidema 2020, arXiv:2005.00928), and the answer is taken as
    the mean over a row's own steps.
    """
    steps = maps.shape[2]
    same = torch.eye(steps, dtype=maps.dtype)
    total = same.expand(maps.shape[1], steps, steps)
    for layer in maps:
        total = (layer + same) / 2 @ total
    own = (torch.arange(steps) < lengths[:, None]).to(maps.dtype)
    shares = (own[:, None] @ total)[:, 0] * own
    return shares / shares.sum(dim=1, keepdim=True)
