"""What is searched: the space, the goal, where it begins, and what a study of it must agree on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import optuna
from optuna.samplers import BaseSampler

from assay.errors import ConfigError
from assay.space import Dimension, Space, Value, in_order, is_active
from assay.tuning.draw import distribution, holds
from assay.tuning.knobs import Search
from assay.tuning.trial import Direction

log = logging.getLogger(__name__)
_FACTS = "facts"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One search: its name, its space, and the direction of each objective.

    ``known`` values, where all lie in the space, are trial 0, and stay the best unless another
    trial is better beyond its error. ``warm`` are settings to try next, in this order. All trials
    have the seed ``seed``, and repeats the seeds after it; settings are drawn by ``draw_seed``, or
    else by ``seed``. ``facts`` are words on whatever else two
    starts of one study must agree on.

    ``sampler`` makes the sampler of a trial from a seed of that trial, in place of the one that the
    knobs name; its text is a fact. ``extend`` is called with each trial after the space was drawn,
    and what it suggests belongs to the trial's values.
    """

    study: str
    space: Space
    directions: tuple[Direction, ...] = ("minimize",)
    seed: int = 0
    draw_seed: int | None = None
    known: Mapping[str, Value] = field(default_factory=dict)
    warm: Sequence[Mapping[str, Value]] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    sampler: Callable[[int], BaseSampler] | None = None
    extend: Callable[[optuna.Trial], None] | None = None

    @property
    def first(self) -> tuple[dict[str, Value], ...]:
        """The values of the first trials, as far as they are given."""
        return tuple(filter(None, (self.configured, *(_warm(self.space, w) for w in self.warm))))

    @property
    def configured(self) -> dict[str, Value]:
        """The known values of the dimensions beside them if each lies in its own, else nothing."""
        values: dict[str, Value] = {}
        for key in in_order(self.space):
            if not is_active(self.space[key], values):
                continue
            if key not in self.known or not holds(self.space[key], self.known[key]):
                return {}
            values[key] = self.known[key]
        return values


def _warm(space: Space, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the settings of the space's keys, nothing where one lies outside."""
    values = {key: given[key] for key in sorted(space) if key in given}
    strange = [key for key, value in values.items() if not holds(space[key], value)]
    for key in strange:
        log.warning("search: a warm start's %s=%s lies outside the space", key, values[key])
    return {} if strange else values


def agree(study: optuna.Study, problem: Problem, knobs: Search) -> None:
    """Write down in a new study what it searches; raise ConfigError where an old one differs."""
    new = _facts(problem, knobs)
    old = facts_of(study)
    if old is None:
        study.set_user_attr(_FACTS, new)
        return
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    if changed:
        head = f"study '{problem.study}' searched something else, and is left as it is"
        lines = [f"{k}: was {old.get(k, 'absent')}, is now {new.get(k, 'absent')}" for k in changed]
        remedy = "give the search another name (search.study), or set these back as they were"
        raise ConfigError([head, *lines, remedy])


def _said(dimension: Dimension) -> str:
    conditions = [f"{c.key} in {list(c.values)}" for c in dimension.when]
    return " when ".join([str(distribution(dimension)), *conditions])


def said(space: Space) -> dict[str, str]:
    """Return a space in words, by the key under which it is configured."""
    return {f"search.space.{key}": _said(dimension) for key, dimension in space.items()}


def facts_of(study: optuna.Study) -> dict[str, str] | None:
    """Return what a study said that it searches; None where it is new, or another program's."""
    return study.user_attrs.get(_FACTS)


def _facts(problem: Problem, knobs: Search) -> dict[str, str]:
    drawn = {
        f"search.{name}": str(getattr(knobs, name))
        for name in ("sampler", "pruner", "startup_trials", "warmup_epochs", "hopeless")
    }
    if problem.sampler is not None:
        drawn["search.sampler"] = str(problem.sampler)
    if problem.draw_seed is not None:
        drawn["search.sampler.seed"] = str(problem.draw_seed)
    goal = {"directions": ", ".join(problem.directions), "seed": str(problem.seed)}
    return {**said(problem.space), **drawn, **goal, **problem.facts}
