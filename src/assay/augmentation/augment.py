"""Whole training batches, augmented as the knobs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from assay.augmentation.draws import generator_for
from assay.augmentation.images import augmented_images
from assay.augmentation.knobs import Augmentation
from assay.data.spec import Spec


class Augmented(NamedTuple):
    """Inputs by name and targets; with mixup each row is ``share`` of itself, the rest ``partner``."""

    inputs: dict[str, Tensor]
    target: Tensor
    partner: Tensor | None = None
    share: float = 1.0

    def loss(self, loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor) -> Tensor:
        """Return the mean loss of outputs for these inputs."""
        own = loss(outputs, self.target)
        if self.partner is None:
            return own
        return self.share * own + (1 - self.share) * loss(outputs, self.partner)


class Augment:
    """Calls give a changed copy of a training batch: a pure function of batch, seed and step."""

    def __init__(self, knobs: Augmentation, *, spec: Spec, seed: int) -> None:
        self._knobs, self._spec, self._seed = knobs, spec, seed
        self._changes = spec.image is not None and knobs.image != type(knobs.image)()

    def __call__(self, inputs: Mapping[str, Tensor], target: Tensor, *, step: int) -> Augmented:
        """Return the batch of this step, augmented; the given tensors stay as they are."""
        if not self._changes:
            return Augmented(dict(inputs), target)
        generator = generator_for(self._seed, step=step, device=target.device)
        changed = {**inputs, "image": self._images(inputs["image"], generator)}
        alpha = self._knobs.image.mixup
        if not alpha:
            return Augmented(changed, target)
        share = float(np.random.default_rng([self._seed, step]).beta(alpha, alpha))
        return _mixed(changed, target, share=share, generator=generator)

    def _images(self, images: Tensor, generator: Generator) -> Tensor:
        image = self._spec.image
        if image is None:
            return images
        pixels = images.float()
        mean, std = (
            pixels.new_tensor(numbers).reshape(1, -1, 1, 1) for numbers in (image.mean, image.std)
        )
        return augmented_images(
            pixels, knobs=self._knobs.image, mean=mean, std=std, generator=generator
        )


def _mixed(
    inputs: dict[str, Tensor], target: Tensor, *, share: float, generator: Generator
) -> Augmented:
    """Mix each row with another of its batch (Zhang et al. 2017, arXiv:1710.09412)."""
    order = torch.randperm(len(target), generator=generator, device=target.device)
    images = inputs["image"]
    mixed = share * images + (1 - share) * images[order]
    return Augmented({**inputs, "image": mixed}, target, target[order], share)
