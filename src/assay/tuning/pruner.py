"""Pruners by name: they stop a trial that the trials before it already beat.

Steps are epochs. Wilcoxon's test pairs the epochs of a trial with those of the best trial; why
epochs stand for its instances here is told in docs/decisions/0013-search-grammar.md.
"""

from __future__ import annotations

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


_MAKERS: dict[PrunerName, Callable[[Search, int], BasePruner]] = {
    "median": lambda knobs, warmup: MedianPruner(
        n_startup_trials=knobs.startup_trials, n_warmup_steps=warmup
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
