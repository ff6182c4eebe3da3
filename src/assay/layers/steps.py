"""What models of steps share: the way in for sequences and tokens, masks, pooling, the way out."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from assay.layers.preprocess import mask
from assay.layers.shape import Shape

StepPooling = Literal["last", "mean", "max"]
_EMBEDDED = 0.1
"""Standard deviation of fresh embeddings: at torch's own 1, a word that is rare says as much by
chance as a frequent one has learned to say."""


class StepInput(nn.Module):
    """Sequences or tokens to ``width`` features a step, zero after a row's end.

    A sequence goes through a linear layer, tokens through an embedding in which id 0 is padding.
    """

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        size = shape.sizes[1]
        is_tokens = shape.kind == "tokens"
        self.layer: nn.Module = _embedding(size, width) if is_tokens else nn.Linear(size, width)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Return float32 (batch, steps, width)."""
        features: Tensor = self.layer(steps)
        return features * inside(features, lengths)


def _embedding(size: int, width: int) -> nn.Embedding:
    layer = nn.Embedding(size, width, padding_idx=0)
    with torch.no_grad():
        layer.weight.mul_(_EMBEDDED)
    return layer


class Pooled(nn.Module):
    """(batch, steps, width) to (batch, width), over the steps of each row alone."""

    def __init__(self, how: StepPooling) -> None:
        super().__init__()
        self.how = how

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Return the last step, or the mean or the largest value of each feature."""
        if self.how == "last":
            return at_step(steps, lengths - 1)
        is_inside = inside(steps, lengths)
        if self.how == "mean":
            return (steps * is_inside).sum(dim=1) / lengths.unsqueeze(1).to(steps.dtype)
        return torch.where(is_inside > 0, steps, torch.full_like(steps, -torch.inf)).amax(dim=1)


def inside(steps: Tensor, lengths: Tensor) -> Tensor:
    """Return 1 before a row's end and 0 after it, (batch, steps, 1), in the dtype of ``steps``."""
    return mask(lengths, steps=steps.shape[1]).unsqueeze(2).to(steps.dtype)


def at_step(steps: Tensor, places: Tensor) -> Tensor:
    """Return one step of each row: (batch, steps, width) and int64 (batch,) to (batch, width)."""
    index = places.reshape(-1, 1, 1).expand(-1, 1, steps.shape[2])
    return steps.gather(1, index).squeeze(1)
