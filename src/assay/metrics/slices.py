"""Metrics of parts of the rows: by the values of a column, and of two columns together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isfinite, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from assay.data.prepared import GROUP, ID, TARGET, TIME
from assay.data.spec import Task
from assay.errors import ConfigError, nearest
from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.intervals import Resampled, resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import direction, objective, objective_error
from assay.metrics.repeated import holm
from assay.metrics.scores import score

_FEW_VALUES = 10
_PARTS = 4
_NEARLY = 0.9
_MISSING = "missing"
_RESAMPLES_OF_AN_ERROR = 200


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Rows with what is true and what the model says of them; arrays as for ``metrics.scores.score``."""

    task: Task
    rows: pd.DataFrame
    target: np.ndarray
    output: np.ndarray
    naive: Sequence[float] = ()
    dependence: Dependence = ONE_BY_ONE

    def of(self, here: np.ndarray) -> Measured:
        """Return a part of the rows, by mask."""
        return replace(
            self,
            rows=self.rows[here],
            target=self.target[here],
            output=self.output[here],
            dependence=self.dependence.of(here),
        )

    def resampled(self, knobs: Evaluate) -> Resampled:
        """Return every metric of the rows over the bootstrap."""
        return resample(
            self.task,
            target=self.target,
            output=self.output,
            knobs=knobs,
            naive=self.naive,
            dependence=self.dependence,
        )


@dataclass(frozen=True, kw_only=True)
class _Part:
    column: str
    value: str
    here: np.ndarray
    is_crossing: bool = False


def score_slices(
    measured: Measured, *, columns: tuple[str, ...], knobs: Evaluate
) -> list[dict[str, Any]]:
    """Return for each value of each of ``columns`` its rows, metrics and intervals, the worst first.

    Numbers of more than ten values are cut at their quartiles. A value with fewer rows than
    ``knobs.slice_rows`` gets a ``reason`` instead of metrics. Crossings of two columns follow where
    they have so many rows; of them the worst ``knobs.cross_slices`` are reported. ``beside`` has the
    objective here and elsewhere, and the one-sided p-value of "no worse than elsewhere" (Welch 1947,
    doi:10.2307/2332510), also after Holm's correction over every slice and crossing.
    Raises ConfigError for a column that the data does not have.
    """
    _require_columns(measured.rows, columns)
    single = [_Part(column=c, value=v, here=h) for c, v, h in parts(measured.rows, columns)]
    found = [part for part in single if part.here.sum() >= knobs.slice_rows]
    few = [part for part in single if part.here.sum() < knobs.slice_rows]
    crossed = list(_crossings(found)) if knobs.cross_slices else []
    crossed = [part for part in crossed if part.here.sum() >= knobs.slice_rows]
    entries = [_entry(part, measured, knobs) for part in (*found, *crossed)]
    _correct(entries)
    worst = sorted(zip(entries, (*found, *crossed), strict=True), key=lambda e: _badness(e[0]))
    told, crossings_left = [], knobs.cross_slices
    for entry, part in worst:
        if part.is_crossing and not crossings_left:
            continue
        crossings_left -= part.is_crossing
        metrics = measured.of(part.here).resampled(knobs).intervals()
        told.append({**entry, "metrics": metrics})
    return [*told, *(_too_few(part, knobs) for part in few)]


def _entry(part: _Part, measured: Measured, knobs: Evaluate) -> dict[str, Any]:
    head = {"column": part.column, "value": part.value, "rows": int(part.here.sum())}
    beside = _beside(part.here, measured, knobs)
    return {**head, **({"crossing": True} if part.is_crossing else {}), "beside": beside}


def _too_few(part: _Part, knobs: Evaluate) -> dict[str, Any]:
    reason = f"fewer than {knobs.slice_rows} rows (evaluate.slice_rows)"
    head = {"column": part.column, "value": part.value, "rows": int(part.here.sum())}
    return {**head, "metrics": {}, "reason": reason}


def _beside(here: np.ndarray, measured: Measured, knobs: Evaluate) -> dict[str, Any] | None:
    """Return the objective of a slice and of all other rows; None where those are too few, or it has no value."""
    goal = objective(measured.task)
    if (~here).sum() < knobs.slice_rows:
        return None
    (ours, spread), (theirs, other) = (
        _value_and_error(measured.of(h), goal.name, knobs) for h in (here, ~here)
    )
    if not all(map(isfinite, (ours, theirs, spread, other))):
        return None
    gap = ours - theirs if goal.direction == "minimize" else theirs - ours
    degrees = [max(1, measured.dependence.of(h).units(int(h.sum())) - 1) for h in (here, ~here)]
    p = _one_sided(gap, (spread, other), degrees)
    return {"metric": goal.name, "here": ours, "elsewhere": theirs, "gap": gap, "p": p}


