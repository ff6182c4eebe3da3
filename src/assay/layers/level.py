"""The level of a series, taken out before a body and put back into what it forecasts.

A network that is fitted to levels cannot follow a series to where it has not been; differences to
the last step it can (the NLinear of Zeng et al. 2023, arXiv:2205.13504).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from assay.data.spec import Forecast
from assay.layers.steps import at_step, inside


class Level(nn.Module):
    """The last step of what is forecast: the first channels of a scaled sequence."""

    def __init__(self, forecast: Forecast) -> None:
        super().__init__()
        self.series, self.horizon = len(forecast.series), forecast.horizon

    def out_of(self, sequence: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sequence without its level, zero after a row's end, and the level (batch, series)."""
        level = at_step(sequence, lengths - 1)[:, : self.series]
        of_channels = functional.pad(level, (0, sequence.shape[2] - self.series))
        return (sequence - of_channels.unsqueeze(1)) * inside(sequence, lengths), level

    def into(self, outputs: Tensor, level: Tensor) -> Tensor:
        """Return scaled forecasts (batch, horizon x series) at the level.

        A body of several members gives several times as many rows, one member's behind the other's.
        """
        if self.training and len(outputs) != len(level):
            level = level.repeat(len(outputs) // len(level), 1)
        return outputs + level.repeat(1, self.horizon)
