"""Two models on the same rows: how much one gains on the other, and how sure that is.

Each test gives an ``Estimate``: the gain, above 0 where the first model is better, with its
standard error. Accuracy is tested by McNemar's exact test, the area under the ROC curve of two
classes by DeLong's, and everything else by the paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, sqrt

import numpy as np
from scipy.stats import binom, norm, rankdata, t

from assay.data.spec import Task
from assay.metrics.decisions import chosen, probabilities
from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.forecasts import variance_left_out
from assay.metrics.intervals import independent_units, resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective

_POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A gain on ``rows`` rows with its standard error, in the metric's unit; NaN where undefined.

    ``centre`` is the middle of the interval, ``degrees`` are those of Student's t, and ``exact``
    is the p-value of "no gain", where a test without approximation gives it.
    """

    gain: float
    error: float
    rows: int
    test: str
    centre: float | None = None
    degrees: float = inf
    exact: float | None = None

    @property
    def is_defined(self) -> bool:
        """Tell whether there is a gain to speak of."""
        return isfinite(self.gain) and isfinite(self.error)

    def interval(self, level: float) -> tuple[float, float]:
        """Return bounds of which each is passed with probability ``level``."""
        middle = self.gain if self.centre is None else self.centre
        reach = float(t.isf(level, self.degrees)) * self.error
        return middle - reach, middle + reach

    def p_better(self) -> float:
        """Return the one-sided p-value of the hypothesis that there is no gain."""
        return self._tail(self.gain) if self.exact is None else self.exact

    def p_worse(self, margin: float) -> float:
        """Return the one-sided p-value of the hypothesis that at most ``margin`` is lost."""
        middle = self.gain if self.centre is None else self.centre
        return self._tail(-(middle + margin))

    def rows_to_settle(self, level: float, *, margin: float = 0.0) -> int | None:
        """Return how many rows would settle a gain of this size with power 0.8; None without one.

        The error falls with the root of the rows: n ((z_level + z_0.2) error / gain)^2 (Chow et
        al. 2017, Sample Size Calculations in Clinical Research, section 3.1).
        """
        distance = abs(self.gain + margin)
        if not self.is_defined or distance == 0 or self.error == 0:
            return None
        ratio = (float(norm.isf(level)) + float(norm.ppf(_POWER))) * self.error / distance
        return max(self.rows + 1, ceil(self.rows * ratio**2))

    def _tail(self, gain: float) -> float:
        if not isfinite(gain) or not isfinite(self.error):
            return 1.0
        if self.error == 0:
            return 0.0 if gain > 0 else 1.0
        return float(t.sf(gain / self.error, self.degrees))


def estimate(
    task: Task,
    *,
    target: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    goal: Objective,
    knobs: Evaluate,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
    costs: Sequence[float] = (),
    dependence: Dependence = ONE_BY_ONE,
) -> Estimate:
    """Return the gain of ``ours`` on ``theirs``, by the test that fits task and metric.

    Arrays are those of ``metrics.scores.score``. Where rows depend on each other it is the bootstrap
    that draws them together: the other tests take rows for independent.
    """
    is_free = dependence.code is None
    if is_free and (task, goal.name) == ("classification", "accuracy"):
        return mcnemar(chosen(ours) == target, chosen(theirs) == target)
    if is_free and goal.name in _AREAS.get(task, ()):
        pair = _two_classes(task, target, ours, theirs)
        if pair is not None:
            return delong(*pair)
    return bootstrap(
        task,
        target=target,
        ours=ours,
        theirs=theirs,
        goal=goal,
        knobs=knobs,
        classes=classes,
        naive=naive,
        costs=costs,
        dependence=dependence,
    )


