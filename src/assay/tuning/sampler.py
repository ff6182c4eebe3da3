"""Samplers by name, each trial drawn from a stream of random numbers of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from assay.errors import ConfigError
from assay.space import Space, combinations, size
from assay.tuning.knobs import SamplerName, Search
from assay.tuning.listed import NUMBER, grid, listed, quasi_random

_LARGEST_GRID = 10_000
_MAKERS: dict[SamplerName, Callable[[Search, int], BaseSampler]] = {
    "tpe": lambda knobs, seed: TPESampler(n_startup_trials=knobs.startup_trials, seed=seed),
    "gp": lambda knobs, seed: GPSampler(
        n_startup_trials=knobs.startup_trials, seed=seed, warn_independent_sampling=False
    ),
    "cmaes": lambda knobs, seed: CmaEsSampler(
        n_startup_trials=max(1, knobs.startup_trials), seed=seed, warn_independent_sampling=False
    ),
    "nsgaii": lambda knobs, seed: NSGAIISampler(
        population_size=max(2, knobs.startup_trials), seed=seed
    ),
    "random": lambda knobs, seed: RandomSampler(seed=seed),
}


def sampler(
    knobs: Search,
    *,
    seed: int,
    space: Space,
    own: Callable[[int], BaseSampler] | None = None,
) -> BaseSampler:
    """Return the sampler that the knobs name, or what ``own`` makes from a seed for each trial.

    Raises ConfigError where it cannot draw from this space, or where its package is missing.
    """
    if own is not None:
        return _PerTrial(own, seed=seed)
    if knobs.sampler == "grid":
        return listed(grid(_settings(space)))
    if knobs.sampler == "qmc":
        return listed(quasi_random(space, seed=seed))
    if knobs.sampler == "cmaes":
        _require("cmaes", "cmaes")
    if knobs.sampler == "gp":
        _require("gp", "torch")
    return _PerTrial(lambda state: _MAKERS[knobs.sampler](knobs, state), seed=seed)


def total_trials(knobs: Search, space: Space) -> int:
    """Return how many trials a search has: of a grid no more than it has settings."""
    if knobs.sampler != "grid":
        return knobs.trials
    return min(knobs.trials, len(_settings(space)))


def _settings(space: Space) -> list[dict[str, Any]]:
    most = size(space)
    if most is not None and most > _LARGEST_GRID:
        largest = max(space, key=lambda key: size({key: space[key]}) or 0)
        raise ConfigError(
            [
                f"search.space: a grid of {most} settings is too large (at most {_LARGEST_GRID}); "
                f"{largest} alone has {size({largest: space[largest]})} values: list fewer, "
                "or choose another sampler, such as qmc"
            ]
        )
    return combinations(space)


def _require(name: str, package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise ConfigError(
            [
                f"search.sampler: {name} needs the package {package}: pip install {package}, or choose tpe"
            ]
        )


class _PerTrial(BaseSampler):
    """Gives each trial a fresh sampler, seeded by the search's seed and the trial's number.

    So a trial is a function of the seed, its number and the trials before it: a search that was
    interrupted goes on with the trials that it would have drawn.
    """

    def __init__(self, make: Callable[[int], BaseSampler], *, seed: int) -> None:
        self._make, self._seed = make, seed
        self._number: int | None = None
        self._current: BaseSampler = RandomSampler(seed=seed)

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        number = trial.user_attrs.get(NUMBER, trial.number)
        if number != self._number:
            state = np.random.SeedSequence([self._seed, number]).generate_state(1)
            self._current = self._make(int(state[0]))
            self._number = number
        return self._current

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._of(trial).before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._of(trial).after_trial(study, trial, state, values)
