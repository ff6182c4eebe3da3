"""Teach a generator's judge: a classifier of the same training rows, once for a process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from assay.data.prepared import Split, write_pieces
from assay.data.spec import required
from assay.inference.signature import IMAGE
from assay.layers.adversaries import latent_of
from assay.layers.judge import Judge
from assay.layers.network import Network
from assay.pipeline.fitting.inputs import Inputs
from assay.training.fit import fit
from assay.training.knobs import EarlyStopping, Training

KNOBS = Training(max_epochs=20, threads=1, average=None, early_stopping=EarlyStopping(patience=5))
"""The same for every generator, so that their distances can be compared."""
_AT_ONCE = 512


def teach(judge: Network, inputs: Inputs) -> None:
    """Give a judge the weights that the training rows lead to, for good."""
    judge.load_state_dict(_taught(inputs))
    judge.eval().requires_grad_(False)


def taught_with_samples(network: Network, inputs: Inputs) -> Mapping[str, Tensor]:
    """Return a judge's weights from training rows and as many samples, in as many steps as without.

    The samples' classes are what the generator's own judge takes them for.
    """
    rows = np.arange(len(inputs.train))
    images, codes = _labelled_samples(network, len(rows))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pieces(folder, IMAGE, np.concatenate([inputs.train.batch(rows)[IMAGE], images]))
        np.save(folder / "target.npy", np.concatenate([inputs.train.targets(rows), codes]))
        both = replace(inputs, train=Split(folder))
        return _fitted(both, knobs=replace(KNOBS, max_epochs=KNOBS.max_epochs // 2))


def _labelled_samples(network: Network, count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    images, codes = [], []
    with torch.inference_mode():
        for start in range(0, count, _AT_ONCE):
            rows = min(_AT_ONCE, count - start)
            drawn = network.eval().predict(
                noise=torch.randn(rows, latent_of(network), generator=generator)
            )
            images.append(drawn.numpy())
            codes.append(required(network.judge).predict(image=drawn).argmax(1).numpy())
    return np.concatenate(images), np.concatenate(codes)


@lru_cache(maxsize=1)
def _taught(inputs: Inputs) -> Mapping[str, Tensor]:
    return _fitted(inputs, knobs=KNOBS)


def _fitted(inputs: Inputs, *, knobs: Training) -> Mapping[str, Tensor]:
    spec = replace(inputs.spec, task="classification")
    torch.manual_seed(0)
    network = Network(spec=spec, model=Judge())
    fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=spec,
        knobs=knobs,
        seed=0,
        on_epoch=lambda epoch, row: None,
        progress=False,
    )
    return network.state_dict()
