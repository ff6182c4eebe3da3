"""Token ids (batch, steps): some replaced by the id of what is not known."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from assay.augmentation.knobs import OfText


def augmented_tokens(
    tokens: Tensor, *, lengths: Tensor, knobs: OfText, unknown: int, generator: Generator
) -> Tensor:
    """Return ids of which a share of ``knobs.dropout`` is ``unknown``; none beyond ``lengths``."""
    drawn = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    is_inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
    return torch.where((drawn < knobs.dropout) & is_inside, unknown, tokens)
