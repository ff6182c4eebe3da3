"""A multilayer perceptron, plain or residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt
from torch import Tensor, nn

from assay.layers.activation import Activation, activation
from assay.layers.normalisation import Normalisation, normalisation
from assay.layers.shape import InputKind, Shape


@dataclass(frozen=True, kw_only=True)
class Mlp:
    """Knobs of the perceptron: ``depth`` hidden layers of ``width`` units.

    ``residual`` adds each hidden layer but the first to what it was given (Gorishniy et al. 2021,
    arXiv:2106.11959, for tables).
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("vector",)

    width: Annotated[int, Ge(1)] = 128
    depth: Annotated[int, Ge(1)] = 2
    activation: Activation = "relu"
    normalisation: Normalisation = "batch"
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
    residual: bool = False

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from (batch, features) to (batch, outputs)."""
        first = self._layer(shape.sizes[0])
        rest = [self._layer(self.width) for _ in range(self.depth - 1)]
        if self.residual:
            rest = [_Residual(layer) for layer in rest]
        return nn.Sequential(first, *rest, nn.Linear(self.width, outputs))

    def _layer(self, features: int) -> nn.Module:
        layers = [
            nn.Linear(features, self.width),
            normalisation(self.normalisation, width=self.width, kind="vector"),
            activation(self.activation),
            nn.Dropout(self.dropout) if self.dropout else nn.Identity(),
        ]
        return nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Identity)))


class _Residual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, vector: Tensor) -> Tensor:
        result: Tensor = vector + self.layer(vector)
        return result
