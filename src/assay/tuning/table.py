"""The trials of a search as a table: the same bytes for the same trials, so without times."""

from __future__ import annotations

import pandas as pd

from assay.tuning.study import Result


def trials_table(result: Result) -> pd.DataFrame:
    """Return a row a trial: number, state, value, epochs, what was tried, and why it ended early."""
    keys = sorted({key for trial in result.trials for key in trial.values})
    rows = [
        (t.number, t.state, t.value, len(t.curve), *(t.values[k] for k in keys), t.reason)
        for t in result.trials
    ]
    return pd.DataFrame(rows, columns=["number", "state", "value", "epochs", *keys, "reason"])
