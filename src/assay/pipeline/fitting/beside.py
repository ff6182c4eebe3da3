"""Train what evaluating holds a network against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from assay.layers.network import Network
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.inputs import Inputs
from assay.pipeline.fitting.instruments import FROM_NOTHING, WITH_SAMPLES
from assay.pipeline.fitting.judging import taught_with_samples


def trained_beside(
    network: Network, *, knobs: Effective, inputs: Inputs
) -> dict[str, Mapping[str, Tensor]]:
    """Return weights by the name of what they are for; nothing for most models."""
    if network.judge is not None:
        return {WITH_SAMPLES: taught_with_samples(network, inputs)}
    model: Any = knobs.model
    if not hasattr(model, "yardstick"):
        return {}
    outcome = try_candidate(
        inputs, model=model.yardstick(), training=knobs.training, seed=knobs.seed
    )
    return {FROM_NOTHING: outcome.fit.weights}
