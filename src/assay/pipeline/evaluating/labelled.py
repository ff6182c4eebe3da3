"""What evaluating several labels means: points behind plots, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from assay.figures.classification import precision_recall_curve, reliability, roc_curve
from assay.figures.labels import label_scores
from assay.figures.style import Figure
from assay.metrics import curves


def label_tables(
    target: np.ndarray, output: np.ndarray, *, labels: Sequence[object], bins: int
) -> dict[str, pd.DataFrame]:
    """Return points of several labels; calibration is that of every label of every row, given or not."""
    probability, given = output[..., 0], output[..., 1]
    known: Any = {"target": target, "output": probability, "classes": labels}
    either = np.stack([1 - probability.ravel(), probability.ravel()], axis=1)
    return {
        "labels": curves.by_label(target=target, given=given, labels=labels),
        "roc": curves.roc(**known),
        "pr": curves.precision_recall(**known),
        "calibration": curves.calibration(target=target.ravel(), output=either, bins=bins),
    }


def label_pictures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """Return the scores of each label, curves, and calibration."""
    return {
        "labels": label_scores(tables["labels"]),
        "roc": roc_curve(tables["roc"], area=None),
        "precision_recall": precision_recall_curve(tables["pr"], share=None),
        "calibration": reliability(tables["calibration"], error=None),
    }
