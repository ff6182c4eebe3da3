"""Fit a network: best weights, a row an epoch, and errors that come out as themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer
from torch import Tensor

from assay.augmentation.augment import Augment
from assay.data.prepared import Split
from assay.data.spec import Spec
from assay.layers.network import Network
from assay.metrics.objective import objective
from assay.training.adversarial import Adversarial
from assay.training.as_it_is import is_trained, measured_row
from assay.training.checkpoint import Checkpoints
from assay.training.discipline import KeepSignals, silence, unswallowed
from assay.training.hardware import Hardware, find_hardware, settings
from assay.training.knobs import Training
from assay.training.loader import Batches, Passes, Rows, evaluation_size
from assay.training.loop import Loop
from assay.training.losses import build_loss
from assay.training.progress import Progress
from assay.training.record import Record
from assay.training.safekeeping import Safekeeping
from assay.training.supervised import Supervised
from assay.training.tally import Tally
from assay.training.way import Way

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a fit found.

    ``history`` holds a row an epoch: ``train_loss``, ``valid_loss``, ``valid_log_loss`` and
    ``valid_accuracy`` (or ``valid_rmse`` and ``valid_r2``), ``lr``, and ``gradient_<layer>``, the norm of
    a layer's gradient at the first step. Epochs count from 1;
    ``best_value`` is the task's objective on the validation split at ``best_epoch``, and ``weights``
    are the network's then, on the CPU.
    """

    weights: dict[str, Tensor]
    best_epoch: int
    best_value: float
    history: tuple[dict[str, float], ...]


def fit(
    network: Network,
    *,
    train: Split,
    valid: Split,
    spec: Spec,
    knobs: Training,
    seed: int,
    on_epoch: Callable[[int, Mapping[str, float]], None],
    progress: bool,
    checkpoints: Checkpoints | None = None,
    on_samples: Callable[[int, np.ndarray], None] | None = None,
) -> Fit:
    """Train ``network`` and leave it in evaluation mode, on the CPU, with its best weights.

    ``on_epoch`` is called after each epoch, counted from 1, with the epoch's row; what it raises
    comes out unchanged, and so do KeyboardInterrupt and Terminated. The result is a pure function
    of the network's weights, the splits, the knobs and ``seed`` on one machine with the same
    number of threads.

    With ``checkpoints``, which must belong to just these arguments, a fit that was cut off goes on
    from the latest one and gives the very same result; ``on_epoch`` is called for the earlier
    epochs too. ``on_samples`` is given an epoch and samples of a generator, now and then.

    Ctrl-C and SIGTERM then end it after the batch at hand, with a checkpoint; a second
    one ends it at once. A network in which nothing is trained is measured as one epoch. Raises
    ConfigError for a loss or a device that does not fit, TrainingError when the loss becomes
    infinite or NaN.
    """
    hardware = find_hardware(knobs)
    goal = objective(spec.task)
    record = Record(objective=goal, stopping=knobs.early_stopping)
    keeping = Safekeeping(checkpoints)
    bar = Progress(epochs=knobs.max_epochs, objective=goal.name, is_shown=progress)

    def on_row(epoch: int, row: dict[str, float]) -> None:
        bar.step(epoch, row)
        on_epoch(epoch, row)

    batches = Batches(
        Rows(train), batch_size=knobs.batch_size, seed=seed, limit=knobs.limit_batches
    )
    plain: dict[str, Any] = {
        "knobs": knobs,
        "augment": Augment(knobs.augmentation, spec=spec, seed=seed),
        "is_fused": hardware.has_fused_steps,
    }
    way: Way
    if spec.task == "generation":
        way = Adversarial(network, classes=len(spec.classes), on_samples=on_samples, **plain)
    else:
        loss = build_loss(knobs, spec=spec, device=torch.device(hardware.device))
        way = Supervised(network, loss=loss, tally=Tally(spec), **plain)
    loop = Loop(
        way,
        record=record,
        knobs=knobs,
        steps=knobs.max_epochs * batches.batches,
        keeping=keeping,
        on_row=on_row,
    )
    try:
        torch.manual_seed(seed)
        _restore(loop, keeping, record=record, batches=batches, on_row=on_row)
        if not is_trained(network):
            row = measured_row(network, train=train, valid=valid, spec=spec, loss=loss)
            record.add(row, network=network)
            on_row(1, row)
        elif len(record.history) < knobs.max_epochs and not record.is_over:
            passes = Passes(Rows(valid), size=evaluation_size(valid, outputs=spec.outputs))
            with keeping.signals if checkpoints else nullcontext():
                _run(loop, batches, passes, hardware=hardware, knobs=knobs)
    finally:
        bar.close()
    network.load_state_dict(record.weights)
    network.eval()
    return Fit(
        weights=record.weights,
        best_epoch=record.best_epoch,
        best_value=record.best_value,
        history=tuple(record.history),
    )


def _restore(
    loop: Loop,
    keeping: Safekeeping,
    *,
    record: Record,
    batches: Batches,
    on_row: Callable[[int, dict[str, float]], None],
) -> None:
    """Go to where the latest checkpoint was taken, if there is one."""
    state = keeping.read()
    if state is None:
        return
    loop.restore(state)
    epochs = len(record.history)
    batches.start_at(epoch=epochs, batch=loop.batch)
    text = "going on after epoch %d and %d of the next one's %d batches"
    log.info(text, epochs, loop.batch, batches.batches)
    for epoch, row in enumerate(record.history, 1):
        on_row(epoch, row)


def _run(
    loop: Loop, batches: Batches, passes: Passes, *, hardware: Hardware, knobs: Training
) -> None:
    signals = KeepSignals()
    is_begun = batches.batch > 0
    with settings(knobs), silence(), unswallowed(signals):
        trainer = Trainer(
            accelerator=hardware.device,
            devices=1,
            precision=hardware.precision,
            max_epochs=knobs.max_epochs - batches.epoch,
            # the rest of an epoch is shorter than those that follow it
            reload_dataloaders_every_n_epochs=int(is_begun),
            deterministic=knobs.deterministic,
            callbacks=[signals],
            plugins=[LightningEnvironment()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        trainer.fit(loop, train_dataloaders=batches, val_dataloaders=passes)
