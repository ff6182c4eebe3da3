"""Which rows are anomalies: they stay out of training, and are known in the other two splits."""

from __future__ import annotations

import numpy as np

from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import class_values
from assay.errors import DataError, nearest

NORMAL, ANOMALY, UNKNOWN = 0, 1, -1
LEFT_OUT = "left"
"""The split of rows that none of the three has."""


def anomaly_labels(raw: Raw) -> np.ndarray:
    """Return int64 (rows,): 1 for an anomaly, 0 for a normal row, -1 where the data has no target."""
    if not raw.roles.target:
        return np.full(len(raw.frame), UNKNOWN, np.int64)
    values = class_values(raw.frame[raw.roles.target]).astype(str)
    return values.isin([str(value) for value in raw.anomalies]).to_numpy(np.int64)


def without_anomalies(raw: Raw, *, labels: np.ndarray, task: Task) -> np.ndarray:
    """Return each row's split with the anomalies of training rows left out.

    Raises DataError where anomalies are named for another task, are no values of the target, or
    leave no normal row to learn from.
    """
    _require_sense(raw, task)
    if task != "reconstruction":
        return labels
    is_left = (labels == "train") & (anomaly_labels(raw) == ANOMALY)
    if not np.any((labels == "train") & ~is_left):
        raise DataError("data.anomalies: every training row is an anomaly; some must be normal")
    return np.where(is_left, LEFT_OUT, labels)


def _require_sense(raw: Raw, task: Task) -> None:
    if task != "reconstruction":
        if raw.anomalies:
            raise DataError(f"data.anomalies: {task} has none; set data.task=reconstruction too")
        return
    if not raw.roles.target:
        return
    known = sorted(set(class_values(raw.frame[raw.roles.target]).astype(str)))
    if not raw.anomalies:
        raise DataError(
            f"data.anomalies: name the values of '{raw.roles.target}' that are anomalies, among "
            f"{', '.join(known[:10])}; training does not see their rows"
        )
    for value in map(str, raw.anomalies):
        if value not in known:
            raise DataError(
                f"data.anomalies: '{raw.roles.target}' is never {value!r}{nearest(value, known)}"
            )
