"""What evaluating forecasts means: errors by step ahead, and forecasts drawn beside what came."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from assay.baselines.fit import Answer
from assay.data.prepared import ID, Split
from assay.data.spec import Spec, required
from assay.figures.forecasts import Window, by_step, windows
from assay.figures.style import Figure
from assay.inference.predictions import forecast_columns
from assay.inference.signature import SEQUENCE, Signature
from assay.metrics.forecasts import by_horizon

_SHOWN = 4
_SEASONS = 2


def horizon_table(target: np.ndarray, output: np.ndarray, *, spec: Spec) -> pd.DataFrame:
    """Return the errors of forecasts (rows, horizon, series) for each series and step ahead."""
    of = required(spec.forecast)
    return by_horizon(target=target, output=output, naive=of.naive, series=of.series)


def with_truth(table: pd.DataFrame, target: np.ndarray, signature: Signature) -> pd.DataFrame:
    """Return a table of forecasts with what came behind them, ``actual co2 +1``."""
    names = [f"actual {name}" for name in forecast_columns(signature)]
    truth = pd.DataFrame(target.reshape(len(target), -1), columns=names)
    return pd.concat([table.reset_index(drop=True), truth], axis=1)


def forecast_pictures(
    split: Split, output: np.ndarray, *, spec: Spec, answers: Mapping[str, Answer]
) -> dict[str, Figure]:
    """Return errors by step beside the baselines', and windows of each series from best to worst."""
    of, target = required(spec.forecast), np.asarray(split.target)
    tables = {"model": horizon_table(target, output, spec=spec)}
    tables |= {name: horizon_table(target, a.output, spec=spec) for name, a in answers.items()}
    pictures = {
        "horizon": by_step({n: t.groupby("step")["mase"].mean() for n, t in tables.items()})
    }
    error = (np.abs(output - target) / np.array(of.naive)).mean(axis=1)
    for place, name in enumerate(of.series[:_SHOWN]):
        chosen = _spread(error[:, place])
        pictures[f"forecasts_{place + 1}"] = windows(
            [
                _window(split, output, row, place=place, spec=spec, naive=answers["trivial"])
                for row in chosen
            ],
            series=name,
        )
    return pictures


def _spread(error: np.ndarray) -> list[int]:
    """Return rows from the best forecast to the worst, evenly over their order."""
    order = np.argsort(error, kind="stable")
    places = np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).round().astype(int)
    return [int(order[place]) for place in places]


def _window(
    split: Split, output: np.ndarray, row: int, *, place: int, spec: Spec, naive: Answer
) -> Window:
    of = required(spec.forecast)
    seen = split.batch(np.array([row]))[SEQUENCE][0, :, place]
    target = np.asarray(split.target[row, :, place])
    error = float(np.abs(output[row, :, place] - target).mean() / of.naive[place])
    most = max(_SEASONS * of.horizon, of.season + of.horizon)
    return Window(
        title=f"after {split.rows()[ID].iloc[row]}: MASE {error:.2f}",
        seen=seen[-most:],
        truth=target,
        forecast=output[row, :, place],
        naive=naive.output[row, :, place],
    )
