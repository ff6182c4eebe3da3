"""Knobs of the evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Lt


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """How the test split is scored.

    ``slices`` names columns, besides the sensitive ones, by whose values the metrics are reported
    too, and ``slice_rows`` the fewest rows that a value needs for that. Every crossing of two such
    columns is tested, and the metrics of the ``cross_slices`` worst ones are reported. Baselines are fitted on at most
    ``baseline_rows`` training rows; detectors of anomalies flag the share ``false_alarms`` of
    validation rows where none of those is known to be an anomaly. ``samples`` is how many a generator is
    measured by at a time. ``threads`` bounds ONNX Runtime and the baselines.
    """

    resamples: Annotated[int, Ge(1)] = 1000
    confidence: Annotated[float, Gt(0), Lt(1)] = 0.95
    seed: Annotated[int, Ge(0)] = 0
    calibration_bins: Annotated[int, Ge(2)] = 15
    slices: tuple[str, ...] = ()
    slice_rows: Annotated[int, Ge(1)] = 20
    cross_slices: Annotated[int, Ge(0)] = 20
    baseline_rows: Annotated[int, Ge(10)] = 50_000
    false_alarms: Annotated[float, Gt(0), Lt(1)] = 0.01
    samples: Annotated[int, Ge(50)] = 1000
    batch_size: Annotated[int, Ge(1)] = 1024
    threads: Annotated[int, Ge(1)] = 2
