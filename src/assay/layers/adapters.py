"""Turn the kind of input that the data gives into a kind that a model takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from assay.errors import ConfigError
from assay.layers.preprocess import Given, mask
from assay.layers.shape import InputKind, Shape


class _AsGiven(nn.Module):
    def forward(self, *given: Tensor) -> Given:
        return given


class _Pixels(nn.Module):
    """Images laid out as vectors."""

    def forward(self, images: Tensor) -> Given:
        return (images.flatten(1),)


class _ImageRows(nn.Module):
    """The rows of an image, top to bottom, as steps of a sequence."""

    def forward(self, images: Tensor) -> Given:
        batch, channels, height, width = images.shape
        steps = images.permute(0, 2, 1, 3).reshape(batch, height, channels * width)
        return steps, torch.full((batch,), height, dtype=torch.int64, device=images.device)


class _LaidOut(nn.Module):
    """Sequences laid out as vectors: cut, or filled up with zeros, to so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, sequence: Tensor, lengths: Tensor) -> Given:
        batch, _, channels = sequence.shape
        more = sequence.new_zeros((batch, self.steps, channels))
        return (torch.cat([sequence, more], dim=1)[:, : self.steps].flatten(1),)


class _BagOfTokens(nn.Module):
    """How often each token occurs: log(1 + count), scaled to length 1 a row."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def forward(self, tokens: Tensor, lengths: Tensor) -> Given:
        is_inside = mask(lengths, steps=tokens.shape[1]).to(torch.float32)
        counts = is_inside.new_zeros((tokens.shape[0], self.vocabulary))
        bag = torch.log1p(counts.scatter_add(1, tokens, is_inside))
        return (bag / bag.norm(dim=1, keepdim=True).clamp(min=1e-6),)


def _flat_image(shape: Shape) -> tuple[nn.Module, Shape]:
    channels, height, width = shape.sizes
    return _Pixels(), Shape("vector", (channels * height * width,))


def _image_rows(shape: Shape) -> tuple[nn.Module, Shape]:
    channels, height, width = shape.sizes
    return _ImageRows(), Shape("sequence", (height, channels * width))


def _flat_sequence(shape: Shape) -> tuple[nn.Module, Shape]:
    steps, channels = shape.sizes
    return _LaidOut(steps), Shape("vector", (steps * channels,))


def _bag(shape: Shape) -> tuple[nn.Module, Shape]:
    return _BagOfTokens(shape.sizes[1]), Shape("vector", (shape.sizes[1],))


_ADAPTERS: dict[tuple[InputKind, InputKind], Callable[[Shape], tuple[nn.Module, Shape]]] = {
    ("image", "vector"): _flat_image,
    ("image", "sequence"): _image_rows,
    ("sequence", "vector"): _flat_sequence,
    ("tokens", "vector"): _bag,
}


def can_adapt(kind: InputKind, takes: Sequence[InputKind]) -> bool:
    """Say whether a model that ``takes`` these kinds can be given data of this ``kind``."""
    return kind in takes or any((kind, taken) in _ADAPTERS for taken in takes)


def adapter(shape: Shape, *, takes: Sequence[InputKind], name: str) -> tuple[nn.Module, Shape]:
    """Return the module that turns ``shape`` into a kind in ``takes``, and the shape it gives.

    Raises ConfigError when there is no way; ``name`` is the model's.
    """
    if shape.kind in takes:
        return _AsGiven(), shape
    for taken in takes:
        if (shape.kind, taken) in _ADAPTERS:
            return _ADAPTERS[shape.kind, taken](shape)
    raise ConfigError(
        [f"model: {name} takes {' or '.join(takes)} input; this data is {shape.kind} input"]
    )
