"""The training loss of an epoch, summed up batch by batch on its device."""

from __future__ import annotations

import torch
from torch import Tensor


class Sum:
    """A running mean over rows.

    It adds batch by batch in one order, so that a sum that was interrupted ends with the same bits.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self._total, self._rows = torch.zeros(()), 0

    def add(self, mean: Tensor, *, rows: int) -> None:
        """Add a batch's mean, a scalar, without waiting for its device."""
        precise = mean.float() if mean.device.type == "mps" else mean.double()
        self._total = self._total.to(precise) + precise * rows
        self._rows += rows

    @property
    def total(self) -> float:
        """The sum over rows."""
        return self._total.item()

    @property
    def mean(self) -> float:
        """The mean over rows."""
        return self.total / self._rows

    def state(self) -> dict[str, Tensor | int]:
        """Return the sum so far."""
        return {"total": self._total, "rows": self._rows}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        """Go on from what ``state`` returned."""
        self._total, self._rows = torch.as_tensor(state["total"]), int(state["rows"])
