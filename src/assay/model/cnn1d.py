"""A temporal convolutional network with dilated residual blocks (Bai et al. 2018, arXiv:1803.01271)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Lt
from torch import Tensor, nn
from torch.nn import functional

from assay.layers.activation import Activation, activation
from assay.layers.shape import Gives, InputKind, Shape
from assay.layers.steps import Pooled, StepInput, StepPooling, inside


@dataclass(frozen=True, kw_only=True)
class Cnn1d:
    """``blocks`` residual blocks of ``width`` channels, each with twice the dilation of the one before.

    A block is two convolutions over ``kernel`` steps. ``layer`` normalises the channels of each step
    by itself, so that neither padding nor a neighbour changes a row.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("sequence", "tokens")
    gives: ClassVar[tuple[Gives, ...]] = ("row", "step")

    width: Annotated[int, Ge(1)] = 64
    blocks: Annotated[int, Ge(1), Le(12)] = 3
    kernel: Annotated[int, Ge(2), Le(31)] = 3
    activation: Activation = "relu"
    normalisation: Literal["none", "layer"] = "layer"
    pooling: StepPooling = "max"
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from steps and lengths to (batch, outputs), or (batch, steps, outputs)."""
        blocks = [_Block(self, 2**i, is_causal=shape.is_causal) for i in range(self.blocks)]
        return _Body(
            StepInput(shape, self.width),
            blocks,
            pooled=Pooled(self.pooling) if shape.gives == "row" else None,
            head=nn.Sequential(nn.Dropout(self.dropout), nn.Linear(self.width, outputs)),
        )


class _Body(nn.Module):
    def __init__(
        self, first: nn.Module, blocks: list[_Block], *, pooled: Pooled | None, head: nn.Module
    ) -> None:
        super().__init__()
        self.first, self.blocks, self.head = first, nn.ModuleList(blocks), head
        self.pooled = pooled

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        features = self.first(steps, lengths)
        for block in self.blocks:
            features = block(features, lengths)
        if self.pooled is not None:
            features = self.pooled(features, lengths)
        outputs: Tensor = self.head(features)
        return outputs


class _Block(nn.Module):
    def __init__(self, knobs: Cnn1d, dilation: int, *, is_causal: bool) -> None:
        super().__init__()
        width, reach = knobs.width, (knobs.kernel - 1) * dilation
        self.sides = (reach, 0) if is_causal else (reach // 2, reach - reach // 2)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, knobs.kernel, dilation=dilation) for _ in range(2)
        )
        has_norm = knobs.normalisation == "layer"
        self.norms = nn.ModuleList(
            nn.LayerNorm(width) if has_norm else nn.Identity() for _ in range(2)
        )
        self.activations = nn.ModuleList(activation(knobs.activation) for _ in range(2))
        self.dropout = nn.Dropout(knobs.dropout)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        is_inside, features = inside(steps, lengths), steps
        for turn, norm, act in zip(self.convolutions, self.norms, self.activations, strict=True):
            padded = functional.pad(features.transpose(1, 2), self.sides)
            features = self.dropout(act(norm(turn(padded).transpose(1, 2)))) * is_inside
        return steps + features
