"""Which trial is the best of several objectives: a named rule picks one of the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from assay.tuning.choice import best_of
from assay.tuning.knobs import RuleName, Search
from assay.tuning.pareto import front
from assay.tuning.problem import Problem
from assay.tuning.trial import Trial


def picked(trials: Sequence[Trial], *, problem: Problem, knobs: Search) -> Trial | None:
    """Return the trial that ``knobs.rule`` picks, None where none is complete.

    ``first``: the best by the first objective, as if it were alone. ``within_error``: of those on
    the front whose first objective is within ``knobs.margin`` standard errors of the best one's,
    the least in the second (Breiman et al. 1984, section 3.4.3). ``knee``: the nearest to the ideal,
    each objective scaled to 0 to 1 over the front (Zeleny 1973, compromise programming).
    """
    if knobs.rule == "first":
        return best_of(trials, problem=problem, knobs=knobs)
    best = front(trials, directions=problem.directions)
    return _RULES[knobs.rule](best, _costs(best, problem), knobs) if best else None


def _costs(trials: Sequence[Trial], problem: Problem) -> np.ndarray:
    """Return the objectives as costs, to be small: a row a trial."""
    signs = [1.0 if direction == "minimize" else -1.0 for direction in problem.directions]
    values = [[trial.value, *trial.more] for trial in trials]
    return np.array(values, dtype=float).reshape(len(trials), len(signs)) * signs


def _within_error(best: Sequence[Trial], costs: np.ndarray, knobs: Search) -> Trial:
    first = int(costs[:, 0].argmin())
    limit = costs[first, 0] + knobs.margin * best[first].error
    near = [place for place in range(len(best)) if costs[place, 0] <= limit]
    return best[min(near, key=lambda place: (*costs[place, 1:], costs[place, 0]))]


def _knee(best: Sequence[Trial], costs: np.ndarray, knobs: Search) -> Trial:
    spread = np.ptp(costs, axis=0)
    scaled = (costs - costs.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    return best[int(np.linalg.norm(scaled, axis=1).argmin())]


_RULES: Mapping[RuleName, Callable[[Sequence[Trial], np.ndarray, Search], Trial]] = {
    "within_error": _within_error,
    "knee": _knee,
}
