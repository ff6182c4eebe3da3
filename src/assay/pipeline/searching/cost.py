"""What a network costs beside what it is worth: what a leaderboard shows and a search may make small."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from assay.data.prepared import Split
from assay.layers.network import Network
from assay.pipeline.searching.latency import milliseconds_per_prediction
from assay.tuning.knobs import CostName

COSTS: tuple[CostName, ...] = get_args(CostName)


def costs(names: Sequence[CostName], *, network: Network, split: Split) -> dict[str, float]:
    """Return the named costs of a fitted network, measured on rows of a split."""
    return {name: _COSTS[name](network, split) for name in names}


def _parameters(network: Network, split: Split) -> float:
    """Return how many numbers a network has learned, here or before."""
    return float(sum(p.numel() for p in network.parameters()))


_COSTS: Mapping[CostName, Callable[[Network, Split], float]] = {
    "parameters": _parameters,
    "latency_ms": milliseconds_per_prediction,
}
