"""How well errors of reconstruction tell anomalies from normal rows."""

from __future__ import annotations

import numpy as np

from assay.metrics.ranking import Metrics, average_precision, one_against_rest, ratio


def anomaly_metrics(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    """Return the metrics of a reconstruction over weights (B, N).

    ``target`` (N,): 1 for an anomaly, 0 for a normal row, -1 where that is not known. ``output``
    (N,) is each row's score, or (N, 2) with 1 beside it where the row is flagged at the threshold.
    ``reconstruction_mse`` is the mean score of rows that are no known anomalies. The others are over
    rows that are known; precision, recall, F1 and the share of normal rows that are flagged need flags.
    ``flagged`` is the share of all rows that are.
    """
    score = output.reshape(len(output), -1)[:, 0]
    is_known, is_anomaly = target >= 0, target == 1
    area, mean = one_against_rest(is_anomaly, score), average_precision(is_anomaly, score)

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        known, normal = weights * is_known, weights * ~is_anomaly
        has_both = ((known * is_anomaly).sum(1) > 0) & ((known * ~is_anomaly).sum(1) > 0)
        has_flags = output.ndim == 2
        flags = (
            _of_flags(is_anomaly, output[:, 1] > 0, known=known, weights=weights)
            if has_flags
            else {}
        )
        return {
            "reconstruction_mse": ratio(normal @ score, normal.sum(1)),
            "auroc": area(known),
            "average_precision": np.where(has_both, mean(known), np.nan),
            **flags,
        }

    return values


def _of_flags(
    is_anomaly: np.ndarray, is_flagged: np.ndarray, *, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    hits, flagged = known @ (is_anomaly & is_flagged), known @ is_flagged
    anomalies, normal = known @ is_anomaly, known @ ~is_anomaly
    f1 = ratio(2 * hits, anomalies + flagged)
    return {
        "f1": np.where(anomalies > 0, f1, np.nan),
        "precision": np.where(anomalies > 0, ratio(hits, flagged, empty=0.0), np.nan),
        "recall": ratio(hits, anomalies),
        "false_alarm_rate": ratio(flagged - hits, normal),
        "flagged": ratio(weights @ is_flagged, weights.sum(1)),
    }


def best_threshold(score: np.ndarray, *, is_anomaly: np.ndarray) -> float:
    """Return the score that divides best: the highest F1 of calling anomalies what lies above it.

    It lies half way between two scores, and of several the highest.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(is_anomaly[order])
    taken = np.arange(1, len(score) + 1)
    f1 = 2 * hits / (taken + is_anomaly.sum())
    is_end = np.r_[ranked[1:] != ranked[:-1], True]
    best = int(np.argmax(np.where(is_end, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best] - 1.0
    return float((ranked[best] + below) / 2)
