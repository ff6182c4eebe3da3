"""Metrics of parts of the rows: by the values of a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from assay.data.prepared import GROUP, ID, TARGET, TIME
from assay.data.spec import Task
from assay.errors import ConfigError, nearest
from assay.metrics.intervals import score_with_intervals
from assay.metrics.knobs import Evaluate

_FEW_VALUES = 10
_PARTS = 4
_MISSING = "missing"


def score_slices(
    task: Task,
    *,
    rows: pd.DataFrame,
    columns: tuple[str, ...],
    target: np.ndarray,
    output: np.ndarray,
    knobs: Evaluate,
    naive: Sequence[float] = (),
) -> list[dict[str, Any]]:
    """Return for each value of each of ``columns``: its rows, metrics and intervals.

    Numbers of more than ten values are cut at their quartiles. A value with fewer rows than
    ``knobs.slice_rows`` gets a ``reason`` instead of metrics. Raises ConfigError for a column
    that the data does not have.
    """
    _require_columns(rows, columns)
    found = []
    for column, value, here in parts(rows, columns):
        entry: dict[str, Any] = {"column": column, "value": value, "rows": int(here.sum())}
        if entry["rows"] < knobs.slice_rows:
            reason = f"fewer than {knobs.slice_rows} rows (evaluate.slice_rows)"
            found.append({**entry, "metrics": {}, "reason": reason})
            continue
        metrics = score_with_intervals(
            task, target=target[here], output=output[here], knobs=knobs, naive=naive
        )
        found.append({**entry, "metrics": metrics})
    return found


def _require_columns(rows: pd.DataFrame, columns: tuple[str, ...]) -> None:
    known = [str(c) for c in rows.columns if c not in (ID, TARGET, GROUP, TIME)]
    problems = [
        f"evaluate.slices: the data has no column '{name}'{nearest(name, known)}"
        for name in columns
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def parts(rows: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield column, value and a mask of its rows, for each value of each of ``columns``."""
    for column in columns:
        labels = _labels(rows[column])
        for value in sorted(set(labels)):
            yield column, value, labels == value


def _labels(series: pd.Series) -> np.ndarray:
    is_number = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if is_number and series.nunique() > _FEW_VALUES:
        series = pd.qcut(series, _PARTS, duplicates="drop").map(
            lambda part: f"{part.left:.4g} to {part.right:.4g}"
        )
    return np.array([_MISSING if pd.isna(v) else str(v) for v in series], dtype=object)
