"""Train what evaluating holds a network against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from assay.augmentation.knobs import OfSamples
from assay.baselines.beside import FROM_NOTHING, WITHOUT_SAMPLES
from assay.layers.network import Network
from assay.layers.shape import Model
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.inputs import Inputs
from assay.pipeline.fitting.instruments import WITH_SAMPLES
from assay.pipeline.fitting.judging import taught_with_samples
from assay.training.knobs import Training


def trained_beside(
    network: Network, *, knobs: Effective, inputs: Inputs
) -> dict[str, Mapping[str, Tensor]]:
    """Return weights by the name of what they are for; nothing for most models."""
    if network.judge is not None:
        return {WITH_SAMPLES: taught_with_samples(network, inputs)}
    model: Any = knobs.model
    asked: dict[str, tuple[Model, Training]] = {}
    if hasattr(model, "yardstick"):
        asked[FROM_NOTHING] = (model.yardstick(), knobs.training)
    if knobs.training.augmentation.samples.source:
        asked[WITHOUT_SAMPLES] = (model, without_samples(knobs.training))
    return {name: _weights(inputs, *each, seed=knobs.seed) for name, each in asked.items()}


def without_samples(training: Training) -> Training:
    """Return the same training on its own rows alone: as many steps, the same rows in each."""
    augmentation = replace(training.augmentation, samples=OfSamples())
    return replace(training, augmentation=augmentation)


def _weights(
    inputs: Inputs, model: Model, training: Training, *, seed: int
) -> Mapping[str, Tensor]:
    return try_candidate(inputs, model=model, training=training, seed=seed).fit.weights
