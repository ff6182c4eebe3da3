"""Turn the kind of input that the data gives into a kind that a model takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from assay.errors import ConfigError
from assay.layers.shape import InputKind, Shape


def _flatten(shape: Shape) -> tuple[nn.Module, Shape]:
    channels, height, width = shape.sizes
    return nn.Flatten(), Shape("vector", (channels * height * width,))


_ADAPTERS: dict[tuple[InputKind, InputKind], Callable[[Shape], tuple[nn.Module, Shape]]] = {
    ("image", "vector"): _flatten,
}


def can_adapt(kind: InputKind, takes: Sequence[InputKind]) -> bool:
    """Say whether a model that ``takes`` these kinds can be given data of this ``kind``."""
    return kind in takes or any((kind, taken) in _ADAPTERS for taken in takes)


def adapter(shape: Shape, *, takes: Sequence[InputKind], name: str) -> tuple[nn.Module, Shape]:
    """Return the module that turns ``shape`` into a kind in ``takes``, and the shape it gives.

    Raises ConfigError when there is no way; ``name`` is the model's.
    """
    if shape.kind in takes:
        return nn.Identity(), shape
    for taken in takes:
        if (shape.kind, taken) in _ADAPTERS:
            return _ADAPTERS[shape.kind, taken](shape)
    raise ConfigError(
        [f"model: {name} takes {' or '.join(takes)} input; this data is {shape.kind} input"]
    )
