"""The trials of a search as a table: the same bytes for the same trials, so without times."""

from __future__ import annotations

import math

import pandas as pd

from assay.tuning.study import Result, Trial


def trials_table(result: Result) -> pd.DataFrame:
    """Return a row a trial: number, state, value, epochs, what was tried, and why it ended early."""
    keys = sorted({key for trial in result.trials for key in trial.values})
    rows = [
        (t.number, t.state, t.value, len(t.curve), *(t.values.get(k) for k in keys), t.reason)
        for t in result.trials
    ]
    return pd.DataFrame(rows, columns=["number", "state", "value", "epochs", *keys, "reason"])


def history_table(result: Result) -> pd.DataFrame:
    """Return number, state and value of each trial, for a pruned one its last epoch's value."""
    rows = [(t.number, t.state, _last(t)) for t in result.trials if t.state != "failed"]
    return pd.DataFrame(rows, columns=["number", "state", "value"])


def _last(trial: Trial) -> float:
    last = trial.curve[max(trial.curve)] if trial.curve else math.nan
    return last if trial.value is None else trial.value
