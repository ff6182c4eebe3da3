"""Whole training batches, augmented as the knobs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor

from assay.augmentation.draws import generator_for
from assay.augmentation.images import augmented_images
from assay.augmentation.knobs import Augmentation
from assay.augmentation.samples import Samples
from assay.augmentation.sequences import augmented_sequences
from assay.augmentation.text import augmented_tokens
from assay.data.prepared import LENGTHS
from assay.data.spec import Kind, Spec, required
from assay.data.tokenizer import UNKNOWN, load_tokenizer

Change: TypeAlias = Callable[[Mapping[str, Tensor], Generator], dict[str, Tensor]]
"""From a batch's inputs to those that are changed."""

_FIRST_UNKNOWN = 1


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
        nothing = getattr(Augmentation(), spec.kind, None)
        is_asked_for = getattr(knobs, spec.kind, None) != nothing
        self._change = _KINDS[spec.kind](knobs, spec) if is_asked_for else None
        self._mixup = knobs.image.mixup if spec.kind == "image" else 0.0
        self._samples = (
            Samples(knobs.samples, spec=spec, seed=seed) if knobs.samples.source else None
        )
        self._seed = seed

    def __call__(self, inputs: Mapping[str, Tensor], target: Tensor, *, step: int) -> Augmented:
        """Return the batch of this step, augmented; the given tensors stay as they are."""
        if self._samples is not None:
            inputs, target = self._samples(inputs, target, step=step)
        if self._change is None:
            return Augmented(dict(inputs), target)
        generator = generator_for(self._seed, step=step, device=target.device)
        changed = {**inputs, **self._change(inputs, generator)}
        if not self._mixup:
            return Augmented(changed, target)
        share = float(np.random.default_rng([self._seed, step]).beta(self._mixup, self._mixup))
        return _mixed(changed, target, share=share, generator=generator)


def _images(knobs: Augmentation, spec: Spec) -> Change:
    image = required(spec.image)

    def change(inputs: Mapping[str, Tensor], generator: Generator) -> dict[str, Tensor]:
        pixels = inputs["image"].float()
        mean, std = (pixels.new_tensor(v).reshape(1, -1, 1, 1) for v in (image.mean, image.std))
        return {
            "image": augmented_images(
                pixels, knobs=knobs.image, mean=mean, std=std, generator=generator
            )
        }

    return change


def _sequences(knobs: Augmentation, spec: Spec) -> Change:
    series = required(spec.series)

    def change(inputs: Mapping[str, Tensor], generator: Generator) -> dict[str, Tensor]:
        sequence = inputs["sequence"]
        mean, std = (sequence.new_tensor(values) for values in (series.mean, series.std))
        return {
            "sequence": augmented_sequences(
                sequence,
                lengths=inputs[LENGTHS],
                knobs=knobs.sequence,
                mean=mean,
                std=std,
                generator=generator,
            )
        }

    return change


def _tokens(knobs: Augmentation, spec: Spec) -> Change:
    unknown = load_tokenizer(required(spec.text).tokenizer).token_to_id(UNKNOWN)

    def change(inputs: Mapping[str, Tensor], generator: Generator) -> dict[str, Tensor]:
        return {
            "tokens": augmented_tokens(
                inputs["tokens"],
                lengths=inputs[LENGTHS],
                knobs=knobs.text,
                unknown=_FIRST_UNKNOWN if unknown is None else unknown,
                generator=generator,
            )
        }

    return change


_KINDS: Mapping[Kind, Callable[[Augmentation, Spec], Change]] = {
    "image": _images,
    "sequence": _sequences,
    "text": _tokens,
}


def _mixed(
    inputs: dict[str, Tensor], target: Tensor, *, share: float, generator: Generator
) -> Augmented:
    """Mix each row with another of its batch (Zhang et al. 2017, arXiv:1710.09412)."""
    order = torch.randperm(len(target), generator=generator, device=target.device)
    images = inputs["image"]
    mixed = share * images + (1 - share) * images[order]
    return Augmented({**inputs, "image": mixed}, target, target[order], share)
