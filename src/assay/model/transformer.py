"""A transformer encoder (Vaswani et al. 2017, arXiv:1706.03762), normalised before each block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, cast

import torch
from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from assay.errors import ConfigError
from assay.layers.preprocess import mask
from assay.layers.shape import Gives, InputKind, Shape
from assay.layers.steps import Pooled, StepInput

Positions = Literal["learned", "sinusoidal"]
_LONGEST_WAVE = 10_000.0


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """``layers`` blocks of ``heads`` heads over ``width`` features, with an inner width of ``inner``.

    Layers are normalised before attention (Xiong et al. 2020, arXiv:2002.04745). Images are cut into
    ``patch`` by ``patch`` pixels (Dosovitskiy et al. 2020, arXiv:2010.11929). Of ``learned``
    positions there are as many as the longest training row has; a later step takes the last one.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("tokens", "sequence", "image")
    gives: ClassVar[tuple[Gives, ...]] = ("row", "step")

    width: Annotated[int, Ge(2)] = 64
    layers: Annotated[int, Ge(1), Le(48)] = 2
    heads: Annotated[int, Ge(1)] = 4
    inner: Annotated[int, Ge(1)] = 128
    positions: Positions = "learned"
    patch: Annotated[int, Ge(1)] = 4
    pooling: Literal["mean", "max", "last"] = "mean"
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads or self.width % 2:
            raise ValueError(
                f"width ({self.width}) must be even and a multiple of heads ({self.heads})"
            )

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from images, or steps and lengths, to (batch, outputs) or a step's."""
        first, steps = self._first(shape)
        return _Body(
            first,
            place=_Place(self.positions, width=self.width, steps=steps),
            blocks=[_Block(self, is_causal=shape.is_causal) for _ in range(self.layers)],
            pooled=Pooled(self.pooling) if shape.gives == "row" else None,
            head=nn.Linear(self.width, outputs),
            dropout=self.dropout,
        )

    def _first(self, shape: Shape) -> tuple[nn.Module, int]:
        if shape.kind != "image":
            return _Steps(StepInput(shape, self.width)), shape.sizes[0]
        if min(shape.sizes[1:]) < self.patch:
            raise ConfigError(
                [f"model.patch: {self.patch} is larger than the images, {shape.sizes[1:]}"]
            )
        patches = _Patches(shape.sizes[0], self.width, patch=self.patch)
        return patches, math.prod(-(-side // self.patch) for side in shape.sizes[1:])


class _Body(nn.Module):
    def __init__(
        self,
        first: nn.Module,
        *,
        place: nn.Module,
        blocks: list[_Block],
        pooled: Pooled | None,
        head: nn.Linear,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first, self.place, self.blocks = first, place, nn.ModuleList(blocks)
        self.dropout, self.head, self.pooled = nn.Dropout(dropout), head, pooled
        self.final = nn.LayerNorm(head.in_features)

    def forward(self, *given: Tensor) -> Tensor:
        features, lengths = self.first(*given)
        features = self.dropout(self.place(features))
        hidden = ~mask(lengths, steps=features.shape[1])
        for block in self.blocks:
            features = block(features, hidden)
        features = self.final(features)
        if self.pooled is not None:
            features = self.pooled(features, lengths)
        outputs: Tensor = self.head(self.dropout(features))
        return outputs

    def attention(self, *given: Tensor) -> Tensor:
        """Return each block's attention, its heads averaged: (layers, batch, steps, steps)."""
        features, lengths = self.first(*given)
        features = self.place(features)
        hidden = ~mask(lengths, steps=features.shape[1])
        maps = []
        for block in cast(Iterable[_Block], self.blocks):
            maps.append(block.weights(features, hidden).mean(dim=1))
            features = block(features, hidden)
        return torch.stack(maps)


class _Steps(nn.Module):
    def __init__(self, first: StepInput) -> None:
        super().__init__()
        self.first = first

    def forward(self, steps: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.first(steps, lengths), lengths


class _Patches(nn.Module):
    """Squares of an image, row by row, as steps; what does not fill a square is filled with zeros."""

    def __init__(self, channels: int, width: int, *, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.layer = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        down, across = (-side % self.patch for side in images.shape[2:])
        padded = nn.functional.pad(images, (0, across, 0, down))
        steps = self.layer(padded).flatten(2).transpose(1, 2)
        lengths = torch.full(
            (steps.shape[0],), steps.shape[1], dtype=torch.int64, device=images.device
        )
        return steps, lengths


class _Place(nn.Module):
    """Adds to each step what says where it is."""

    waves: Tensor

    def __init__(self, how: Positions, *, width: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.learned = nn.Embedding(steps, width) if how == "learned" else None
        if self.learned is not None:
            nn.init.normal_(self.learned.weight, std=0.02)
        frequencies = _LONGEST_WAVE ** -(torch.arange(0, width, 2) / width)
        self.register_buffer("waves", frequencies, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        places = torch.arange(features.shape[1], device=features.device)
        if self.learned is not None:
            added: Tensor = self.learned(places.clamp(max=self.steps - 1))
        else:
            angles = places.unsqueeze(1) * self.waves
            added = torch.cat([angles.sin(), angles.cos()], dim=1)
        return features + added


class _Block(nn.Module):
    def __init__(self, knobs: Transformer, *, is_causal: bool) -> None:
        super().__init__()
        width, self.heads, self.is_causal = knobs.width, knobs.heads, is_causal
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner = nn.Sequential(
            nn.Linear(width, knobs.inner),
            nn.GELU(),
            nn.Dropout(knobs.dropout),
            nn.Linear(knobs.inner, width),
        )
        self.dropout = nn.Dropout(knobs.dropout)

    def forward(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Return (batch, steps, width); ``hidden`` (batch, steps) says what lies after a row's end."""
        query, key, value = self._parts(features)
        weights = self.dropout(self._weights(query, key, hidden))
        mixed = (weights @ value).transpose(1, 2).flatten(2)
        features = features + self.dropout(self.mixed(mixed))
        result: Tensor = features + self.dropout(self.inner(self.between(features)))
        return result

    def weights(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Return how much each step looks at each, (batch, heads, steps, steps), rows sum to 1."""
        query, key, _ = self._parts(features)
        return self._weights(query, key, hidden)

    def _parts(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.asked(self.before(features))
        query, key, value = parts.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _weights(self, query: Tensor, key: Tensor, hidden: Tensor) -> Tensor:
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        unseen = hidden[:, None, None, :]
        if self.is_causal:
            places = torch.arange(query.shape[2], device=query.device)
            unseen = unseen | (places[None, :] > places[:, None])
        return torch.softmax(scores.masked_fill(unseen, -torch.inf), dim=-1)
