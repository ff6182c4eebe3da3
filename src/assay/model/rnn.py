"""A recurrent network of Elman (1990, doi:10.1207/s15516709cog1402_1) cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from assay.layers.recurrent import Dropout, RecurrentBody, Units
from assay.layers.shape import Gives, InputKind, Shape
from assay.layers.steps import StepPooling


@dataclass(frozen=True, kw_only=True)
class Rnn:
    """``layers`` layers of ``units`` cells, read in one direction or in both.

    A row is summed up by ``pooling`` over its own steps; ``dropout`` acts between the layers and
    before the last one.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("sequence", "tokens")
    gives: ClassVar[tuple[Gives, ...]] = ("row", "step")

    units: Units = 64
    layers: Units = 1
    bidirectional: bool = False
    pooling: StepPooling = "mean"
    dropout: Dropout = 0.1

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from steps and lengths to (batch, outputs), or (batch, steps, outputs)."""
        return RecurrentBody(
            "rnn",
            shape,
            outputs,
            units=self.units,
            layers=self.layers,
            is_both=self.bidirectional,
            pooling=self.pooling,
            dropout=self.dropout,
        )
