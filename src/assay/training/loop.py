"""The fit as a Lightning module.

Lightning costs about 1 ms a call of ``training_step``, as much as a whole step of a small network.
So each call takes a few batches that were gathered at once, optimization is manual, and nothing is
logged through Lightning: the record is handed a row after each epoch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pytorch_lightning import LightningModule
from torch import nn
from torch.optim import Optimizer

from assay.training.checkpoint import State
from assay.training.gradients import Gradients
from assay.training.knobs import Training
from assay.training.loader import Batch
from assay.training.randomness import random_state, set_random_state
from assay.training.record import Record
from assay.training.safekeeping import Safekeeping
from assay.training.schedule import factor
from assay.training.sums import Sum
from assay.training.way import Way


class Loop(LightningModule):
    """Trains networks in some ``way`` for ``steps`` steps; ``on_row`` is called with each epoch's row.

    ``keeping`` is told of each point that the fit could go on from: after every batch, within
    validation, and after every epoch.
    """

    def __init__(
        self,
        way: Way,
        *,
        record: Record,
        knobs: Training,
        steps: int,
        keeping: Safekeeping,
        on_row: Callable[[int, dict[str, float]], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.way = way
        self._record, self._knobs = record, knobs
        self._steps, self._keeping, self._on_row = steps, keeping, on_row
        self._step, self._batch = 0, 0
        self._sum = Sum()
        self._gradients = Gradients(way)
        self._restored: State | None = None

    @property
    def batch(self) -> int:
        """How many batches of the present epoch have been taken."""
        return self._batch

    def configure_optimizers(self) -> list[Optimizer]:
        """Build the optimizers over networks that now are on their device."""
        optimizers = self.way.optimizers()
        if self._restored is not None:
            for optimizer, state in zip(optimizers, self._restored["optimizers"], strict=True):
                optimizer.load_state_dict(state)
        return optimizers

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
        optimizers = self._optimizers()
        for one in batch:
            self._set_rates(optimizers)
            loss = self.way.update(one, optimizers, step=self._step, backward=self.manual_backward)
            self._sum.add(loss, rows=len(one.target))
            self._step, self._batch = self._step + 1, self._batch + 1
            self._keeping.mark(self.state, step=self._step)
        self._record.check_loss(self._sum.total)

    def _optimizers(self) -> list[Optimizer]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]  # type: ignore[return-value,list-item]  # Lightning's wrappers

    def _set_rates(self, optimizers: list[Optimizer]) -> None:
        schedule, warmup = self._knobs.schedule, self._knobs.warmup
        share = factor(schedule, step=self._step, steps=self._steps, warmup=warmup)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._knobs.lr * share * group["rate"]

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Measure and clip gradients, which by now are in their own unit at any precision."""
        if self._batch == 0:
            self._gradients.measure(p for group in optimizer.param_groups for p in group["params"])
        if self._knobs.gradient_clip is not None:
            own = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(own, self._knobs.gradient_clip)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Let the way look at a batch."""
        self.way.validate(batch)
        self._keeping.mark(self.state, step=self._step)

    def on_train_epoch_end(self) -> None:
        """Hand over the epoch's row; validation has just run."""
        row = {"train_loss": self._sum.mean, **self.way.row(epoch=len(self._record.history) + 1)}
        row["lr"] = self._optimizers()[0].param_groups[0]["lr"]
        row |= self._gradients.row()
        self._batch = 0
        self._sum.clear()
        self._record.add(row, network=self.way.judged)
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
            "gradients": dict(self._gradients.norms),
            "way": self.way.state(),
            "record": self._record.state(),
        }

    def restore(self, state: State) -> None:
        """Be, before the fit begins, where ``state`` was taken."""
        self.load_state_dict(state["modules"])
        self._record.restore(state["record"])
        self._step, self._batch = state["step"], state["batch"]
        self._sum.restore(state["sum"])
        self._gradients.norms = dict(state["gradients"])
        self.way.restore(state["way"])
        self._restored = state

    def _finish_restoring(self) -> None:
        """Set what Lightning makes, or draws from, on its way to the first step."""
        if self._restored is not None:
            self.trainer.precision_plugin.load_state_dict(self._restored["scaler"])
            set_random_state(self._restored["random"])
            self._restored = None
