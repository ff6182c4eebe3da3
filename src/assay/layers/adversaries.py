"""A generator and its discriminator as one body, and the losses that they play with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from assay.layers.network import Network


class Adversaries(nn.Module):
    """``generator`` from (batch, latent) to images of -1 to 1, ``discriminator`` from those to logits.

    ``r1`` weighs the gradient penalty, ``rate`` is the discriminator's learning rate in those of
    the generator, ``average`` the decay of the generator's averaged weights.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,
        discriminator: nn.Module,
        latent: int,
        r1: float,
        rate: float,
        average: float,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent, self.r1, self.rate, self.average = latent, r1, rate, average

    def rate_of(self, name: str) -> float:
        """Return the share of the learning rate that a parameter takes."""
        return self.rate if name.startswith("discriminator.") else 1.0

    def forward(self, noise: Tensor) -> Tensor:
        """Return images (batch, channels, height, width) of -1 to 1."""
        images: Tensor = self.generator(noise)
        return images

    def fooled(self, noise: Tensor) -> Tensor:
        """Return the generator's loss: the non-saturating one of Goodfellow et al. 2014."""
        return functional.softplus(-self.discriminator(self.generator(noise))).mean()

    def told_apart(self, images: Tensor, *, noise: Tensor) -> Tensor:
        """Return the discriminator's loss on real images and as many generated ones."""
        with torch.no_grad():
            generated = self.generator(noise)
        real = functional.softplus(-self.discriminator(images)).mean()
        return real + functional.softplus(self.discriminator(generated)).mean()

    def penalty_at(self, images: Tensor) -> Tensor:
        """Return r1 / 2 times the mean square norm of the discriminator's gradient at real images."""
        at = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(at).sum(), at, create_graph=True)
        return 0.5 * self.r1 * gradient.square().flatten(1).sum(dim=1).mean()


def latent_of(network: Network) -> int:
    """Return how many normal numbers a generator takes a row."""
    return int(network.body.latent)  # type: ignore[arg-type]  # a model that gives samples builds the class above
