"""A residual convolutional network (He et al. 2015, arXiv:1512.03385) that fits small images too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from assay.layers.activation import Activation, activation
from assay.layers.normalisation import Normalisation, normalisation
from assay.layers.pooling import GlobalPooling, Pooling
from assay.layers.shape import InputKind, Shape

_SMALLEST_SIDE = 4
"""Stages halve the image only while its smaller side stays at least this many pixels."""


@dataclass(frozen=True, kw_only=True)
class Cnn:
    """Knobs of the residual network.

    ``stages`` stages of ``blocks`` residual blocks each; the first has ``width`` channels, and each
    further one doubles the channels and halves the image, as long as there is something to halve.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("image",)

    width: Annotated[int, Ge(4)] = 16
    stages: Annotated[int, Ge(1), Le(6)] = 2
    blocks: Annotated[int, Ge(1)] = 1
    activation: Activation = "relu"
    normalisation: Normalisation = "batch"
    pooling: Pooling = "average"
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from (batch, channels, height, width) to (batch, outputs)."""
        channels, *sides = shape.sizes
        side, stride = min(sides), _stem_stride(min(sides))
        layers = [self._convolution(channels, self.width, stride), activation(self.activation)]
        side, channels = -(-side // stride), self.width
        for stage in range(self.stages):
            width = self.width * 2**stage
            stride = 2 if stage > 0 and side >= 2 * _SMALLEST_SIDE else 1
            side = -(-side // stride)
            for block in range(self.blocks):
                layers.append(self._block(channels, width, stride if block == 0 else 1))
                channels = width
        head = [GlobalPooling(self.pooling), nn.Dropout(self.dropout), nn.Linear(channels, outputs)]
        return nn.Sequential(*layers, *head)

    def _block(self, channels: int, width: int, stride: int) -> nn.Module:
        body = nn.Sequential(
            self._convolution(channels, width, stride),
            activation(self.activation),
            self._convolution(width, width, 1),
        )
        is_same = channels == width and stride == 1
        shortcut = nn.Identity() if is_same else self._convolution(channels, width, stride, size=1)
        return _Residual(body=body, shortcut=shortcut, final=activation(self.activation))

    def _convolution(self, channels: int, width: int, stride: int, *, size: int = 3) -> nn.Module:
        has_bias = self.normalisation == "none"
        convolution = nn.Conv2d(channels, width, size, stride, padding=size // 2, bias=has_bias)
        return nn.Sequential(
            convolution, normalisation(self.normalisation, width=width, kind="image")
        )


class _Residual(nn.Module):
    def __init__(self, *, body: nn.Module, shortcut: nn.Module, final: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.final = body, shortcut, final

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.final(self.body(images) + self.shortcut(images))
        return result


def _stem_stride(side: int) -> int:
    return 4 if side >= 128 else 2 if side >= 64 else 1
