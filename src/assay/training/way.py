"""What the loop asks of a way to train: one step, one look at a validation batch, one row an epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from torch import Tensor, nn
from torch.optim import Optimizer

from assay.layers.network import Network
from assay.training.loader import Batch

Backward: TypeAlias = Callable[[Tensor], None]
"""Lightning's ``manual_backward``, which scales losses where the precision asks for it."""


class Way(nn.Module, ABC):
    """A way to train: all that it learns are its parameters and buffers, and ``state``."""

    @property
    @abstractmethod
    def judged(self) -> Network:
        """The network that is validated and kept."""

    @abstractmethod
    def optimizers(self) -> list[Optimizer]:
        """Return new optimizers over networks that are on their device."""

    @abstractmethod
    def update(
        self, batch: Batch, optimizers: Sequence[Optimizer], *, step: int, backward: Backward
    ) -> Tensor:
        """Take a step and return its loss, a scalar without history."""

    @abstractmethod
    def validate(self, batch: Batch) -> None:
        """Look at a batch of the validation split."""

    @abstractmethod
    def row(self, *, epoch: int) -> dict[str, float]:
        """Return what an epoch, counted from 1, found, and begin again."""

    def state(self) -> dict[str, Any]:
        """Return what is summed up within an epoch, beside parameters and buffers."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
