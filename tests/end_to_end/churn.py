"""A table such as a user has: text, a missing value here and there, an id, a sensitive column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def write_churn(path: Path, *, rows: int) -> None:
    """Write a made-up table of customers whose churn can be learned, the same for the same rows."""
    rng = np.random.default_rng(0)
    plan = rng.choice(["basic", "plus", "pro"], rows)
    months = rng.integers(1, 60, rows).astype(float)
    calls = rng.poisson(2, rows)
    score = 1.5 * (plan == "basic") + 0.5 * calls - 0.06 * months + rng.normal(0, 0.7, rows)
    months[rng.random(rows) < 0.05] = np.nan
    frame = pd.DataFrame(
        {
            "customer": [f"c{i:04d}" for i in range(rows)],
            "plan": plan,
            "months": months,
            "calls": calls,
            "region": rng.choice(["north", "south"], rows),
            "churned": np.where(score > 0.4, "yes", "no"),
        }
    )
    frame.to_csv(path, index=False)
