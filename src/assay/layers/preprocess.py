"""The fixed first layer: what the specification learned from training rows, inside the graph.

Nothing here is trained or saved with the weights; ``spec.json`` is the one place for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from assay.data.spec import Column, Image, Kind, Series, Spec, Text, required
from assay.layers.shape import Shape

Given: TypeAlias = tuple[Tensor, ...]
"""What a body is given: its input and, for sequences and tokens, the lengths of the rows."""


def preprocess(spec: Spec) -> Preprocess:
    """Return the first layer for the specification's kind of data."""
    if spec.task == "generation":
        return RangePreprocess(required(spec.image))
    return _KINDS[spec.kind](spec)


class RangePreprocess(nn.Module):
    """uint8 images (batch, C, H, W) to float32 of -1 to 1, the ends of the levels of training rows."""

    lowest: Tensor
    span: Tensor

    def __init__(self, image: Image) -> None:
        super().__init__()
        self.shape = Shape("image", (image.channels, image.height, image.width))
        lowest, span = level_range(image)
        _constant(self, "lowest", lowest)
        _constant(self, "span", span)

    def forward(self, *, image: Tensor) -> Given:
        """Return the scaled images."""
        return ((image.to(self.span.dtype) - self.lowest) / self.span * 2 - 1,)


def level_range(image: Image) -> tuple[Tensor, Tensor]:
    """Return the lowest level of each channel and how many lie above it, (1, channels, 1, 1)."""
    lowest = torch.tensor(image.lowest, dtype=torch.float32).reshape(1, -1, 1, 1)
    highest = torch.tensor(image.highest, dtype=torch.float32).reshape(1, -1, 1, 1)
    return lowest, (highest - lowest).clamp(min=1.0)


def mask(lengths: Tensor, *, steps: int) -> Tensor:
    """Return bool (batch, steps): which steps lie before their row's end."""
    return torch.arange(steps, device=lengths.device).unsqueeze(0) < lengths.unsqueeze(1)


class ImagePreprocess(nn.Module):
    """uint8 images (batch, C, H, W) to float32 of mean 0 and variance 1 per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, image: Image) -> None:
        super().__init__()
        self.shape = Shape("image", (image.channels, image.height, image.width))
        _constant(self, "mean", torch.tensor(image.mean).reshape(1, -1, 1, 1))
        _constant(self, "std", _divisor(image.std).reshape(1, -1, 1, 1))

    def forward(self, *, image: Tensor) -> Given:
        """Return the scaled images."""
        return ((image.to(self.mean.dtype) - self.mean) / self.std,)


class SeriesPreprocess(nn.Module):
    """Sequences (batch, steps, C) to mean 0 and variance 1 per channel.

    A missing number is 0, the mean; so is all that comes after a row's end.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, series: Series) -> None:
        super().__init__()
        self.shape = Shape("sequence", (series.steps, len(series.channels)))
        _constant(self, "mean", torch.tensor(series.mean))
        _constant(self, "std", _divisor(series.std))

    def forward(self, *, sequence: Tensor, lengths: Tensor) -> Given:
        """Return the scaled sequences and their lengths."""
        scaled = torch.nan_to_num((sequence - self.mean) / self.std, nan=0.0)
        is_inside = mask(lengths, steps=sequence.shape[1]).unsqueeze(2)
        return torch.where(is_inside, scaled, torch.zeros_like(scaled)), lengths


class TokenPreprocess(nn.Module):
    """Tokens (batch, steps) as they are, with 0 for whatever comes after a text's end."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self.shape = Shape("tokens", (text.steps, text.vocabulary))

    def forward(self, *, tokens: Tensor, lengths: Tensor) -> Given:
        """Return ids and lengths."""
        return tokens * mask(lengths, steps=tokens.shape[1]), lengths


class TablePreprocess(nn.Module):
    """Columns of a table to one vector of features.

    A missing number becomes the column's median, and columns that miss some in training say so in
    a feature of their own. Numbers are scaled to mean 0 and variance 1; a category is one-hot, and
    an unknown or missing one is all zeros.
    """

    median: Tensor
    mean: Tensor
    std: Tensor
    incomplete: Tensor
    column: Tensor
    code: Tensor

    def __init__(self, *, numeric: tuple[Column, ...], categorical: tuple[Column, ...]) -> None:
        super().__init__()
        self.has_numeric, self.has_categorical = bool(numeric), bool(categorical)
        incomplete = [i for i, c in enumerate(numeric) if c.missing > 0]
        self.has_incomplete = bool(incomplete)
        codes = [
            (i, code) for i, c in enumerate(categorical) for code in range(1, len(c.categories) + 1)
        ]
        _constant(self, "median", torch.tensor([c.median for c in numeric]))
        _constant(self, "mean", torch.tensor([c.mean for c in numeric]))
        _constant(self, "std", _divisor(tuple(c.std for c in numeric)))
        _constant(self, "incomplete", torch.tensor(incomplete, dtype=torch.int64))
        _constant(self, "column", torch.tensor([i for i, _ in codes], dtype=torch.int64))
        _constant(self, "code", torch.tensor([code for _, code in codes], dtype=torch.int64))
        first = len(numeric) + len(incomplete)
        self.shape = Shape("vector", (first + len(codes),), one_hot=_blocks(categorical, first))

    def forward(self, *, numeric: Tensor | None = None, categorical: Tensor | None = None) -> Given:
        """Return float32 features (batch, ``shape.sizes[0]``)."""
        parts = []
        if self.has_numeric and numeric is not None:
            is_missing = torch.isnan(numeric)
            parts.append((torch.where(is_missing, self.median, numeric) - self.mean) / self.std)
            if self.has_incomplete:
                parts.append(is_missing.index_select(1, self.incomplete).to(self.mean.dtype))
        if self.has_categorical and categorical is not None:
            is_category = categorical.index_select(1, self.column) == self.code
            parts.append(is_category.to(self.mean.dtype))
        return (parts[0] if len(parts) == 1 else torch.cat(parts, dim=1),)


Preprocess: TypeAlias = (
    TablePreprocess | ImagePreprocess | RangePreprocess | SeriesPreprocess | TokenPreprocess
)

_KINDS: Mapping[Kind, Callable[[Spec], Preprocess]] = {
    "table": lambda spec: TablePreprocess(numeric=spec.numeric, categorical=spec.categorical),
    "image": lambda spec: ImagePreprocess(required(spec.image)),
    "sequence": lambda spec: SeriesPreprocess(required(spec.series)),
    "text": lambda spec: TokenPreprocess(required(spec.text)),
}


def _blocks(categorical: tuple[Column, ...], first: int) -> tuple[tuple[int, int], ...]:
    """Return where each column's categories begin among the features, and how many there are."""
    counts = [len(column.categories) for column in categorical]
    starts = [first + sum(counts[:i]) for i in range(len(counts))]
    return tuple(zip(starts, counts, strict=True))


def _constant(module: nn.Module, name: str, value: Tensor) -> None:
    module.register_buffer(name, value, persistent=False)


def _divisor(std: tuple[float, ...]) -> Tensor:
    return torch.tensor([s if s > 0 else 1.0 for s in std])
