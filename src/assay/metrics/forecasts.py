"""How far forecasts are from what came: in the series' own unit, in that of a naive forecast, in percent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from assay.metrics.ranking import Metrics, ratio

_PERCENT = 100.0
_BLOCK_POWER = 1 / 3


def forecast_metrics(target: np.ndarray, output: np.ndarray, naive: Sequence[float]) -> Metrics:
    """Return the metrics of forecasts over weights (B, N), means over steps and series.

    ``target`` and ``output`` (N, horizon, series) in the series' own units; ``naive`` (series,) is the
    mean absolute error of the seasonal naive forecast in training. MASE is the mean absolute error in
    units of ``naive``, and below 1 where it is less; sMAPE, in percent, is the mean of 200 |error| /
    (|target| + |output|), 0 where both are 0 (Hyndman and Koehler 2006,
    doi:10.1016/j.ijforecast.2006.03.001; Makridakis et al. 2020, doi:10.1016/j.ijforecast.2019.04.014).
    """
    of_rows = {name: part.mean(axis=(1, 2)) for name, part in _parts(target, output, naive).items()}

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(1)
        found = {name: ratio(weights @ part, total) for name, part in of_rows.items()}
        return {**found, "rmse": np.sqrt(found["mse"])}

    return values


def by_horizon(
    *, target: np.ndarray, output: np.ndarray, naive: Sequence[float], series: Sequence[str]
) -> pd.DataFrame:
    """Return ``series``, ``step`` from 1 and each metric, for every step of every series."""
    parts = {name: part.mean(axis=0) for name, part in _parts(target, output, naive).items()}
    parts["rmse"] = np.sqrt(parts.pop("mse"))
    horizon, count = parts["mae"].shape
    columns = {name: part.T.ravel() for name, part in parts.items()}
    names = np.repeat(np.array(series, dtype=object), horizon)
    return pd.DataFrame({"series": names, "step": [*range(1, horizon + 1)] * count, **columns})


def block_length(rows: int, horizon: int) -> int:
    """Return how many rows are drawn together: the third root of all, and twice as many as share targets."""
    shared = 2 * horizon if horizon > 1 else 1
    return int(np.clip(max(shared, rows**_BLOCK_POWER), 1, max(1, rows // 3)))


def variance_left_out(rows: int, horizon: int) -> float:
    """Return the part of a mean's variance that blocks do not show where windows share targets.

    The covariance of windows k rows apart falls as 1 - k / ``horizon``, and a block of L rows holds
    1 - k / L of its pairs: horizon / (3 L) of the whole is missing, for horizons of several steps.
    """
    return 0.0 if horizon == 1 else min(0.5, horizon / (3 * block_length(rows, horizon)))


def block_error(target: np.ndarray, output: np.ndarray, naive: Sequence[float]) -> float:
    """Return the standard error of MASE over blocks of rows that depend on each other."""
    scaled = _parts(target, output, naive)["mase"].mean(axis=(1, 2))
    length = block_length(len(scaled), target.shape[1])
    means = [part.mean() for part in np.array_split(scaled, max(2, len(scaled) // length))]
    return float(np.std(means, ddof=1) / np.sqrt(len(means)))


def _parts(target: np.ndarray, output: np.ndarray, naive: Sequence[float]) -> dict[str, np.ndarray]:
    output = np.asarray(output, np.float64).reshape(target.shape)
    truth = np.asarray(target, np.float64)
    error, size = np.abs(output - truth), np.abs(output) + np.abs(truth)
    return {
        "mase": error / np.asarray(naive, np.float64),
        "mae": error,
        "mse": error**2,
        "smape": 2 * _PERCENT * ratio(error, size, empty=0.0),
    }
