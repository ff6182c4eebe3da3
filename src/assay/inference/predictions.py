"""What the graph's outputs say: scores for the metrics, and a table for people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from assay.data.prepared import ID
from assay.data.spec import Task
from assay.errors import ArtifactError
from assay.inference.signature import PREDICTION, PROBABILITY, Signature

TARGET = "target"
_SCORES: Mapping[Task, str] = {"classification": PROBABILITY, "regression": PREDICTION}


def scores_of(outputs: Mapping[str, np.ndarray], signature: Signature) -> np.ndarray:
    """Return what the metrics take: probabilities (N, K), or values (N,) for regression."""
    return np.asarray(outputs[_SCORES[signature.task]], np.float64)


def prediction_table(outputs: Mapping[str, np.ndarray], signature: Signature) -> pd.DataFrame:
    """Return ``prediction`` and, for classes, one column ``probability_<class>`` each.

    Raises ArtifactError where the graph has other classes than its signature.
    """
    columns = {PREDICTION: outputs[PREDICTION]}
    if signature.classes and outputs[PROBABILITY].shape[1] != len(signature.classes):
        raise ArtifactError(
            f"the graph gives {outputs[PROBABILITY].shape[1]} probabilities a row, but its signature "
            f"names {len(signature.classes)} classes"
        )
    for code, label in enumerate(signature.classes):
        columns[f"{PROBABILITY}_{label}"] = outputs[PROBABILITY][:, code]
    return pd.DataFrame(columns)


def with_targets(table: pd.DataFrame, *, ids: pd.Series, target: pd.Series) -> pd.DataFrame:
    """Return the table with the rows' ``__id__`` and the true ``target`` in front."""
    table = table.copy()
    table.insert(0, ID, ids.to_numpy())
    table.insert(1, TARGET, target.to_numpy())
    return table
