"""Simple forecasts from the window alone, and a linear one that is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from sklearn.linear_model import RidgeCV

from assay.baselines.fit import Answer
from assay.data.prepared import Split
from assay.data.spec import Forecast, Spec, required

_INPUT = "sequence"
_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
_CELLS = 20_000_000
Ahead: TypeAlias = Callable[[np.ndarray, Forecast], np.ndarray]
"""From windows (rows, steps, series) to forecasts (rows, horizon, series)."""


def forecast_baselines(
    train: Split, test: Split, *, spec: Spec, most_rows: int, seed: int
) -> dict[str, Answer]:
    """Return every baseline's forecasts by name, simplest first (Hyndman and Athanasopoulos 2021, 5.2)."""
    of = required(spec.forecast)
    asked = _windows(test, np.arange(len(test)))
    seen = asked[:, :, : len(of.series)]
    found = {
        name: Answer(output=ahead(seen, of), about=about(of), rows=0)
        for name, (ahead, about) in _AHEAD.items()
    }
    most = min(most_rows, max(100, _CELLS // asked[0].size))
    rows = np.arange(len(train))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(train), most, replace=False))
    output = _linear(train, rows, asked, of)
    about = "ridge regression on the differences of the window's steps to the last"
    return {**found, "linear": Answer(output=output, about=about, rows=len(rows))}


def _windows(split: Split, rows: np.ndarray) -> np.ndarray:
    return np.nan_to_num(split.batch(rows)[_INPUT].astype(np.float64))


def _seasonal(seen: np.ndarray, of: Forecast) -> np.ndarray:
    """The last season again, as often as the horizon asks."""
    steps = seen.shape[1] - of.season + np.arange(of.horizon) % of.season
    return np.asarray(seen[:, steps])


def _last(seen: np.ndarray, of: Forecast) -> np.ndarray:
    return np.repeat(seen[:, -1:], of.horizon, axis=1)


def _drift(seen: np.ndarray, of: Forecast) -> np.ndarray:
    """The line from the window's first value to its last, drawn on."""
    slope = (seen[:, -1:] - seen[:, :1]) / (seen.shape[1] - 1)
    return np.asarray(seen[:, -1:] + slope * np.arange(1, of.horizon + 1)[None, :, None])


def _linear(train: Split, rows: np.ndarray, asked: np.ndarray, of: Forecast) -> np.ndarray:
    known = _windows(train, rows)
    count, std = len(of.series), np.array(of.std)

    def features(windows: np.ndarray) -> np.ndarray:
        return np.asarray((windows - windows[:, -1:]).reshape(len(windows), -1))

    ahead = (np.asarray(train.target)[rows] - known[:, -1:, :count]) / std
    model = RidgeCV(alphas=_PENALTIES).fit(features(known), ahead.reshape(len(rows), -1))
    found = model.predict(features(asked)).reshape(len(asked), of.horizon, count)
    return np.asarray(found * std + asked[:, -1:, :count])


_AHEAD: Mapping[str, tuple[Ahead, Callable[[Forecast], str]]] = {
    "trivial": (
        _seasonal,
        lambda of: f"the seasonal naive forecast: what came {of.season} steps before",
    ),
    "last": (_last, lambda of: "the window's last value"),
    "drift": (_drift, lambda of: "the line from the window's first value to its last, drawn on"),
}
