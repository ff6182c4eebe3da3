"""Metrics of several labels a row, over rows that carry weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.metrics.ranking import Metric, Metrics, average_precision, one_against_rest, ratio

_SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
_HALF = 0.5


def decisions(output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (N, L) and which labels are given, bool (N, L).

    ``output`` is (N, L), decided at one half, or (N, L, 2) with the decisions behind.
    """
    if output.ndim == 3:
        return output[..., 0], output[..., 1] > _HALF
    return output, output > _HALF


def label_metrics(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    """Return the metrics of ``target`` (N, L), 1 where a row has a label, and ``output``.

    ``subset_accuracy`` is the share of rows with every label right. ``f1_micro`` pools all labels;
    ``f1_macro`` is the mean over the labels that occur in target or decision. ``roc_auc`` and
    ``average_precision`` are means over the labels for which they are defined; ``log_loss`` and
    ``brier`` are means over labels and rows (Zhang and Zhou 2014, doi:10.1109/TKDE.2013.39).
    """
    is_there = target.astype(bool)
    probability, given = decisions(output)
    chosen = np.where(is_there, probability, 1 - probability)
    loss = -np.log(np.clip(chosen, _SMALLEST_PROBABILITY, 1.0)).mean(1)
    squares, is_right = np.square(probability - is_there).mean(1), (given == is_there).all(1)
    columns = range(target.shape[1])
    areas = [one_against_rest(is_there[:, k], probability[:, k]) for k in columns]
    precisions = [average_precision(is_there[:, k], probability[:, k]) for k in columns]

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(1)
        hits = weights @ (given & is_there)
        marked = weights @ given + weights @ is_there
        return {
            "subset_accuracy": ratio(weights @ is_right, total),
            "f1_micro": ratio(2 * hits.sum(1), marked.sum(1)),
            "f1_macro": _mean_of_known(ratio(2 * hits, marked)),
            "roc_auc": _mean_of_known(_stacked(areas, weights)),
            "average_precision": _mean_of_known(_stacked(precisions, weights)),
            "log_loss": ratio(weights @ loss, total),
            "brier": ratio(weights @ squares, total),
        }

    return values


def _stacked(metrics: Sequence[Metric], weights: np.ndarray) -> np.ndarray:
    return np.stack([metric(weights) for metric in metrics], axis=1)


def _mean_of_known(by_label: np.ndarray) -> np.ndarray:
    known = ~np.isnan(by_label)
    return ratio(np.nan_to_num(by_label).sum(1), known.sum(1))
