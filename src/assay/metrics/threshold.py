"""Above which score a row is flagged as an anomaly, from validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.metrics.anomaly import best_threshold

_FEWEST_OF_LABEL, _HALF = 10, 0.5


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The score above which a row is flagged; how it was chosen, and from how many anomalies."""

    value: float
    by: Literal["f1", "quantile"]
    anomalies: int


def label_thresholds(probability: np.ndarray, present: np.ndarray) -> tuple[float, ...]:
    """Return for each label the probability above which it is given: that of the highest F1.

    Both (N, L), of validation rows; ``present`` is 1 where a row has a label. A label that fewer than
    10 of them have is decided at one half: its best threshold would be chance (Lipton et al. 2014,
    arXiv:1402.1892, on what thresholds of F1 do to rare labels).
    """
    return tuple(
        best_threshold(score, is_anomaly=has) if _FEWEST_OF_LABEL <= has.sum() < len(has) else _HALF
        for score, has in zip(probability.T, present.T == 1, strict=True)
    )


def fit_threshold(scores: np.ndarray, target: np.ndarray, *, false_alarms: float) -> Threshold:
    """Return the threshold of the highest F1 on validation rows.

    ``scores`` (N,); ``target`` (N,) 1 for an anomaly, 0 for a normal row, -1 for not known. Where
    no anomaly or no normal row is known, that share ``false_alarms`` of the rows lies above it.
    """
    is_known, is_anomaly = target >= 0, target == 1
    count = int(is_anomaly.sum())
    if count and (target == 0).any():
        value = best_threshold(scores[is_known], is_anomaly=is_anomaly[is_known])
        return Threshold(value=value, by="f1", anomalies=count)
    value = float(np.quantile(scores, 1 - false_alarms))
    return Threshold(value=value, by="quantile", anomalies=count)
