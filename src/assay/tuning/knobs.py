"""The knobs of a search: how many trials, drawn how, stopped early how, over which space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

SamplerName = Literal["tpe", "gp", "cmaes", "nsgaii", "qmc", "random", "grid"]
PrunerName = Literal["median", "hyperband", "halving", "wilcoxon", "none"]
CostName = Literal["parameters", "latency_ms"]
RuleName = Literal["within_error", "knee", "first"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search of ``trials`` trials in all, however often it is interrupted; 0 asks for none.

    The sampler draws the first ``startup_trials`` at random, and the pruner stops none before
    that many have ended, nor any in its first ``warmup_epochs`` (null: half of the epochs, see
    ``with_warmup``); but the median stops there who would lose though they gained ``hopeless`` times
    as much as any complete trial did (``pruner.py``; null: nobody). Trial 0 has the configured
    values, and they stay the best unless another trial is better by more than ``margin`` of its
    standard errors over the validation rows.
    ``timeout_minutes`` bounds when the last trial may begin. ``space`` is nested like the
    configuration, its leaves written in Hydra's sweep grammar.

    ``workers`` processes share the trials: ``launcher`` ``processes`` starts them on this machine,
    any other name is Hydra's launcher of that name with ``launcher_settings``. Each has
    ``worker_threads`` (null: an even part of the cores where there are several workers) and, with
    ``gpu_each``, one GPU where there are several. ``storage`` is the URL of a database, SQLite or
    PostgreSQL (null: ``study.db`` in Assay's home), and ``study`` a name in it (null: a digest of
    all that a trial depends on). ``storage_env`` names an environment variable with the URL.

    A trial whose process died is begun again up to ``retries`` times; trials that fail are borne
    up to the share ``max_failure_rate`` of all trials. The best ``finalists`` that beat the
    configured values, and these, are trained again on ``repeats`` fresh seeds, and the best is the
    best by the mean.

    ``costs`` are further objectives, to be small beside a good score; then no trial is stopped early
    or repeated, and ``rule`` names which trial of the Pareto front is the best (``rule.py``).
    ``warm`` are settings, nested like the configuration, that the first trials have after the
    configured values; then come those of the ``warm_trials`` best trials of the study ``warm_study``,
    of the same space in the same storage.
    """

    trials: Annotated[int, Ge(0)] = 12
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    startup_trials: Annotated[int, Ge(0)] = 4
    warmup_epochs: Annotated[int, Ge(0)] | None = None
    hopeless: Annotated[float, Ge(1)] | None = 1.5
    margin: Annotated[float, Ge(0)] = 1.0
    timeout_minutes: Annotated[float, Gt(0)] | None = None
    space: Mapping[str, Any] = field(default_factory=dict)
    workers: Annotated[int, Ge(1)] = 1
    worker_threads: Annotated[int, Ge(1)] | None = None
    gpu_each: bool = True
    launcher: str = "processes"
    launcher_settings: Mapping[str, Any] = field(default_factory=dict)
    storage: str | None = None
    storage_env: str | None = None
    study: str | None = None
    retries: Annotated[int, Ge(0)] = 3
    max_failure_rate: Annotated[float, Ge(0), Le(1)] = 0.5
    finalists: Annotated[int, Ge(0)] = 2
    repeats: Annotated[int, Ge(0)] = 1
    costs: tuple[CostName, ...] = ()
    rule: RuleName = "within_error"
    warm: tuple[Mapping[str, Any], ...] = ()
    warm_study: str | None = None
    warm_trials: Annotated[int, Ge(1)] = 3


def with_warmup(knobs: Search, *, epochs: int) -> Search:
    """Return the knobs with half of so many epochs as warm-up, where none is named.

    Earlier the order of trials says little of how they end: a falling learning rate lets the quick
    starters lose what they were ahead, and each survivor raises the bar for those after it
    (``docs/decisions/0018-half-of-the-epochs.md``).
    """
    return knobs if knobs.warmup_epochs is not None else replace(knobs, warmup_epochs=epochs // 2)
