"""What a model's body is given: the kind of its input and the sizes of one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from torch import nn

InputKind = Literal["vector", "image"]


@dataclass(frozen=True)
class Shape:
    """``vector``: (features,); ``image``: (channels, height, width)."""

    kind: InputKind
    sizes: tuple[int, ...]


class Model(Protocol):
    """A model's knobs: a frozen dataclass that can build the body of a network.

    ``takes`` lists the kinds of input that the body accepts, the preferred one first.
    """

    takes: ClassVar[tuple[InputKind, ...]]

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from float32 (batch, *shape.sizes) to float32 (batch, outputs)."""
