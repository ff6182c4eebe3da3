"""How long one prediction takes."""

from __future__ import annotations

import time

import numpy as np
import torch

from assay.data.prepared import Split
from assay.layers.adversaries import latent_of
from assay.layers.network import Network

_ROWS = 50
_FIRST = 5


def milliseconds_per_prediction(network: Network, split: Split) -> float:
    """Return the median time of answering for a row by itself, over up to 50 rows of a split.

    Through torch, where the network lies, after a few calls that do not count.
    """
    rows = np.arange(min(_FIRST + _ROWS, len(split)))
    seconds = [_seconds(network, split, int(row)) for row in rows]
    return 1000 * float(np.median(seconds[_FIRST:] or seconds))


def _seconds(network: Network, split: Split, row: int) -> float:
    batch = split.batch(np.array([row]))
    inputs = {name: torch.from_numpy(array) for name, array in batch.items()}
    if network.judge is not None:
        inputs = {"noise": torch.zeros(1, latent_of(network))}
    with torch.inference_mode():
        started = time.perf_counter()
        network.predict(**inputs)
        return time.perf_counter() - started
