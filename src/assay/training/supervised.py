"""Training by the loss of a network's outputs."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.optim import Optimizer

from assay.augmentation.augment import Augment
from assay.layers.network import Network
from assay.training.average import Average
from assay.training.knobs import Training
from assay.training.loader import Batch
from assay.training.losses import Loss
from assay.training.optimizers import build_optimizer
from assay.training.tally import Tally
from assay.training.way import Backward, Way


class Supervised(Way):
    """One network, one optimizer; the average of its weights is validated where there is one."""

    def __init__(
        self,
        network: Network,
        *,
        loss: Loss,
        tally: Tally,
        knobs: Training,
        augment: Augment,
        is_fused: bool,
    ) -> None:
        super().__init__()
        self.network, self.loss = network, loss
        self.averaged = None if knobs.average is None else Average(network, decay=knobs.average)
        self._tally, self._knobs = tally, knobs
        self._augment, self._is_fused = augment, is_fused

    @property
    def judged(self) -> Network:
        """The network itself, or the average of its weights."""
        return self.network if self.averaged is None else self.averaged.network

    def optimizers(self) -> list[Optimizer]:
        """Return the one that the knobs name."""
        return [build_optimizer(self.network, knobs=self._knobs, is_fused=self._is_fused)]

    def update(
        self, batch: Batch, optimizers: Sequence[Optimizer], *, step: int, backward: Backward
    ) -> Tensor:
        """Step down the gradient of the loss and the penalty; return the loss."""
        (optimizer,) = optimizers
        optimizer.zero_grad()
        changed = self._augment(batch.inputs, batch.target, step=step)
        loss = changed.loss(self.loss, self.network(**changed.inputs))
        penalty = self.network.penalty()
        backward(loss if penalty is None else loss + penalty)
        optimizer.step()
        if self.averaged is not None:
            self.averaged.follow(self.network)
        return loss.detach()

    def validate(self, batch: Batch) -> None:
        """Add a batch to the tally."""
        outputs = self.judged(**batch.inputs)
        answer = self.judged.answer(outputs)
        self._tally.add(answer, target=batch.target, loss=self.loss(outputs, batch.target))

    def row(self, *, epoch: int) -> dict[str, float]:
        """Return the tally."""
        found = {f"valid_{name}": value for name, value in self._tally.values().items()}
        self._tally.clear()
        return found
