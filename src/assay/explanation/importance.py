"""Global importance: how much of the output each feature moves, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Mean importance (features,) with the ends of its 95 % interval, ranks from 1, and names."""

    names: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rank: np.ndarray


def moved(values: np.ndarray) -> np.ndarray:
    """Return how much output each feature moves, (rows, features), from (rows, features, outputs).

    For one output the absolute SHAP value, in the target's unit; for classes half the sum of the
    absolute values, which is the probability moved from some classes to others (0 to 1).
    """
    total: np.ndarray = np.abs(values).sum(axis=2)
    return total if values.shape[2] == 1 else total / 2


def importance(amounts: np.ndarray, *, names: tuple[str, ...], seed: int) -> Importance:
    """Average ``amounts``, (rows, features), with a percentile bootstrap over the rows.

    The interval is for other rows of the same kind (Efron and Tibshirani 1993, chapter 13).
    """
    mean = amounts.mean(axis=0)
    rows = len(amounts)
    drawn = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(drawn @ amounts / rows, [tail, 1 - tail], axis=0)
    order = np.argsort(-mean, kind="stable")
    rank = np.empty(len(mean), dtype=np.int64)
    rank[order] = np.arange(1, len(mean) + 1)
    return Importance(names=names, mean=mean, low=low, high=high, rank=rank)
