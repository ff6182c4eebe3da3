"""Pruners by name: they stop a trial that the trials before it already beat.

Steps are epochs. Wilcoxon's test pairs the epochs of a trial with those of the best trial; why
epochs stand for its instances here is told in docs/decisions/0013-search-grammar.md.
"""

from __future__ import annotations

from collections.abc import Callable

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)

from assay.tuning.knobs import PrunerName, Search

# Epochs of one curve hang together, so the test is surer than it should be: a stricter limit.
_P_THRESHOLD, _FEWEST_PAIRS = 0.05, 6

# Where nobody says how many steps a trial has.
_WARMUP = 2

_MAKERS: dict[PrunerName, Callable[[Search, int], BasePruner]] = {
    "median": lambda knobs, warmup: MedianPruner(
        n_startup_trials=knobs.startup_trials, n_warmup_steps=warmup
    ),
    "hyperband": lambda knobs, warmup: HyperbandPruner(min_resource=max(1, warmup)),
    "halving": lambda knobs, warmup: SuccessiveHalvingPruner(
        min_resource=max(1, warmup), reduction_factor=3
    ),
    "wilcoxon": lambda knobs, warmup: WilcoxonPruner(
        p_threshold=_P_THRESHOLD, n_startup_steps=max(_FEWEST_PAIRS, warmup)
    ),
    "none": lambda knobs, warmup: NopPruner(),
}


def pruner(knobs: Search) -> BasePruner:
    """Return the pruner that the knobs name."""
    warmup = _WARMUP if knobs.warmup_epochs is None else knobs.warmup_epochs
    return _MAKERS[knobs.pruner](knobs, warmup)
