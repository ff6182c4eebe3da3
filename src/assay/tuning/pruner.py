"""Pruners by name: they stop a trial that the trials before it already beat."""

from __future__ import annotations

from collections.abc import Callable

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner

from assay.tuning.knobs import PrunerName, Search

_MAKERS: dict[PrunerName, Callable[[Search], BasePruner]] = {
    "median": lambda knobs: MedianPruner(
        n_startup_trials=knobs.startup_trials, n_warmup_steps=knobs.warmup_epochs
    ),
    "hyperband": lambda knobs: HyperbandPruner(min_resource=max(1, knobs.warmup_epochs)),
    "none": lambda knobs: NopPruner(),
}


def pruner(knobs: Search) -> BasePruner:
    """Return the pruner that the knobs name."""
    return _MAKERS[knobs.pruner](knobs)
