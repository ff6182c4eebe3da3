"""The metrics of hard decisions, from how often each class was taken for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.metrics.ranking import ratio


def from_confusion(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """From (B, K, K) weights, actual by predicted: the metrics of hard decisions."""
    hits = confusion.diagonal(axis1=1, axis2=2)
    actual, predicted = confusion.sum(2), confusion.sum(1)
    recall = ratio(hits, actual)
    precision = ratio(hits, predicted, empty=0.0)
    f1 = ratio(2 * hits, actual + predicted)
    pooled = _of_second if confusion.shape[1] == 2 else _macro(actual + predicted > 0)
    return {
        "accuracy": ratio(hits.sum(1), actual.sum(1)),
        "balanced_accuracy": _mean_of_known(recall),
        "precision": pooled(precision),
        "recall": pooled(recall),
        "f1": pooled(np.where(actual[:, 1:2] > 0, f1, np.nan) if f1.shape[1] == 2 else f1),
    }


def _of_second(by_class: np.ndarray) -> np.ndarray:
    return by_class[:, 1]


def _macro(occurs: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def mean(by_class: np.ndarray) -> np.ndarray:
        return ratio(np.where(occurs, np.nan_to_num(by_class), 0.0).sum(1), occurs.sum(1))

    return mean


def _mean_of_known(by_class: np.ndarray) -> np.ndarray:
    known = ~np.isnan(by_class)
    return ratio(np.nan_to_num(by_class).sum(1), known.sum(1))
