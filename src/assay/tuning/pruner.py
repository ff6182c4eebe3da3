"""Pruners by name: they stop a trial that the trials before it already beat.

Steps are epochs. Wilcoxon's test pairs the epochs of a trial with those of the best trial; why
epochs stand for its instances here is told in docs/decisions/0013-search-grammar.md.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from assay.tuning.knobs import PrunerName, Search
from assay.tuning.listed import NUMBER

# Epochs of one curve hang together, so the test is surer than it should be: a stricter limit.
_P_THRESHOLD, _FEWEST_PAIRS = 0.05, 6

# Where nobody says how many steps a trial has.
_WARMUP = 2


class _Sparing:
    """Lets the first trials run to their end, as Optuna's median does by itself.

    The configured values are the first: what is never measured to its end is no measure of others.
    """

    startup_trials = 0

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        # Always asked: it notes how far a trial came.
        is_losing: bool = super().prune(study, trial)  # type: ignore[misc]  # of the pruner beside
        return is_losing and not self._is_early(study, trial)

    def _is_early(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        if trial.user_attrs.get(NUMBER, trial.number) < self.startup_trials:
            return True
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return len(complete) < self.startup_trials


class _Hyperband(_Sparing, HyperbandPruner):
    """Hyperband after the first trials."""


class _Halving(_Sparing, SuccessiveHalvingPruner):
    """Successive halving after the first trials."""


class _Wilcoxon(_Sparing, WilcoxonPruner):
    """Wilcoxon's test after the first trials."""


class _Median(MedianPruner):
    """Optuna's median after the warm-up, and before it only what is hopeless.

    A trial is, that would stay worse than the median of the complete trials' best values though it
    gained from its epoch on ``factor`` times as much as any of them did: how much is still to be
    gained is not known beforehand, their curves say it (docs/decisions/0022-hopeless-trials.md).
    Gains are ratios (of logarithms, ``factor`` times) where all values are positive and to be small,
    as losses are, else differences.
    """

    def __init__(self, *, startup_trials: int, warmup: int, factor: float) -> None:
        super().__init__(n_startup_trials=startup_trials, n_warmup_steps=warmup)
        self._startup_trials, self._warmup, self._factor = startup_trials, warmup, factor

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        if step is None or step >= self._warmup:
            return bool(super().prune(study, trial))
        is_small = study.direction == StudyDirection.MINIMIZE
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        curves = [found for t in complete if (found := _best(t, until=step, is_small=is_small))]
        own = _best(trial, until=step, is_small=is_small)
        if own is None or len(curves) < max(1, self._startup_trials):
            return False
        is_positive = is_small and min(own[0], *(end for _, end in curves)) > 0
        scale = math.log if is_positive else float
        ends = [scale(end) for _, end in curves]
        gained = max(scale(then) - end for (then, _), end in zip(curves, ends, strict=True))
        return scale(own[0]) - self._factor * gained > statistics.median(ends)


def _best(trial: FrozenTrial, *, until: int, is_small: bool) -> tuple[float, float] | None:
    """Return the best value until a step and of all steps, to be small; None where one is absent."""
    curve = trial.intermediate_values.items()
    values = [(step, v if is_small else -v) for step, v in curve if not math.isnan(v)]
    early = [value for step, value in values if step <= until]
    return (min(early), min(value for _, value in values)) if early else None


_MAKERS: dict[PrunerName, Callable[[Search, int], BasePruner]] = {
    "median": lambda knobs, warmup: (
        MedianPruner(n_startup_trials=knobs.startup_trials, n_warmup_steps=warmup)
        if knobs.hopeless is None
        else _Median(startup_trials=knobs.startup_trials, warmup=warmup, factor=knobs.hopeless)
    ),
    "hyperband": lambda knobs, warmup: _Hyperband(min_resource=max(1, warmup)),
    "halving": lambda knobs, warmup: _Halving(min_resource=max(1, warmup), reduction_factor=3),
    "wilcoxon": lambda knobs, warmup: _Wilcoxon(
        p_threshold=_P_THRESHOLD, n_startup_steps=max(_FEWEST_PAIRS, warmup)
    ),
    "none": lambda knobs, warmup: NopPruner(),
}


def pruner(knobs: Search) -> BasePruner:
    """Return the pruner that the knobs name."""
    warmup = _WARMUP if knobs.warmup_epochs is None else knobs.warmup_epochs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        made = _MAKERS[knobs.pruner](knobs, warmup)
    if isinstance(made, _Sparing):
        made.startup_trials = knobs.startup_trials
    return made
