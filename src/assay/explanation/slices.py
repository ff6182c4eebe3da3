"""Parts of the rows by the values of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

_FEW_VALUES = 10
_PARTS = 4
_MISSING = "missing"


def labels_of(rows: pd.DataFrame, columns: Sequence[str]) -> Mapping[str, np.ndarray]:
    """Return each row's group (rows,) by each column: its value, or the quarter its number is in."""
    return {name: _labels(rows[name]) for name in dict.fromkeys(columns) if name in rows}


def _labels(series: pd.Series) -> np.ndarray:
    is_number = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if is_number and series.nunique() > _FEW_VALUES:
        series = pd.qcut(series, _PARTS, duplicates="drop").map(
            lambda part: f"{part.left:.4g} to {part.right:.4g}", na_action="ignore"
        )
    return np.array([_MISSING if pd.isna(v) else str(v) for v in series], dtype=object)
