"""Build, fit, score: what a trial of a search, the train stage and ``assay run`` all do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.layers.network import Network
from assay.layers.shape import Model
from assay.layers.versions import require_same_rows
from assay.metrics.objective import objective, objective_error
from assay.metrics.scores import score
from assay.pipeline.fitting.inputs import Inputs
from assay.pipeline.fitting.judging import teach
from assay.pipeline.fitting.network import build_network, predict
from assay.pipeline.fitting.resume import Resumable
from assay.training.fit import Fit, fit
from assay.training.knobs import Training


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fitted network and what it is worth on the validation split.

    ``value`` is the task's objective with its standard ``error`` over the rows, and ``metrics`` are
    all of the task's metrics; the network has its best weights, on the CPU.
    """

    value: float
    error: float
    metrics: dict[str, float]
    fit: Fit
    network: Network


def _ignore(epoch: int, row: Mapping[str, float]) -> None:
    """Take an epoch's row and do nothing."""


def try_candidate(
    inputs: Inputs,
    *,
    model: Model,
    training: Training,
    seed: int,
    on_epoch: Callable[[int, Mapping[str, float]], None] = _ignore,
    progress: bool = False,
    kept: Resumable | None = None,
    on_samples: Callable[[int, np.ndarray], None] | None = None,
) -> Outcome:
    """Fit a model with these knobs and score it on the validation split.

    A pure function of its arguments on one machine with the same number of threads, however often
    it is called in one process. ``on_epoch`` is given the epoch, counted from 1, and its row, which
    has ``valid_<objective>``; what it raises comes out unchanged. With ``kept`` a fit that was cut off
    goes on. ``on_samples`` is as for ``fit``. Raises ConfigError for a model, a loss or a device that
    does not fit, and for members of an ensemble that were trained on other rows; TrainingError when
    the fit diverges.
    """
    require_same_rows(model, inputs.spec)
    network = build_network(model, inputs.spec, seed=seed)
    if network.judge is not None:
        teach(network.judge, inputs)
    fitted = fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=inputs.spec,
        knobs=training,
        seed=seed,
        on_epoch=on_epoch,
        progress=progress,
        checkpoints=kept.checkpoints(training.checkpoint) if kept else None,
        on_samples=on_samples,
    )
    if network.judge is not None:
        return _generator(network, fitted)
    task = inputs.spec.task
    target, output = inputs.valid.target, predict(network, inputs.valid)
    naive = inputs.spec.forecast.naive if inputs.spec.forecast else ()
    classes = inputs.spec.classes
    metrics = score(task, target=target, output=output, classes=classes, naive=naive)
    return Outcome(
        value=metrics[objective(task).name],
        error=objective_error(task, target=target, output=output, naive=naive),
        metrics=metrics,
        fit=fitted,
        network=network,
    )


def _generator(network: Network, fitted: Fit) -> Outcome:
    """A generator's samples were measured after each epoch: those of the best one count."""
    row = fitted.history[fitted.best_epoch - 1]
    metrics = {n.removeprefix("valid_"): v for n, v in row.items() if n.startswith("valid_")}
    return Outcome(value=fitted.best_value, error=0.0, metrics=metrics, fit=fitted, network=network)
