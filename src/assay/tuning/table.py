"""The trials of a search as a table: the same bytes for the same trials, so without times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from assay.tuning.trial import Result, Trial


def trials_table(result: Result, *, costs: Sequence[str] = ()) -> pd.DataFrame:
    """Return a row a trial: number, state, value, epochs, what was tried, and why it ended early.

    ``seeds`` counts those that a trial was trained on, with ``mean`` and ``spread`` of its value over
    them where they are several; the first of them is ``seed``. ``costs`` name the further objectives,
    beside which no epochs are counted.
    """
    keys = sorted({key for trial in result.trials for key in trial.values})
    rows = [
        (
            *_outcome(t, len(costs)),
            None if costs else len(t.curve),
            *(t.values.get(k) for k in keys),
            t.seed,
            t.reason,
        )
        for t in result.trials
    ]
    return pd.DataFrame(rows, columns=[*_OUTCOME, *costs, "epochs", *keys, "seed", "reason"])


_OUTCOME = ("number", "state", "value", "seeds", "mean", "spread")


def _outcome(trial: Trial, costs: int) -> tuple[object, ...]:
    mean = trial.mean if trial.repeats else math.nan
    seeds = 1 + len(trial.repeats)
    more = trial.more or (math.nan,) * costs
    return trial.number, trial.state, trial.value, seeds, mean, trial.spread, *more


def history_table(result: Result) -> pd.DataFrame:
    """Return number, state and value of each trial, for a pruned one its last epoch's value."""
    rows = [(t.number, t.state, _last(t)) for t in result.trials if t.state != "failed"]
    return pd.DataFrame(rows, columns=["number", "state", "value"])


def _last(trial: Trial) -> float:
    last = trial.curve[max(trial.curve)] if trial.curve else math.nan
    return last if trial.value is None else trial.value
