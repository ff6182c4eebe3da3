"""An exponential moving average of a network's weights (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from assay.layers.network import Network


class Average(nn.Module):
    """A network whose weights and running statistics follow another's.

    After the first step they are the other's; after each further one, ``decay`` times their own plus
    ``1 - decay`` times the other's. Whole numbers, such as codes and counts, are the other's.
    """

    def __init__(self, network: Network, *, decay: float) -> None:
        super().__init__()

        def follow(averages: Sequence[Tensor], currents: Sequence[Tensor], _: object) -> None:
            with torch.no_grad():
                for average, current in zip(averages, currents, strict=True):
                    if average.is_floating_point():
                        average.lerp_(current, 1 - decay)
                    else:  # torch's own average would truncate them
                        average.copy_(current)

        self._averaged = AveragedModel(network, multi_avg_fn=follow, use_buffers=True)

    def follow(self, network: Network) -> None:
        """Take the network's weights after a step into account."""
        self._averaged.update_parameters(network)

    @property
    def network(self) -> Network:
        """The network with averaged weights."""
        averaged: Network = self._averaged.module  # type: ignore[assignment]  # a copy of a Network
        return averaged
