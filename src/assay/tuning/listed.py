"""Settings that follow from a trial's number alone: a grid, and a low-discrepancy sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats.qmc import Sobol

from assay.space import Space, Value, in_order
from assay.tuning.draw import at

NUMBER = "number"
Settings = Callable[[int], Mapping[str, Value]]


def grid(settings: Sequence[Mapping[str, Value]]) -> Settings:
    """Return the settings one after the other, from the first again after the last."""
    return lambda number: settings[number % len(settings)]


def quasi_random(space: Space, *, seed: int) -> Settings:
    """Return points of a scrambled Sobol sequence (Sobol 1967; Owen 1998, scrambling) by number."""
    keys = in_order(space)

    def point(number: int) -> Mapping[str, Value]:
        sequence = Sobol(d=len(keys), scramble=True, rng=seed)
        shares = sequence.fast_forward(number).random(1)[0] if number else sequence.random(1)[0]
        return {key: at(space[key], float(share)) for key, share in zip(keys, shares, strict=True)}

    return point


def listed(settings: Settings) -> BaseSampler:
    """Return a sampler that draws what a plain function says of the trial's number."""
    return _Listed(settings)


class _Listed(BaseSampler):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._settings(trial.user_attrs.get(NUMBER, trial.number))[param_name]
