"""Fit again, with other seeds and on parts of the training rows, beside the network of record."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from assay.data.prepared import Split
from assay.errors import TrainingError
from assay.layers.shape import Model
from assay.metrics.objective import objective
from assay.pipeline.fitting.candidate import Outcome, try_candidate
from assay.pipeline.fitting.inputs import Inputs
from assay.training.knobs import Training
from assay.training.repeats import Repeats

log = logging.getLogger(__name__)
COLUMNS = ("share", "rows", "seed", "best_epoch", "value")
_FEWEST_ROWS = 10


def repeated_fits(
    inputs: Inputs,
    *,
    model: Model,
    training: Training,
    seed: int,
    knobs: Repeats,
    of_record: Outcome,
) -> pd.DataFrame:
    """Return a line a fit: ``COLUMNS``, the validation objective as ``value``, and every metric.

    The fit of record is the first one; without any other the table has no line. The value of a fit that
    diverged is NaN. What the training
    rows say (``spec.json``) is that of all of them.
    """
    lines = list(_fits(inputs, model=model, training=training, seed=seed, knobs=knobs))
    if not lines:
        return pd.DataFrame(columns=list(COLUMNS))
    name = objective(inputs.spec.task).name
    first = _line(of_record, name, share=1.0, rows=len(inputs.train), seed=seed)
    return pd.DataFrame([first, *lines])


def _fits(
    inputs: Inputs, *, model: Model, training: Training, seed: int, knobs: Repeats
) -> Iterator[dict[str, float]]:
    name, count = objective(inputs.spec.task).name, len(inputs.train)
    for share in (1.0, *sorted(set(knobs.shares), reverse=True)):
        for other in range(seed, seed + knobs.seeds + 1):
            if share == 1.0 and other == seed:
                continue
            rows = max(min(_FEWEST_ROWS, count), round(share * count))
            part = Inputs(train=_part(inputs, rows, other), valid=inputs.valid, spec=inputs.spec)
            try:
                found = try_candidate(part, model=model, training=training, seed=other)
            except TrainingError as error:
                log.info("a repeated fit on %d rows, seed %d: %s", rows, other, error)
                yield {"share": share, "rows": rows, "seed": other, "value": math.nan}
            else:
                yield _line(found, name, share=share, rows=rows, seed=other)


def _part(inputs: Inputs, rows: int, seed: int) -> Split:
    if rows == len(inputs.train):
        return inputs.train
    order = np.random.default_rng(seed).permutation(len(inputs.train))
    return inputs.train.take(np.sort(order[:rows]))


def _line(found: Outcome, name: str, *, share: float, rows: int, seed: int) -> dict[str, float]:
    head = {"share": share, "rows": rows, "seed": seed, "best_epoch": found.fit.best_epoch}
    return {
        **head,
        "value": found.metrics[name],
        **{f"valid_{k}": v for k, v in found.metrics.items()},
    }
