"""Samplers by name, each trial drawn from a stream of random numbers of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from assay.tuning.knobs import SamplerName, Search

NUMBER = "number"
_MAKERS: dict[SamplerName, Callable[[Search, int], BaseSampler]] = {
    "tpe": lambda knobs, seed: TPESampler(n_startup_trials=knobs.startup_trials, seed=seed),
    "random": lambda knobs, seed: RandomSampler(seed=seed),
}


def sampler(knobs: Search, *, seed: int) -> BaseSampler:
    """Return the sampler that the knobs name."""
    return _PerTrial(knobs, seed=seed)


class _PerTrial(BaseSampler):
    """Gives each trial a fresh sampler, seeded by the search's seed and the trial's number.

    So a trial is a function of the seed, its number and the trials before it: a search that was
    interrupted goes on with the trials that it would have drawn.
    """

    def __init__(self, knobs: Search, *, seed: int) -> None:
        self._knobs, self._seed = knobs, seed
        self._number: int | None = None
        self._current = RandomSampler(seed=seed)

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        number = trial.user_attrs.get(NUMBER, trial.number)
        if number != self._number:
            state = np.random.SeedSequence([self._seed, number]).generate_state(1)
            self._current = _MAKERS[self._knobs.sampler](self._knobs, int(state[0]))  # type: ignore[assignment]
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
