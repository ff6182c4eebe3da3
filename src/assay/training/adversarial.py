"""Training a generator against its discriminator: two optimizers, each step for both of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from assay.augmentation.augment import Augment
from assay.errors import ConfigError
from assay.layers.adversaries import Adversaries
from assay.layers.judge import Opinion
from assay.layers.network import Network
from assay.metrics.generation import (
    balls_around,
    frechet_distance,
    missing_classes,
    opinion,
    spread,
)
from assay.training.average import Average
from assay.training.knobs import Training
from assay.training.loader import Batch
from assay.training.optimizers import build_optimizer
from assay.training.sums import Sum
from assay.training.way import Backward, Way

SAMPLES = 1000
_SEED = 20_140_610
_BETAS = (0.5, 0.99)
_GRIDS = 10
_SHOWN = 64


class Adversarial(Way):
    """Discriminator and generator in turn (Goodfellow et al. 2014, arXiv:1406.2661).

    The loss of a step is the discriminator's. After each epoch 1000 samples of the averaged
    generator, always from the same noise, are measured against the validation rows in the feature
    space of the network's judge. ``on_samples`` is given 64 of them, uint8 (64, channels, height,
    width), after the first epoch and after each tenth of all.
    """

    def __init__(
        self,
        network: Network,
        *,
        knobs: Training,
        augment: Augment,
        is_fused: bool,
        classes: int,
        on_samples: Callable[[int, np.ndarray], None] | None,
    ) -> None:
        super().__init__()
        if knobs.loss != "auto":
            raise ConfigError([f"training.loss: generation takes auto; got {knobs.loss!r}"])
        self.network = network
        self.averaged = Average(network, decay=knobs.average or self._body.average)
        self._knobs, self._augment, self._is_fused = knobs, augment, is_fused
        self._on_samples, self._classes = on_samples, classes
        self._generated, self._apart = Sum(), Sum()
        self._real: list[Tensor] = []

    @property
    def judged(self) -> Network:
        """The network whose generator has averaged weights."""
        return self.averaged.network

    @property
    def _body(self) -> Adversaries:
        body: Any = self.network.body
        return body  # type: ignore[no-any-return]  # a model that gives samples builds this

    def optimizers(self) -> list[Optimizer]:
        """Return the discriminator's and the generator's."""
        return [
            build_optimizer(
                self.network,
                knobs=self._knobs,
                is_fused=self._is_fused,
                part=f"body.{part}.",
                betas=_BETAS,
            )
            for part in ("discriminator", "generator")
        ]

    def update(
        self, batch: Batch, optimizers: Sequence[Optimizer], *, step: int, backward: Backward
    ) -> Tensor:
        """Step the discriminator, then the generator; return the discriminator's loss."""
        of_discriminator, of_generator = optimizers
        inputs = self._augment(batch.inputs, batch.target, step=step).inputs
        images = self.network.given(**inputs)
        of_discriminator.zero_grad()
        apart = self._body.told_apart(images, noise=self._noise(images))
        backward(apart + self._body.penalty_at(images) if self._body.r1 else apart)
        of_discriminator.step()
        of_generator.zero_grad()
        fooled = self._body.fooled(self._noise(images))
        backward(fooled)
        of_generator.step()
        self.averaged.follow(self.network)
        self._generated.add(fooled.detach(), rows=len(images))
        return apart.detach()

    def _noise(self, images: Tensor) -> Tensor:
        return torch.randn(len(images), self._body.latent, device=images.device)

    def validate(self, batch: Batch) -> None:
        """Ask the judge about real images, and the discriminator to tell them from generated ones."""
        images = self.network.given(**batch.inputs)
        noise = _fixed_noise(len(images), self._body.latent, like=images)
        self._apart.add(self._body.told_apart(images, noise=noise), rows=len(images))
        self._real.append(self._opinion(batch.inputs["image"]))

    def row(self, *, epoch: int) -> dict[str, float]:
        """Return the losses of both, and how the samples of this epoch are."""
        images = self._samples()
        features, probability = self._parted(self._opinion(images))
        real, _ = self._parted(torch.cat(self._real))
        found = spread(balls_around(real), features)
        row = {
            "train_generator_loss": self._generated.mean,
            "valid_loss": self._apart.mean,
            "valid_frechet": frechet_distance(real, features),
            "valid_coverage": float(found.covered.mean()),
            "valid_density": float(found.density.mean()),
            "valid_missing_classes": float(len(missing_classes(probability))),
        }
        self._show(epoch, images)
        self._generated.clear()
        self._apart.clear()
        self._real = []
        return row

    @torch.no_grad()
    def _samples(self) -> Tensor:
        weight = next(self._body.generator.parameters())
        noise = _fixed_noise(SAMPLES, self._body.latent, like=weight)
        images: Tensor = self.judged.eval().predict(noise=noise)
        return images

    @torch.no_grad()
    def _opinion(self, images: Tensor) -> Tensor:
        found: Tensor = Opinion(self.network.judge).eval()(images)
        return found

    def _parted(self, found: Tensor) -> tuple[np.ndarray, np.ndarray]:
        return opinion(found.float().cpu().numpy(), classes=self._classes)

    def _show(self, epoch: int, images: Tensor) -> None:
        every = max(1, self._knobs.max_epochs // _GRIDS)
        if self._on_samples and (epoch == 1 or epoch % every == 0):
            self._on_samples(epoch, images[:_SHOWN].cpu().numpy())

    def state(self) -> dict[str, Any]:
        """Return the sum of the generator's loss."""
        return {"generated": self._generated.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._generated.restore(state["generated"])


def _fixed_noise(rows: int, latent: int, *, like: Tensor) -> Tensor:
    """Return the same normal numbers every time, on the device of ``like``."""
    drawn = np.random.default_rng(_SEED).standard_normal((rows, latent), dtype=np.float32)
    return torch.from_numpy(drawn).to(like.device)
