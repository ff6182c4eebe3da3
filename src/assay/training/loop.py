"""The fit as a Lightning module.

Lightning costs about 1 ms a call of ``training_step``, as much as a whole step of a small network.
So each call takes a few batches that were gathered at once, optimization is manual, and nothing is
logged through Lightning: the record is handed a row after each epoch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from assay.augmentation.augment import Augment
from assay.layers.network import Network
from assay.training.average import Average
from assay.training.checkpoint import State
from assay.training.knobs import Training
from assay.training.loader import Batch
from assay.training.losses import Loss
from assay.training.optimizers import build_optimizer
from assay.training.randomness import random_state, set_random_state
from assay.training.record import Record
from assay.training.safekeeping import Safekeeping
from assay.training.schedule import factor
from assay.training.sums import Sum
from assay.training.tally import Tally


class Loop(LightningModule):
    """Trains ``network`` for ``steps`` steps; ``on_row`` is called with each epoch's row.

    ``keeping`` is told of each point that the fit could go on from: after every batch, within
    validation, and after every epoch.
    """

    def __init__(
        self,
        network: Network,
        *,
        loss: Loss,
        tally: Tally,
        record: Record,
        knobs: Training,
        augment: Augment,
        steps: int,
        is_fused: bool,
        keeping: Safekeeping,
        on_row: Callable[[int, dict[str, float]], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.loss = network, loss
        self.averaged = None if knobs.average is None else Average(network, decay=knobs.average)
        self._tally, self._record, self._knobs = tally, record, knobs
        self._augment = augment
        self._steps, self._is_fused, self._keeping, self._on_row = steps, is_fused, keeping, on_row
        self._step, self._batch = 0, 0
        self._sum = Sum()
        self._restored: State | None = None

    @property
    def batch(self) -> int:
        """How many batches of the present epoch have been taken."""
        return self._batch

    @property
    def judged(self) -> Network:
        """The network that is validated and kept: the average of the weights where there is one."""
        return self.network if self.averaged is None else self.averaged.network

    def configure_optimizers(self) -> Optimizer:
        """Build the optimizer over the network that now is on its device."""
        optimizer = build_optimizer(self.network, knobs=self._knobs, is_fused=self._is_fused)
        if self._restored is not None:
            optimizer.load_state_dict(self._restored["optimizers"][0])
        return optimizer

    def transfer_batch_to_device(
        self, batch: Batch | list[Batch], device: torch.device, dataloader_idx: int
    ) -> Batch | list[Batch]:
        """Move batches, if there is somewhere to move them to."""
        if device.type == "cpu":
            return batch
        return batch.to(device) if isinstance(batch, Batch) else [b.to(device) for b in batch]

    def training_step(self, batch: list[Batch], batch_idx: int) -> None:
        """Take one step for each of the batches."""
        self._finish_restoring()
        optimizer = self.optimizers()
        for one in batch:
            loss = self._update(one, optimizer)  # type: ignore[arg-type]  # there is one optimizer
            self._sum.add(loss, rows=len(one.target))
            self._step, self._batch = self._step + 1, self._batch + 1
            self._keeping.mark(self.state, step=self._step)
        self._record.check_loss(self._sum.total)

    def _update(self, batch: Batch, optimizer: Optimizer) -> Tensor:
        schedule, warmup = self._knobs.schedule, self._knobs.warmup
        share = factor(schedule, step=self._step, steps=self._steps, warmup=warmup)
        for group in optimizer.param_groups:
            group["lr"] = self._knobs.lr * share * group["rate"]
        optimizer.zero_grad()
        changed = self._augment(batch.inputs, batch.target, step=self._step)
        loss = changed.loss(self.loss, self.network(**changed.inputs))
        penalty = self.network.penalty()
        self.manual_backward(loss if penalty is None else loss + penalty)
        optimizer.step()
        if self.averaged is not None:
            self.averaged.follow(self.network)
        return loss.detach()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip gradients, which by now are in their own unit at any precision."""
        if self._knobs.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self._knobs.gradient_clip)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the tally."""
        outputs = self.judged(**batch.inputs)
        answer = self.judged.answer(outputs)
        self._tally.add(answer, target=batch.target, loss=self.loss(outputs, batch.target))
        self._keeping.mark(self.state, step=self._step)

    def on_train_epoch_end(self) -> None:
        """Hand over the epoch's row; validation has just run."""
        row = {"train_loss": self._sum.mean}
        row |= {f"valid_{name}": value for name, value in self._tally.values().items()}
        row["lr"] = self.optimizers().param_groups[0]["lr"]  # type: ignore[union-attr]  # there is one optimizer
        self._batch = 0
        self._sum.clear()
        self._tally.clear()
        self._record.add(row, network=self.judged)
        self._on_row(len(self._record.history), row)
        self.trainer.should_stop = self._record.is_over
        self._keeping.mark(self.state, step=self._step)

    def state(self) -> State:
        """Return all that the next step depends on, as tensors, numbers and strings.

        Schedules are functions of the step; the order of rows is one of seed and epoch.
        """
        return {
            "modules": self.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.trainer.optimizers],
            "scaler": self.trainer.precision_plugin.state_dict(),
            "random": random_state(),
            "step": self._step,
            "batch": self._batch,
            "sum": self._sum.state(),
            "record": self._record.state(),
        }

    def restore(self, state: State) -> None:
        """Be, before the fit begins, where ``state`` was taken."""
        self.load_state_dict(state["modules"])
        self._record.restore(state["record"])
        self._step, self._batch = state["step"], state["batch"]
        self._sum.restore(state["sum"])
        self._restored = state

    def _finish_restoring(self) -> None:
        """Set what Lightning makes, or draws from, on its way to the first step."""
        if self._restored is not None:
            self.trainer.precision_plugin.load_state_dict(self._restored["scaler"])
            set_random_state(self._restored["random"])
            self._restored = None
