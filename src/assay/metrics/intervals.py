"""Metrics with bootstrap intervals, and differences of two models on the same rows.

Percentile intervals of the bootstrap (Efron and Tibshirani 1993, chapter 13,
doi:10.1201/9780429246593). Classification resamples within each class, and reconstruction among
anomalies and among normal rows, so that every resample has the classes of the split. A resample is
a row of counts, so all of them are scored at once.
Windows over time overlap, so forecasts resample blocks of rows that follow each other, as many as
share targets, in a circle (Politis and Romano 1992).
The same seed and target give the same resamples, so two models are compared row for row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from assay.data.spec import Task
from assay.metrics.forecasts import block_length
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import weighted

Interval: TypeAlias = dict[str, float | str | None]
"""``value``, ``low`` and ``high``; all None, with a ``reason``, where the metric is undefined."""

_STRATIFIED: frozenset[Task] = frozenset({"classification", "reconstruction"})
_CELLS = 4 << 20
_FEWEST_DEFINED = 0.5


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """Every metric's value and its values (resamples,) in the bootstrap, by name."""

    values: Mapping[str, float]
    resamples: Mapping[str, np.ndarray]
    confidence: float
    reason: str

    def minus(self, other: Resampled) -> Resampled:
        """Return the differences to another model on the same rows, resample by resample."""
        return Resampled(
            values={name: value - other.values[name] for name, value in self.values.items()},
            resamples={name: r - other.resamples[name] for name, r in self.resamples.items()},
            confidence=self.confidence,
            reason=self.reason,
        )

    def intervals(self) -> dict[str, Interval]:
        """Return ``value``, ``low`` and ``high`` of every metric."""
        return {name: self.interval(name) for name in self.values}

    def interval(self, name: str) -> Interval:
        """Return ``value``, ``low`` and ``high`` of one metric."""
        return _interval(self.values[name], self.resamples[name], self.confidence, self.reason)


def resample(
    task: Task,
    *,
    target: np.ndarray,
    output: np.ndarray,
    knobs: Evaluate,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
) -> Resampled:
    """Return every metric of the task over the bootstrap; arrays as for ``score``."""
    bins = knobs.calibration_bins
    metrics = weighted(task, target=target, output=output, bins=bins, classes=classes, naive=naive)
    values = metrics(np.ones((1, len(target))))
    parts = [metrics(counts) for counts in _counts(task, np.asarray(target), knobs)]
    return Resampled(
        values={name: float(value[0]) for name, value in values.items()},
        resamples={name: np.concatenate([part[name] for part in parts]) for name in values},
        confidence=knobs.confidence,
        reason=_reason(task, np.asarray(target), output),
    )


def score_with_intervals(
    task: Task,
    *,
    target: np.ndarray,
    output: np.ndarray,
    knobs: Evaluate,
    naive: Sequence[float] = (),
) -> dict[str, Interval]:
    """Return every metric of the task with its interval; arrays as for ``score``."""
    return resample(task, target=target, output=output, knobs=knobs, naive=naive).intervals()


def difference_with_intervals(
    task: Task, *, target: np.ndarray, output: np.ndarray, other: np.ndarray, knobs: Evaluate
) -> dict[str, Interval]:
    """Return for every metric the value of ``output`` minus that of ``other``, resampled in pairs.

    An interval that leaves out 0 says that the two differ by more than chance on these rows.
    """
    ours = resample(task, target=target, output=output, knobs=knobs)
    return ours.minus(resample(task, target=target, output=other, knobs=knobs)).intervals()


def _counts(task: Task, target: np.ndarray, knobs: Evaluate) -> Iterator[np.ndarray]:
    """Yield (B, rows) of counts, B bounded so that memory does not grow with the rows."""
    rng = np.random.default_rng(knobs.seed)
    strata = [np.arange(len(target))]
    if task in _STRATIFIED:
        strata = [np.flatnonzero(target == k) for k in np.unique(target)]
    at_a_time = max(1, _CELLS // max(1, len(target)))
    for start in range(0, knobs.resamples, at_a_time):
        size = min(at_a_time, knobs.resamples - start)
        if task == "forecasting":
            yield _draw_blocks(rng, size=size, rows=len(target), horizon=target.shape[1])
            continue
        yield _draw(rng, strata, size=size, rows=len(target))


def _draw(
    rng: np.random.Generator, strata: list[np.ndarray], *, size: int, rows: int
) -> np.ndarray:
    counts = np.zeros((size, rows))
    for resample in counts:
        for stratum in strata:
            drawn = rng.integers(len(stratum), size=len(stratum)) if len(stratum) else stratum
            resample[stratum] = np.bincount(drawn, minlength=len(stratum))
    return counts


def _draw_blocks(rng: np.random.Generator, *, size: int, rows: int, horizon: int) -> np.ndarray:
    if not rows:
        return np.zeros((size, rows))
    length = block_length(rows, horizon)
    starts = rng.integers(rows, size=(size, -(-rows // length)))
    drawn = (starts[:, :, None] + np.arange(length)).reshape(size, -1)[:, :rows] % rows
    return np.stack([np.bincount(one, minlength=rows) for one in drawn]).astype(float)


def _interval(value: float, resampled: np.ndarray, confidence: float, reason: str) -> Interval:
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None, "reason": reason}
    defined = resampled[np.isfinite(resampled)]
    if len(defined) < _FEWEST_DEFINED * len(resampled):
        why = "undefined in most resamples, so there is no interval"
        return {"value": value, "low": None, "high": None, "reason": why}
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"value": value, "low": float(low), "high": float(high)}


def _reason(task: Task, target: np.ndarray, output: np.ndarray) -> str:
    if not len(target):
        return "there is no row to score"
    if task == "reconstruction":
        return "these rows are not known to hold both anomalies and normal rows"
    if task == "multilabel":
        return "no label stands in some of these rows and not in others"
    if task != "classification":
        return "the target has only one value in these rows"
    found, classes = len(np.unique(target)), np.shape(output)[1]
    return f"these rows hold only {found} of the {classes} classes"
