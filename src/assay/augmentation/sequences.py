"""Sequences (batch, steps, channels), float32 in their own units: noisy, stretched, with a gap."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from assay.augmentation.draws import normal, uniform
from assay.augmentation.knobs import OfSequences


def augmented_sequences(
    sequence: Tensor,
    *,
    lengths: Tensor,
    knobs: OfSequences,
    mean: Tensor,
    std: Tensor,
    generator: Generator,
) -> Tensor:
    """Return sequences changed as the knobs say; ``mean`` and ``std`` (channels,) are of training.

    What lies beyond a row's ``lengths`` stays as it is, and so does what is missing (NaN).
    """
    batch, steps, channels = sequence.shape
    changed = sequence
    if knobs.scaling:
        factor = 1 + knobs.scaling * normal((batch, 1, channels), like=sequence, of=generator)
        changed = mean + (changed - mean) * factor
    if knobs.jitter:
        changed = changed + knobs.jitter * std * normal(changed.shape, like=sequence, of=generator)
    if knobs.masking:
        gap = _gaps(lengths, knobs.masking, like=sequence, of=generator)
        changed = torch.where(gap[:, :, None], mean, changed)
    is_inside = torch.arange(steps, device=lengths.device) < lengths[:, None]
    return torch.where(is_inside[:, :, None], changed, sequence)


def _gaps(lengths: Tensor, largest: float, *, like: Tensor, of: Generator) -> Tensor:
    """Return which steps lie in a row's gap, of at most that share of its length: (batch, steps)."""
    share = uniform((len(lengths), 1), 0, largest, like=like, of=of)
    place = uniform((len(lengths), 1), 0, 1, like=like, of=of)
    width = share * lengths[:, None]
    start = place * (lengths[:, None] - width)
    step = torch.arange(like.shape[1], device=like.device) + 0.5
    return (step >= start) & (step < start + width)
