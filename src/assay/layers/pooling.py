"""Pooling over the whole image."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Pooling = Literal["max", "average"]


class GlobalPooling(nn.Module):
    """(batch, channels, height, width) to (batch, channels), for images of any size."""

    def __init__(self, how: Pooling) -> None:
        super().__init__()
        self.is_max = how == "max"

    def forward(self, images: Tensor) -> Tensor:
        """Return the largest or the mean value of each channel."""
        return images.amax(dim=(2, 3)) if self.is_max else images.mean(dim=(2, 3))
