"""The knobs of a search: how many trials, drawn how, stopped early how, over which space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt

SamplerName = Literal["tpe", "gp", "cmaes", "nsgaii", "qmc", "random", "grid"]
PrunerName = Literal["median", "hyperband", "halving", "wilcoxon", "none"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search of ``trials`` trials in all, however often it is interrupted; 0 asks for none.

    The sampler draws the first ``startup_trials`` at random, and the pruner stops none before
    that many have ended, nor any in its first ``warmup_epochs``. Trial 0 has the configured
    values, and they stay the best unless another trial is better by more than ``margin`` of its
    standard errors over the validation rows. ``timeout_minutes`` bounds when the last trial may
    begin. ``space`` is nested like the configuration, its leaves written in Hydra's sweep grammar.
    """

    trials: Annotated[int, Ge(0)] = 12
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    startup_trials: Annotated[int, Ge(0)] = 4
    warmup_epochs: Annotated[int, Ge(0)] = 2
    margin: Annotated[float, Ge(0)] = 1.0
    timeout_minutes: Annotated[float, Gt(0)] | None = None
    space: Mapping[str, Any] = field(default_factory=dict)
