"""A recurrent network of gated recurrent units (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from assay.layers.recurrent import Dropout, RecurrentBody, Units
from assay.layers.shape import Gives, InputKind, Shape
from assay.layers.steps import StepPooling


@dataclass(frozen=True, kw_only=True)
class Gru:
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
            "gru",
            shape,
            outputs,
            units=self.units,
            layers=self.layers,
            is_both=self.bidirectional,
            pooling=self.pooling,
            dropout=self.dropout,
        )
