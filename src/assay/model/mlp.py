"""A multilayer perceptron, plain or residual."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from assay.layers.activation import Activation, activation
from assay.layers.normalisation import Normalisation, normalisation
from assay.layers.shape import InputKind, Shape


@dataclass(frozen=True, kw_only=True)
class Mlp:
    """Knobs of the perceptron: ``depth`` hidden layers of ``width`` units.

    ``residual`` adds each hidden layer but the first to what it was given (Gorishniy et al. 2021,
    arXiv:2106.11959, for tables). ``embedding`` numbers stand for each category of a column in
    place of its one-hot features (Guo and Berkhahn 2016, arXiv:1604.06737); 0 leaves those.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("vector",)

    width: Annotated[int, Ge(1)] = 128
    depth: Annotated[int, Ge(1)] = 2
    activation: Activation = "relu"
    normalisation: Normalisation = "batch"
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
    residual: bool = False
    embedding: Annotated[int, Ge(0)] = 0

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from (batch, features) to (batch, outputs)."""
        embedded = _Embedded(shape, size=self.embedding) if self._embeds(shape) else nn.Identity()
        first = self._layer(embedded.width if isinstance(embedded, _Embedded) else shape.sizes[0])
        rest = [self._layer(self.width) for _ in range(self.depth - 1)]
        if self.residual:
            rest = [_Residual(layer) for layer in rest]
        layers = (embedded, first, *rest, nn.Linear(self.width, outputs))
        return nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Identity)))

    def _embeds(self, shape: Shape) -> bool:
        return self.embedding > 0 and any(count for _, count in shape.one_hot)

    def _layer(self, features: int) -> nn.Module:
        layers = [
            nn.Linear(features, self.width),
            normalisation(self.normalisation, width=self.width, kind="vector"),
            activation(self.activation),
            nn.Dropout(self.dropout) if self.dropout else nn.Identity(),
        ]
        return nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Identity)))


class _Embedded(nn.Module):
    """A linear map of each column's one-hot features, which is a table of embeddings.

    An unknown or missing category has no feature, so its embedding is zeros.
    """

    def __init__(self, shape: Shape, *, size: int) -> None:
        super().__init__()
        blocks = [(first, count) for first, count in shape.one_hot if count]
        edges = [0, *(edge for first, count in blocks for edge in (first, first + count))]
        self.spans = list(pairwise([*edges, shape.sizes[0]]))
        maps = [nn.Linear(count, min(size, count), bias=False) for _, count in blocks]
        self.maps = nn.ModuleList(maps)
        others = sum(end - start for start, end in self.spans[::2])
        self.width = others + sum(one.out_features for one in maps)

    def forward(self, vector: Tensor) -> Tensor:
        parts = [vector[:, start:end] for start, end in self.spans]
        parts[1::2] = [one(part) for one, part in zip(self.maps, parts[1::2], strict=True)]
        return torch.cat([part for part in parts if part.shape[1]], dim=1)


class _Residual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, vector: Tensor) -> Tensor:
        result: Tensor = vector + self.layer(vector)
        return result
