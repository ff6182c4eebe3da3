"""Metrics of forecasts against torchmetrics, by step ahead, and over blocks of rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional import (
    mean_absolute_error,
    mean_squared_error,
    symmetric_mean_absolute_percentage_error,
)

from assay.metrics.forecasts import block_error, block_length, by_horizon
from assay.metrics.intervals import resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import direction, objective_error
from assay.metrics.scores import score

NAIVE = (2.0, 0.5)


def _random(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    target = rng.normal(10, 3, (rows, 4, 2))
    return target, target + rng.normal(0, 1, target.shape)


def test_metrics_are_those_of_the_reference() -> None:
    target, output = _random()
    found = score("forecasting", target=target, output=output, naive=NAIVE)
    t, p = torch.tensor(target), torch.tensor(output)
    scale = torch.tensor(NAIVE)
    assert found == pytest.approx(
        {
            "mae": float(mean_absolute_error(p, t)),
            "mse": float(mean_squared_error(p, t)),
            "rmse": float(mean_squared_error(p, t)) ** 0.5,
            "mase": float(mean_absolute_error(p / scale, t / scale)),
            "smape": 100 * float(symmetric_mean_absolute_percentage_error(p, t)),
        }
    )
    assert {direction(name) for name in found} == {"minimize"}


def test_errors_by_step_average_to_the_whole() -> None:
    target, output = _random()
    table = by_horizon(target=target, output=output, naive=NAIVE, series=("a", "b"))
    assert table[["series", "step"]].iloc[[0, 3, 4]].to_numpy().tolist() == [
        ["a", 1],
        ["a", 4],
        ["b", 1],
    ]
    whole = score("forecasting", target=target, output=output, naive=NAIVE)
    assert table["mase"].mean() == pytest.approx(whole["mase"])
    first = np.abs(output - target)[:, 2, 1].mean()
    assert table.query("series == 'b' and step == 3")["mae"].item() == pytest.approx(first)


def test_a_perfect_forecast_of_zeros_has_no_error_in_percent() -> None:
    zeros = np.zeros((3, 2, 1))
    assert score("forecasting", target=zeros, output=zeros, naive=(1.0,))["smape"] == 0.0


def test_rows_that_overlap_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    one = np.convolve(rng.normal(size=400), np.ones(12) / 12, mode="valid")
    target = np.zeros((len(one), 12, 1))
    output = np.broadcast_to(1 + one[:, None, None], target.shape)
    knobs = Evaluate(resamples=400)
    blocks = resample("forecasting", target=target, output=output, knobs=knobs, naive=(1.0,))
    single = resample("regression", target=target[:, 0, 0], output=output[:, 0, 0], knobs=knobs)
    width = {}
    for name, found in {"mase": blocks, "mae": single}.items():
        interval = found.interval(name)
        assert interval["low"] < interval["value"] < interval["high"]
        width[name] = interval["high"] - interval["low"]
    assert width["mase"] > 1.5 * width["mae"]
    error = objective_error("forecasting", target=target, output=output, naive=(1.0,))
    assert error == block_error(target, output, (1.0,)) > 0


@pytest.mark.parametrize(("rows", "length"), [(1, 1), (9, 3), (100, 24), (8001, 24), (20000, 27)])
def test_blocks_are_twice_as_long_as_targets_overlap(rows: int, length: int) -> None:
    assert block_length(rows, 12) == length
