"""An autoencoder (Hinton and Salakhutdinov 2006, doi:10.1126/science.1127647), dense or convolutional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from assay.layers.activation import Activation, activation
from assay.layers.normalisation import Normalisation, normalisation
from assay.layers.shape import Gives, InputKind, Shape

_SMALLEST_SIDE = 4
"""Stages halve an image only while its smaller side stays at least this many pixels."""


@dataclass(frozen=True, kw_only=True)
class Autoencoder:
    """Knobs of the autoencoder: what it is given goes through ``latent`` numbers and comes back.

    Vectors go through ``depth`` dense layers, the first of ``width`` units and each further one of
    half as many; images through ``depth`` convolutions, the first of ``channels`` channels and each
    further one of twice as many on half the side. ``noise`` is the standard deviation of what is
    added to inputs in training, for a denoising autoencoder (Vincent et al. 2008,
    doi:10.1145/1390156.1390294), in those of the inputs.

    ``variational`` makes the latent numbers means of normal distributions that training draws from,
    and adds to the mean square error ``beta`` times the divergence from the standard normal (Kingma
    and Welling 2013, arXiv:1312.6114; Higgins et al. 2017 for beta). At beta 1 the two are the
    negative log likelihood's bound for errors of variance 1, times 2 / features.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("vector", "image")
    gives: ClassVar[tuple[Gives, ...]] = ("input",)

    latent: Annotated[int, Ge(1)] = 8
    width: Annotated[int, Ge(2)] = 128
    channels: Annotated[int, Ge(2)] = 16
    depth: Annotated[int, Ge(1), Le(6)] = 2
    activation: Activation = "silu"
    normalisation: Normalisation = "batch"
    noise: Annotated[float, Ge(0)] = 0.0
    variational: bool = False
    beta: Annotated[float, Ge(0)] = 0.1

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module that gives a batch of ``shape`` again; ``outputs`` is not used."""
        encode, decode = (
            self._of_images(shape) if shape.kind == "image" else self._of_vectors(shape)
        )
        features = int(torch.tensor(shape.sizes).prod())
        beta = 2 * self.beta / features if self.variational else None
        return _Body(encode=encode, decode=decode, noise=self.noise, beta=beta)

    @property
    def _codes(self) -> int:
        return 2 * self.latent if self.variational else self.latent

    def _of_vectors(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        widths = [max(2, self.width // 2**i) for i in range(self.depth)]
        encode = self._dense([shape.sizes[0], *widths, self._codes])
        return encode, self._dense([self.latent, *reversed(widths), shape.sizes[0]])

    def _dense(self, sizes: Sequence[int]) -> nn.Module:
        *inner, last = pairwise(sizes)
        layers = [nn.Sequential(nn.Linear(a, b), *self._after(b, "vector")) for a, b in inner]
        return nn.Sequential(*layers, nn.Linear(*last))

    def _of_images(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        given, *size = shape.sizes
        sizes, widths, layers = [tuple(size)], [given], []
        for stage in range(self.depth):
            stride = 2 if min(sizes[-1]) >= 2 * _SMALLEST_SIDE else 1
            widths.append(self.channels * 2**stage)
            convolution = nn.Conv2d(widths[-2], widths[-1], 3, stride, padding=1)
            layers.append(nn.Sequential(convolution, *self._after(widths[-1], "image")))
            sizes.append(tuple(-(-side // stride) for side in sizes[-1]))
        flat = widths[-1] * sizes[-1][0] * sizes[-1][1]
        encode = nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, self._codes))
        first = nn.Sequential(
            nn.Linear(self.latent, flat), nn.Unflatten(1, (widths[-1], *sizes[-1]))
        )
        return encode, nn.Sequential(first, *self._upwards(sizes[::-1], widths[::-1]))

    def _upwards(self, sizes: list[tuple[int, ...]], widths: list[int]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for size, width, channels in zip(sizes[1:], widths, widths[1:], strict=False):
            layers += [nn.Upsample(size=size), *self._after(width, "image")]
            layers.append(nn.Conv2d(width, channels, 3, padding=1))
        return layers

    def _after(self, width: int, kind: InputKind) -> tuple[nn.Module, nn.Module]:
        return normalisation(self.normalisation, width=width, kind=kind), activation(
            self.activation
        )


class _Body(nn.Module):
    """Encoder and decoder; ``beta`` weighs the divergence a row, None for no distribution."""

    def __init__(
        self, *, encode: nn.Module, decode: nn.Module, noise: float, beta: float | None
    ) -> None:
        super().__init__()
        self.encode, self.decode, self.noise, self.beta = encode, decode, noise, beta
        self._penalty: Tensor | None = None

    def forward(self, given: Tensor) -> Tensor:
        is_noisy = self.training and self.noise > 0
        codes = self.encode(given + self.noise * torch.randn_like(given) if is_noisy else given)
        result: Tensor = self.decode(codes if self.beta is None else self._drawn(codes, self.beta))
        return result

    def penalty(self) -> Tensor | None:
        """Return the last forward's mean divergence over rows, weighted; None where there is none."""
        return self._penalty

    def _drawn(self, codes: Tensor, beta: float) -> Tensor:
        mean, log_variance = codes.chunk(2, dim=1)
        if not self.training:
            return mean
        terms = mean.square() + log_variance.exp() - 1 - log_variance
        self._penalty = beta * 0.5 * terms.sum(dim=1).mean()
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