def mcnemar(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """Return the gain in accuracy of two models, given which rows (N,) each got right.

    The p-value is that of McNemar's exact test (McNemar 1947, doi:10.1007/BF02295996): of the
    rows that just one got right, ours has Binomial(b + c, 1/2). The interval is that of Agresti
    and Min 2005 (doi:10.1002/sim.1781): Wald's after adding 1/2 to each cell.
    """
    rows = len(ours)
    gained, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    if not rows:
        return Estimate(gain=np.nan, error=np.nan, rows=0, test="McNemar's exact test")
    b, c, n = gained + 0.5, lost + 0.5, rows + 2
    error = sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    return Estimate(
        gain=(gained - lost) / rows,
        error=error,
        rows=rows,
        test="McNemar's exact test",
        centre=(b - c) / n,
        exact=float(binom.sf(gained - 1, gained + lost, 0.5)),
    )


def delong(is_positive: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """Return the gain in the area under the ROC curve, from scores (N,) of the positive class.

    DeLong, DeLong and Clarke-Pearson 1988 (doi:10.2307/2531595), with the midranks of Sun and Xu
    2014 (doi:10.1109/LSP.2014.2337313). NaN where a class has fewer than two rows.
    """
    m, n = int(is_positive.sum()), int((~is_positive).sum())
    if min(m, n) < 2:
        return Estimate(gain=np.nan, error=np.nan, rows=m + n, test="DeLong's test")
    of_positive, of_negative = zip(
        *(_placements(s[is_positive], s[~is_positive]) for s in (ours, theirs)), strict=True
    )
    gain = float(of_positive[0].mean() - of_positive[1].mean())
    variance = np.var(of_positive[0] - of_positive[1], ddof=1) / m
    variance += np.var(of_negative[0] - of_negative[1], ddof=1) / n
    return Estimate(gain=gain, error=sqrt(variance), rows=m + n, test="DeLong's test")


def _placements(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the other class that each row is on the right side of, ties half."""
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n
    below = 1.0 - (ranks[m:] - rankdata(negative)) / m
    return above, below


def bootstrap(
    task: Task,
    *,
    target: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    goal: Objective,
    knobs: Evaluate,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
    costs: Sequence[float] = (),
    dependence: Dependence = ONE_BY_ONE,
) -> Estimate:
    """Return the gain in any metric of the task, with the standard error of the paired bootstrap.

    Efron and Tibshirani 1993, chapters 6 and 13 (doi:10.1201/9780429246593): both models are
    scored on the same resamples. The error is scaled by n / (n - 1), and Student's t with n - 1
    degrees stands in for percentiles, of which the far ones that a small level asks for would take
    very many resamples; n counts the rows, or the groups or blocks that are drawn together. For
    forecasts the part of the variance that blocks leave out is put back.
    """
    rows, units = len(target), independent_units(task, np.asarray(target), dependence)
    name = "paired bootstrap" + _DRAWN[dependence.way]
    if units < 2:
        return Estimate(gain=np.nan, error=np.nan, rows=rows, test=name)
    ends = [
        resample(
            task,
            target=target,
            output=output,
            knobs=knobs,
            classes=classes,
            naive=naive,
            costs=costs,
            dependence=dependence,
        )
        for output in (ours, theirs)
    ]
    sign = 1.0 if goal.direction == "maximize" else -1.0
    gain = sign * (ends[0].values[goal.name] - ends[1].values[goal.name])
    drawn = ends[0].resamples[goal.name] - ends[1].resamples[goal.name]
    drawn = drawn[np.isfinite(drawn)]
    is_known = len(drawn) > knobs.resamples / 2
    seen = 1 - variance_left_out(rows, target.shape[1]) if task == "forecasting" else 1.0
    scale = sqrt(units / (units - 1) / seen)
    error = float(np.std(drawn, ddof=1)) * scale if is_known else np.nan
    return Estimate(gain=gain, error=error, rows=rows, test=name, degrees=units - 1)


_DRAWN = {"rows": "", "group": " over groups", "time": " over blocks in time"}
_AREAS: Mapping[Task, tuple[str, ...]] = {
    "classification": ("roc_auc",),
    "reconstruction": ("auroc",),
}


def _two_classes(
    task: Task, target: np.ndarray, *outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    return _PAIRS[task](target, *outputs)


def _of_classes(
    target: np.ndarray, ours: np.ndarray, theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    if ours.shape[1] != 2:
        return None
    return target == 1, probabilities(ours)[:, 1], probabilities(theirs)[:, 1]


def _of_anomalies(
    target: np.ndarray, ours: np.ndarray, theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    known = target >= 0
    return target[known] == 1, ours[known, 0], theirs[known, 0]


_Pair = tuple[np.ndarray, np.ndarray, np.ndarray]
_PAIRS: Mapping[Task, Callable[[np.ndarray, np.ndarray, np.ndarray], _Pair | None]] = {
    "classification": _of_classes,
    "reconstruction": _of_anomalies,
}
