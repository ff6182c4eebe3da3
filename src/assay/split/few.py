"""Fewer labels than there are: so many training rows of each class, to see what labels are worth."""

from __future__ import annotations

import numpy as np

from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import class_values
from assay.errors import DataError
from assay.split.anomalies import LEFT_OUT


def few_of_each_class(
    raw: Raw, *, labels: np.ndarray, per_class: int | None, seed: int, task: Task
) -> np.ndarray:
    """Return each row's split with all but ``per_class`` training rows of each class left out.

    Validation and test rows stay. Raises DataError where there are no classes, or too few rows.
    """
    if per_class is None:
        return labels
    if task != "classification":
        raise DataError(f"data.split.per_class: {task.replace('_', ' ')} has no classes")
    classes = class_values(raw.frame[raw.roles.target]).astype(str).to_numpy()
    rng, chosen = np.random.default_rng(seed), labels.copy()
    for name in np.unique(classes[labels == "train"]):
        rows = np.flatnonzero((labels == "train") & (classes == name))
        if len(rows) < per_class:
            raise DataError(
                f"data.split.per_class: {per_class} training rows of class {name!r} are asked for, "
                f"there are {len(rows)}"
            )
        chosen[rng.permutation(rows)[per_class:]] = LEFT_OUT
    return chosen
