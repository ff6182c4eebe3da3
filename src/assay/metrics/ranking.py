"""How well scores order rows that carry weights: areas under curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Metrics = Callable[[np.ndarray], dict[str, np.ndarray]]
Metric = Callable[[np.ndarray], np.ndarray]


def one_against_rest(is_positive: np.ndarray, score: np.ndarray) -> Metric:
    """Return the area under the ROC curve over weights (B, N): bool (N,) and scores (N,).

    The weighted Mann-Whitney statistic: the share of pairs in the right order, ties half.
    """
    order = np.argsort(score, kind="stable")
    ranked, positive = score[order], is_positive[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else order

    def area(weights: np.ndarray) -> np.ndarray:
        sorted_weights = weights[:, order]
        won = np.add.reduceat(sorted_weights * positive, starts, axis=1)
        lost = np.add.reduceat(sorted_weights * ~positive, starts, axis=1)
        below = np.cumsum(lost, axis=1) - lost / 2
        return ratio((won * below).sum(1), won.sum(1) * lost.sum(1))

    return area


def average_precision(is_positive: np.ndarray, score: np.ndarray) -> Metric:
    """Return the mean precision over weights (B, N): each gain in recall at its precision.

    Rows of equal score are taken together, as in scikit-learn.
    """
    order = np.argsort(-score, kind="stable")
    ranked, positive = score[order], is_positive[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]) if len(ranked) else order

    def mean(weights: np.ndarray) -> np.ndarray:
        taken = weights[:, order]
        hits = np.cumsum(taken * positive, axis=1)[:, ends]
        precision = ratio(hits, np.cumsum(taken, axis=1)[:, ends], empty=0.0)
        gain = np.diff(hits, axis=1, prepend=0.0)
        return ratio((precision * gain).sum(1), gain.sum(1))

    return mean


def ratio(above: np.ndarray, below: np.ndarray, *, empty: float = np.nan) -> np.ndarray:
    """Return the quotient, ``empty`` where there is nothing to divide by."""
    above, below = np.broadcast_arrays(above.astype(float), below.astype(float))
    result = np.full(above.shape, empty)
    np.divide(above, below, out=result, where=below > 0)
    return result
