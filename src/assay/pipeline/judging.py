"""Teach a generator's judge: a classifier of the same training rows, once for a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from assay.layers.judge import Judge
from assay.layers.network import Network
from assay.pipeline.inputs import Inputs
from assay.training.fit import fit
from assay.training.knobs import EarlyStopping, Training

KNOBS = Training(max_epochs=20, threads=1, average=None, early_stopping=EarlyStopping(patience=5))
"""The same for every generator, so that their distances can be compared."""


def teach(judge: Network, inputs: Inputs) -> None:
    """Give a judge the weights that the training rows lead to, for good."""
    judge.load_state_dict(_taught(inputs))
    judge.eval().requires_grad_(False)


@lru_cache(maxsize=1)
def _taught(inputs: Inputs) -> Mapping[str, Tensor]:
    spec = replace(inputs.spec, task="classification")
    torch.manual_seed(0)
    network = Network(spec=spec, model=Judge())
    fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=spec,
        knobs=KNOBS,
        seed=0,
        on_epoch=lambda epoch, row: None,
        progress=False,
    )
    return network.state_dict()
