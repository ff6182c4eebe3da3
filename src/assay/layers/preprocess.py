"""The fixed first layer: what the specification learned from training rows, inside the graph.

Nothing here is trained or saved with the weights; ``spec.json`` is the one place for it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assay.data.spec import Column, Image, Spec
from assay.layers.shape import Shape


def preprocess(spec: Spec) -> TablePreprocess | ImagePreprocess:
    """Return the first layer for the specification's kind of data."""
    if spec.image is not None:
        return ImagePreprocess(spec.image)
    return TablePreprocess(numeric=spec.numeric, categorical=spec.categorical)


class ImagePreprocess(nn.Module):
    """uint8 images (batch, C, H, W) to float32 of mean 0 and variance 1 per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, image: Image) -> None:
        super().__init__()
        self.shape = Shape("image", (image.channels, image.height, image.width))
        _constant(self, "mean", torch.tensor(image.mean).reshape(1, -1, 1, 1))
        _constant(self, "std", _divisor(image.std).reshape(1, -1, 1, 1))

    def forward(self, *, image: Tensor) -> Tensor:
        """Return the scaled images."""
        return (image.to(self.mean.dtype) - self.mean) / self.std


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
        self.shape = Shape("vector", (len(numeric) + len(incomplete) + len(codes),))

    def forward(
        self, *, numeric: Tensor | None = None, categorical: Tensor | None = None
    ) -> Tensor:
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
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _constant(module: nn.Module, name: str, value: Tensor) -> None:
    module.register_buffer(name, value, persistent=False)


def _divisor(std: tuple[float, ...]) -> Tensor:
    return torch.tensor([s if s > 0 else 1.0 for s in std])
