"""Samples of a registered generator beside the rows of a batch, labelled by the generator's judge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from assay.augmentation.knobs import OfSamples
from assay.data.spec import Image, Spec, required
from assay.errors import ConfigError
from assay.layers.adversaries import latent_of
from assay.layers.versions import version_generator

_KEY = "training.augmentation.samples.source"
_STREAM = 1
"""Tells the noise of samples from what else is drawn of seed and step."""


class Samples:
    """Calls give a batch with samples behind its rows: a pure function of batch, seed and step.

    Raises ConfigError where the generator does not fit ``spec``: another task, size or class, or
    other training rows, of which some may be held back here.
    """

    def __init__(self, knobs: OfSamples, *, spec: Spec, seed: int) -> None:
        source = required(knobs.source)
        self._generator, of = version_generator(source, knobs.digest)
        if misfit := _misfit(of, spec):
            raise ConfigError([f"{_KEY}: {source} {misfit}"])
        self._share, self._seed = knobs.share, seed

    def __call__(
        self, inputs: Mapping[str, Tensor], target: Tensor, *, step: int
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the batch of this step with its samples; the given tensors stay as they are."""
        rows = max(1, round(self._share * len(target)))
        random = np.random.default_rng([self._seed, step, _STREAM])
        noise = random.standard_normal((rows, latent_of(self._generator)), dtype=np.float32)
        images, codes = self._drawn(torch.from_numpy(noise).to(target.device))
        both = torch.cat([inputs["image"], images])
        return {**inputs, "image": both}, torch.cat([target, codes.to(target.dtype)])

    @torch.no_grad()
    def _drawn(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return images, uint8, and the codes of the classes that the judge sees in them."""
        generator = self._generator.to(noise.device)
        images = generator.predict(noise=noise)
        judged = required(generator.judge).predict(image=images).argmax(1)
        return images, judged


def _misfit(of: Spec, spec: Spec) -> str:
    """Say why samples are no rows of this data; nothing where they are."""
    if spec.task != "classification" or spec.image is None:
        return f"makes images with classes; {spec.task} of {spec.kind} data takes none"
    ours, theirs = spec.image, required(of.image)
    if _size(ours) != _size(theirs):
        return f"makes images of {_words(theirs)}; the images of this data have {_words(ours)}"
    if strange := [label for label in of.classes if label not in spec.classes]:
        return f"makes images of {strange[0]!r}, which is no class of this data"
    if _rows(of) != _rows(spec):
        return (
            "learned from other training rows than these: its samples could carry what validation or "
            "test rows hold. Train the generator on this data, divided alike"
        )
    return ""


def _size(image: Image) -> tuple[int, int, int]:
    return image.channels, image.height, image.width


def _words(image: Image) -> str:
    return f"{image.channels} x {image.height} x {image.width} numbers"


def _rows(spec: Spec) -> tuple[object, ...]:
    """Return what tells one set of training rows from another."""
    image = required(spec.image)
    return spec.train_rows, spec.classes, spec.class_counts, image.mean, image.std
