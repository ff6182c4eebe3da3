"""A small classifier of images whose last hidden layer is the space in which samples are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from assay.layers.shape import InputKind, Shape

_WIDTH = 16
_FEATURES = 32
_SMALLEST_SIDE = 4


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A plain convolutional network without knobs: what measures must not be tuned."""

    takes: ClassVar[tuple[InputKind, ...]] = ("image",)

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from images to logits whose child ``features`` gives (batch, 32)."""
        channels, *size = shape.sizes
        layers: list[nn.Module] = []
        width = _WIDTH
        while True:
            is_last = min(size) < 2 * _SMALLEST_SIDE
            stride = 1 if is_last else 2
            layers += [nn.Conv2d(channels, width, 3, stride, padding=1)]
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            channels, size = width, [-(-side // stride) for side in size]
            width *= 2
            if is_last:
                break
        flat = channels * size[0] * size[1]
        layers += [nn.Flatten(), nn.Linear(flat, _FEATURES), nn.BatchNorm1d(_FEATURES), nn.ReLU()]
        return _Body(nn.Sequential(*layers), nn.Linear(_FEATURES, outputs))


class _Body(nn.Module):
    def __init__(self, features: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.head(self.features(images))
        return result


class Opinion(nn.Module):
    """From uint8 images to features and class probabilities of a network with a judge's body."""

    def __init__(self, judge: Any) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 (batch, 32 + classes)."""
        features = self.judge.body.features(*self.judge.preprocess(image=image))
        return torch.cat([features, self.judge.answer(self.judge.body.head(features))], dim=1)
