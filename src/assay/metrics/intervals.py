"""Metrics with bootstrap intervals, and differences of two models on the same rows.

Percentile intervals of the bootstrap (Efron and Tibshirani 1993, chapter 13,
doi:10.1201/9780429246593). Classification resamples within each class, and reconstruction among
anomalies and among normal rows, so that every resample has the classes of the split. A resample is
a row of counts, so all of them are scored at once.
Rows that depend on each other are drawn together (``metrics.dependence``). Windows over time overlap,
so forecasts resample blocks of rows that follow each other, as many as share targets.
The same seed and target give the same resamples, so two models are compared row for row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from scipy.stats import binomtest

from assay.data.spec import Task
from assay.metrics.dependence import (
    ONE_BY_ONE,
    Dependence,
    draw_blocks,
    draw_groups,
    draw_rows,
)
from assay.metrics.forecasts import block_length
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import weighted

Interval: TypeAlias = dict[str, float | str | None]
"""``value``, ``low`` and ``high``; all None, with a ``reason``, where the metric is undefined."""

_STRATIFIED: frozenset[Task] = frozenset({"classification", "reconstruction"})
_SHARES: Mapping[Task, str] = {"classification": "accuracy", "multilabel": "subset_accuracy"}
_CELLS = 4 << 20
_FEWEST_DEFINED = 0.5


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """Every metric's value and its values (resamples,) in the bootstrap, by name.

    ``no_interval`` says why the resamples tell nothing of chance, where they do not. ``shares`` are
    how many independent rows the metrics that are shares of rows count, by name.
    """

    values: Mapping[str, float]
    resamples: Mapping[str, np.ndarray]
    confidence: float
    reason: str
    no_interval: str = ""
    shares: Mapping[str, int] = field(default_factory=dict)

    def minus(self, other: Resampled) -> Resampled:
        """Return the differences to another model on the same rows, resample by resample."""
        return replace(
            self,
            values={name: value - other.values[name] for name, value in self.values.items()},
            resamples={name: r - other.resamples[name] for name, r in self.resamples.items()},
            shares={},
        )

    def intervals(self) -> dict[str, Interval]:
        """Return ``value``, ``low`` and ``high`` of every metric."""
        return {name: self.interval(name) for name in self.values}

    def interval(self, name: str) -> Interval:
        """Return ``value``, ``low`` and ``high`` of one metric."""
        value = self.values[name]
        if self.no_interval and np.isfinite(value):
            return {"value": value, "low": None, "high": None, "reason": self.no_interval}
        found = _interval(value, self.resamples[name], self.confidence, self.reason)
        rows = self.shares.get(name, 0)
        if not rows or found["low"] is None or found["low"] != found["high"]:
            return found
        low, high = _exact(value, rows, self.confidence)
        return {"value": value, "low": low, "high": high}


def resample(
    task: Task,
    *,
    target: np.ndarray,
    output: np.ndarray,
    knobs: Evaluate,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
    costs: Sequence[float] = (),
    dependence: Dependence = ONE_BY_ONE,
) -> Resampled:
    """Return every metric of the task over the bootstrap; arrays as for ``score``."""
    metrics = weighted(
        task,
        target=target,
        output=output,
        bins=knobs.calibration_bins,
        classes=classes,
        naive=naive,
        costs=costs,
    )
    values = metrics(np.ones((1, len(target))))
    drawn = draws(task, np.asarray(target), knobs, dependence)
    parts = [metrics(counts) for counts in drawn]
    return Resampled(
        values={name: float(value[0]) for name, value in values.items()},
        resamples={name: np.concatenate([part[name] for part in parts]) for name in values},
        confidence=knobs.confidence,
        reason=_reason(task, np.asarray(target), output),
        no_interval=dependence.too_few(len(target)),
        shares=_shares(task, len(target), dependence),
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


def draws(
    task: Task, target: np.ndarray, knobs: Evaluate, dependence: Dependence
) -> Iterator[np.ndarray]:
    """Yield (B, rows) of counts, B bounded so that memory does not grow with the rows."""
    rng, rows = np.random.default_rng(knobs.seed), len(target)
    stratum = target if task in _STRATIFIED else np.zeros(rows)
    strata = [np.flatnonzero(stratum == k) for k in np.unique(stratum)]
    code = np.zeros(rows) if dependence.code is None else dependence.code
    in_time = np.argsort(np.argsort(code, kind="stable"), kind="stable")
    at_a_time = max(1, _CELLS // max(1, rows))
    for start in range(0, knobs.resamples, at_a_time):
        size = min(at_a_time, knobs.resamples - start)
        if task == "forecasting":
            length = block_length(rows, target.shape[1])
            yield draw_blocks(rng, size=size, rows=rows, length=length)
        elif dependence.way == "time":
            yield draw_blocks(rng, size=size, rows=rows, length=block_length(rows, 1))[:, in_time]
        elif dependence.way == "group":
            yield draw_groups(rng, code, stratum=stratum, size=size)
        else:
            yield draw_rows(rng, strata, size=size, rows=rows)


def independent_units(task: Task, target: np.ndarray, dependence: Dependence) -> int:
    """Return how many parts are drawn by themselves: rows, groups, or blocks of rows in time."""
    if task == "forecasting":
        return len(target) // block_length(len(target), target.shape[1])
    return dependence.units(len(target))


def _interval(value: float, resampled: np.ndarray, confidence: float, reason: str) -> Interval:
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None, "reason": reason}
    defined = resampled[np.isfinite(resampled)]
    if len(defined) < _FEWEST_DEFINED * len(resampled):
        why = "undefined in most resamples, so there is no interval"
        return {"value": value, "low": None, "high": None, "reason": why}
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"value": value, "low": float(low), "high": float(high)}


def _shares(task: Task, rows: int, dependence: Dependence) -> dict[str, int]:
    name = _SHARES.get(task)
    return {name: rows} if name and dependence.way == "rows" else {}


def _exact(share: float, rows: int, confidence: float) -> tuple[float, float]:
    """Return the binomial interval of a share of rows (Clopper and Pearson 1934).

    For a share that is the same in every resample, such as that of a model without a mistake: rows
    that were never drawn wrong do not say that none ever is.
    """
    found = binomtest(round(share * rows), rows).proportion_ci(confidence, method="exact")
    return float(found.low), float(found.high)


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
