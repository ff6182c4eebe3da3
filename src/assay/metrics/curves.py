"""The points behind the pictures: confusion, ROC, precision-recall, calibration, residuals.

Each function returns a table with named columns, bounded in length, for ``dvc plots`` and for
the room ``figures`` alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from assay.metrics.decisions import chosen, probabilities
from assay.metrics.scores import calibration_bin

MOST_POINTS = 200
Points = tuple[np.ndarray, np.ndarray, np.ndarray]


def confusion(*, target: np.ndarray, output: np.ndarray, classes: Sequence[object]) -> pd.DataFrame:
    """Return one line a row: ``actual`` and ``predicted`` as the user's class names."""
    names = np.array([str(c) for c in classes], dtype=object)
    return pd.DataFrame({"actual": names[target], "predicted": names[chosen(output)]})


def roc(*, target: np.ndarray, output: np.ndarray, classes: Sequence[object]) -> pd.DataFrame:
    """Return ``class``, ``false_positive_rate``, ``true_positive_rate`` and ``threshold``."""
    columns = ("false_positive_rate", "true_positive_rate", "threshold")
    return _by_class(_roc_points, target=target, output=output, classes=classes, columns=columns)


def precision_recall(
    *, target: np.ndarray, output: np.ndarray, classes: Sequence[object]
) -> pd.DataFrame:
    """Return ``class``, ``recall``, ``precision`` and ``threshold``."""
    columns = ("recall", "precision", "threshold")
    return _by_class(_pr_points, target=target, output=output, classes=classes, columns=columns)


def _roc_points(is_class: np.ndarray, score: np.ndarray) -> Points:
    false_rate, true_rate, threshold = roc_curve(is_class, score)
    return false_rate, true_rate, np.minimum(threshold, max(1.0, float(score.max())))


def _pr_points(is_class: np.ndarray, score: np.ndarray) -> Points:
    precision, recall, threshold = precision_recall_curve(is_class, score)
    return recall, precision, np.append(threshold, 1.0)


def _by_class(
    points: Callable[[np.ndarray, np.ndarray], Points],
    *,
    target: np.ndarray,
    output: np.ndarray,
    classes: Sequence[object],
    columns: tuple[str, str, str],
) -> pd.DataFrame:
    """Two classes give the curve of the second; a class without rows, or with all, gives none.

    A target (rows, classes) is 1 where a row has a label, and each label gives its curve.
    """
    is_pair = len(classes) == 2 and target.ndim == 1
    output = probabilities(output)
    shown = [1] if is_pair else range(len(classes))
    empty = pd.DataFrame(columns=list(columns), dtype=float)
    empty.insert(0, "class", pd.Series(dtype=str))
    tables = [empty]
    for code in shown:
        is_class = target == code if target.ndim == 1 else target[:, code] == 1
        if is_class.any() and not is_class.all():
            values = points(is_class, output[:, code])
            table = pd.DataFrame(dict(zip(columns, _thinned(values), strict=True)))
            table.insert(0, "class", str(classes[code]))
            tables.append(table)
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _thinned(values: Points) -> Points:
    length = len(values[0])
    if length <= MOST_POINTS:
        return values
    kept = np.unique(np.linspace(0, length - 1, MOST_POINTS).round().astype(int))
    return values[0][kept], values[1][kept], values[2][kept]


def calibration(*, target: np.ndarray, output: np.ndarray, bins: int) -> pd.DataFrame:
    """Return for each bin of the winning probability that has rows: ``confidence``, ``accuracy``.

    Both are means over the bin's ``rows``; the bins are those of the metric ``ece``.
    """
    output = probabilities(output)
    confidence, is_right = output.max(1), output.argmax(1) == target
    number = calibration_bin(confidence, bins)
    table = pd.DataFrame({"bin": number, "confidence": confidence, "accuracy": is_right})
    grouped = table.groupby("bin")
    means = grouped[["confidence", "accuracy"]].mean()
    return means.assign(rows=grouped.size()).reset_index(drop=True)


def by_label(*, target: np.ndarray, given: np.ndarray, labels: Sequence[object]) -> pd.DataFrame:
    """Return ``label``, ``precision``, ``recall``, ``f1`` and the ``rows`` that have it.

    ``target`` and ``given`` (rows, labels) are 1 where a row has a label, or is given it.
    """
    hits, has, got = ((a == 1).sum(0) for a in (target * given, target, given))
    return pd.DataFrame(
        {
            "label": [str(label) for label in labels],
            "precision": hits / np.maximum(got, 1),
            "recall": hits / np.maximum(has, 1),
            "f1": 2 * hits / np.maximum(has + got, 1),
            "rows": has,
        }
    )


def residuals(*, target: np.ndarray, output: np.ndarray) -> pd.DataFrame:
    """Return ``actual``, ``predicted`` and ``residual`` (actual minus predicted), row by row."""
    return pd.DataFrame({"actual": target, "predicted": output, "residual": target - output})
