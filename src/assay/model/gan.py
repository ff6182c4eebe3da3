"""A generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661) for small images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le, Lt
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from assay.layers.adversaries import Adversaries
from assay.layers.shape import Gives, InputKind, Shape

_SMALLEST_SIDE = 4
"""Stages halve an image only while its smaller side stays at least this many pixels."""
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Gan:
    """Knobs of generator and discriminator, two convolutional networks that mirror each other.

    The discriminator's first stage has ``channels`` channels, and each of ``stages`` further ones
    twice as many on half the side. The generator begins with ``latent`` normal numbers; its weights
    are averaged over steps with decay ``average`` (Karras et al. 2018, arXiv:1710.10196), and the
    average is what is validated and kept.

    ``r1`` is gamma of the penalty gamma / 2 times the square of the discriminator's gradient at real
    images (Mescheder et al. 2018, arXiv:1801.04406), 0 for none; ``spectral`` divides each of its
    weights by the largest singular value (Miyato et al. 2018, arXiv:1802.05957).
    ``discriminator_rate`` is its learning rate in those of the generator.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("image",)
    gives: ClassVar[tuple[Gives, ...]] = ("sample",)

    latent: Annotated[int, Ge(1)] = 32
    channels: Annotated[int, Ge(4)] = 32
    stages: Annotated[int, Ge(1), Le(5)] = 2
    r1: Annotated[float, Ge(0)] = 1.0
    spectral: bool = False
    discriminator_rate: Annotated[float, Gt(0)] = 1.0
    average: Annotated[float, Gt(0), Lt(1)] = 0.995

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return both networks, for images of -1 to 1; ``outputs`` is not used."""
        given, *size = shape.sizes
        sizes, widths = [tuple(size)], [self.channels]
        for _ in range(self.stages):
            if min(sizes[-1]) >= 2 * _SMALLEST_SIDE:
                sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
                widths.append(2 * widths[-1])
        return Adversaries(
            generator=self._generator(given, sizes[::-1], widths[::-1]),
            discriminator=self._discriminator(given, sizes, widths),
            latent=self.latent,
            r1=self.r1,
            rate=self.discriminator_rate,
            average=self.average,
        )

    def _generator(
        self, given: int, sizes: list[tuple[int, ...]], widths: list[int]
    ) -> nn.Sequential:
        first = widths[0] * sizes[0][0] * sizes[0][1]
        layers: list[nn.Module] = [
            nn.Linear(self.latent, first),
            nn.Unflatten(1, (widths[0], *sizes[0])),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for size, (width, channels) in zip(sizes[1:], pairwise(widths), strict=True):
            layers += [nn.Upsample(size=size), nn.Conv2d(width, channels, 3, padding=1)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        return nn.Sequential(*layers, nn.Conv2d(widths[-1], given, 3, padding=1), nn.Tanh())

    def _discriminator(
        self, given: int, sizes: list[tuple[int, ...]], widths: list[int]
    ) -> nn.Sequential:
        layers: list[nn.Module] = [self._normed(nn.Conv2d(given, widths[0], 3, padding=1))]
        for width, channels in pairwise(widths):
            layers += [nn.LeakyReLU(_SLOPE)]
            layers += [self._normed(nn.Conv2d(width, channels, 3, stride=2, padding=1))]
        last = widths[-1] * sizes[-1][0] * sizes[-1][1]
        head = self._normed(nn.Linear(last, 1))
        return nn.Sequential(*layers, nn.LeakyReLU(_SLOPE), nn.Flatten(), head, nn.Flatten(0))

    def _normed(self, layer: nn.Module) -> nn.Module:
        return spectral_norm(layer) if self.spectral else layer