def _value_and_error(measured: Measured, name: str, knobs: Evaluate) -> tuple[float, float]:
    if not len(measured.target):
        return np.nan, np.nan
    arrays: dict[str, Any] = {"target": measured.target, "output": measured.output}
    if measured.dependence.code is None:
        arrays["naive"] = measured.naive
        return score(measured.task, **arrays)[name], objective_error(measured.task, **arrays)
    fewer = min(knobs.resamples, _RESAMPLES_OF_AN_ERROR)
    found = measured.resampled(replace(knobs, resamples=fewer))
    return found.values[name], float(np.nanstd(found.resamples[name], ddof=1))


def _one_sided(gap: float, errors: Sequence[float], degrees: Sequence[int]) -> float:
    parts = [error**2 for error in errors]
    total = sum(parts)
    if total == 0:
        return 0.0 if gap > 0 else 1.0
    freedom = total**2 / sum(part**2 / d for part, d in zip(parts, degrees, strict=True))
    return float(t.sf(gap / sqrt(total), freedom))


def _correct(entries: Sequence[dict[str, Any]]) -> None:
    tested = [entry["beside"] for entry in entries if entry["beside"]]
    for beside, p in zip(tested, holm([beside["p"] for beside in tested]), strict=True):
        beside["p_holm"] = p


def _badness(entry: dict[str, Any]) -> float:
    """Return what sorts the worst first: the objective's value; last where it has none."""
    beside = entry["beside"]
    if not beside:
        return np.inf
    value = float(beside["here"])
    return value if direction(beside["metric"]) == "maximize" else -value


def _crossings(found: Sequence[_Part]) -> Iterator[_Part]:
    """Yield what two columns' values have in common, where that is not nearly all of one of them."""
    for first, second in combinations(found, 2):
        here = first.here & second.here
        if first.column != second.column and not _is_nearly(here, first.here, second.here):
            yield _Part(
                column=f"{first.column} and {second.column}",
                value=f"{first.value}, {second.value}",
                here=here,
                is_crossing=True,
            )


def _is_nearly(here: np.ndarray, *parents: np.ndarray) -> bool:
    return any(here.sum() > _NEARLY * parent.sum() for parent in parents)


def slice_words(slices: Sequence[dict[str, Any]], *, level: float) -> str:
    """Say which slices do worse than all other rows beyond chance, at a level over all of them."""
    tested = [part for part in slices if part.get("beside")]
    if not tested:
        return ""
    behind = [part for part in tested if part["beside"]["p_holm"] <= level]
    if not behind:
        return f"no slice does worse than the other rows beyond chance ({len(tested)} told, Holm)"
    return "worse than the other rows, beyond chance: " + "; ".join(map(_words, behind))


def _words(part: dict[str, Any]) -> str:
    beside = part["beside"]
    return (
        f"{part['column']} {part['value']} ({beside['metric'].replace('_', ' ')} "
        f"{beside['here']:.3g} against {beside['elsewhere']:.3g}, {part['rows']} rows, "
        f"Holm's p {beside['p_holm']:.2g})"
    )


def _require_columns(rows: pd.DataFrame, columns: tuple[str, ...]) -> None:
    known = [str(c) for c in rows.columns if c not in (ID, TARGET, GROUP, TIME)]
    problems = [
        f"evaluate.slices: the data has no column '{name}'{nearest(name, known)}"
        for name in columns
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def parts(rows: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield column, value and a mask of its rows, for each value of each of ``columns``."""
    for column in columns:
        labels = values_of(rows[column])
        for value in sorted(set(labels)):
            yield column, value, labels == value


def values_of(series: pd.Series) -> np.ndarray:
    """Return each row's value in words: a number's quartile where there are more than ten."""
    is_number = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if is_number and series.nunique() > _FEW_VALUES:
        series = pd.qcut(series, _PARTS, duplicates="drop").map(
            lambda part: f"{part.left:.4g} to {part.right:.4g}"
        )
    return np.array([_MISSING if pd.isna(v) else str(v) for v in series], dtype=object)
