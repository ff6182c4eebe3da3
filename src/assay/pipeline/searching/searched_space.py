"""The space of a sweep over groups too: which keys exist under which option, and which values fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config.compose import SET, composed, finish, groups, misfits
from assay.config.load import merged
from assay.config.space import flattened
from assay.config.words import word
from assay.errors import ConfigError, nearest
from assay.pipeline.composing.match import require_match
from assay.pipeline.composing.pin import SOURCES, Pins, addresses, pins_of
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.searching.sweep import Sweep
from assay.space import Choice, Condition, Dimension, Interval, Space, Value

_REFUSED = {
    "data": "scores on different data cannot be compared; search on one",
    "search": "a search is not searched; choose one",
    "seed": "the best of several seeds is luck; search.repeats trains the best again on fresh ones",
}


@dataclass(frozen=True, kw_only=True)
class Bases:
    """Checked configurations: the first, and those of the other options of each searched group."""

    first: dict[str, Any]
    options: Mapping[str, Mapping[Value, dict[str, Any]]]
    known: Mapping[str, Value]


def bases_of(sweep: Sweep, *, params: Mapping[str, Any], conf: Path) -> Bases:
    """Return the configurations that a sweep's options describe; ``params`` is where it begins.

    Raises ConfigError with all that is wrong about any of them.
    """
    space = sweep.asked.space
    if told := [f"{key}: {why}" for key, why in _REFUSED.items() if key in space]:
        raise ConfigError(told)
    searched = {key: _options(key, space[key]) for key in space if key in groups(conf)}
    firsts = {
        group: params[group] if params.get(group) in options else options[0]
        for group, options in searched.items()
    }
    choices = {g: str(o) for g, o in sweep.jobs.config.hydra.runtime.choices.items()}
    choices = {group: choices[group] for group in groups(conf) if group in choices}

    def checked(chosen: Mapping[str, Any]) -> dict[str, Any]:
        words = [*sweep.asked.fixed, *(f"{group}={word(o)}" for group, o in chosen.items())]
        config = finish(composed(conf, words), choices={**choices, **chosen}, schema=SCHEMA)
        require_match(config, conf=conf)
        return config

    options: dict[str, dict[Value, dict[str, Any]]] = {}
    problems: dict[str, None] = {}
    for group, listed in searched.items():
        options[group] = {}
        for option in listed:
            try:
                options[group][option] = checked({**firsts, group: option})
            except ConfigError as error:
                problems |= dict.fromkeys(f"with {group}={option}: {p}" for p in error.problems)
    if problems:
        raise ConfigError(problems)
    first = checked(firsts)
    known = dict(flattened(first)) | {g: o for g, o in params.items() if g != SET}
    return Bases(first=first, options=options, known=known)


def _options(group: str, dimension: Dimension) -> tuple[Value, ...]:
    if isinstance(dimension, Choice):
        return dimension.values
    raise ConfigError([f"{group}: a group has options, not numbers; write {group}=one,another"])


def complete_space(space: Space, bases: Bases) -> Space:
    """Return the space with what the configurations say of its keys.

    A key that only some options of a searched group have exists beside these alone, and whole
    bounds of a whole number give whole numbers. Raises ConfigError for keys and values that do not
    fit.
    """
    problems: list[str] = []
    completed: Space = {}
    for key, dimension in space.items():
        if isinstance(dimension, Choice) and dimension.written:
            problems.append(f"{key}: {dimension.written[0]} is not one value")
            continue
        if key in bases.options or key.startswith("+"):
            completed[key] = dimension
            continue
        having = _having(key, bases)
        if not having:
            problems.append(f"{key}: there is no such key{nearest(key, _keys(bases.first))}")
            continue
        fitted = _typed(dimension, dict(flattened(next(iter(having.values()))))[key])
        if isinstance(fitted, str):
            problems.append(f"{key}: {fitted}")
            continue
        completed[key] = _conditioned(key, fitted, having, bases)
        for config in having.values():
            problems += misfits(key, fitted, config, SCHEMA)
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return completed


def _keys(config: Mapping[str, Any]) -> list[str]:
    return [key for key, _ in flattened(config)]


def _having(key: str, bases: Bases) -> dict[Value, dict[str, Any]]:
    """Return the configurations that have a key, by the option of its group."""
    section = key.split(".")[0]
    several = bases.options.get(section, {None: bases.first})
    return {option: config for option, config in several.items() if key in _keys(config)}


def _conditioned(
    key: str, dimension: Dimension, having: Mapping[Value, Any], bases: Bases
) -> Dimension:
    group = key.split(".")[0]
    is_everywhere = len(having) == len(bases.options.get(group, having))
    if is_everywhere or any(condition.key == group for condition in dimension.when):
        return dimension
    beside = Condition(key=group, values=tuple(having))
    return dataclasses.replace(dimension, when=(*dimension.when, beside))


def _typed(dimension: Dimension, current: Value) -> Dimension | str:
    """Return a dimension of the kind of the present value, or what is wrong about it."""
    if not isinstance(dimension, Interval):
        return dimension
    if isinstance(current, (str, bool)):
        return f"the value is no number ({current!r}); use choice(...)"
    is_whole = float(dimension.low).is_integer() and float(dimension.high).is_integer()
    if isinstance(current, int) and is_whole and dimension.step is None:
        return dataclasses.replace(dimension, is_integer=True)
    return dimension


def changes_of_options(bases: Bases, *, besides: Collection[str]) -> dict[str, str]:
    """Return what each option of a searched group changes of the first configuration, ``besides`` these."""
    return {
        f"{group}={option}": str(
            {k: v for k, v in config.items() if k not in besides and v != bases.first.get(k)}
        )
        for group, options in bases.options.items()
        for option, config in options.items()
    }


def borrowed(space: Space, bases: Bases) -> dict[str, Pins]:
    """Return, by address, the files that every trial builds on, though an alias moves meanwhile."""
    options = [one for by_option in bases.options.values() for one in by_option.values()]
    configs = [bases.first, *options]
    for key, dimension in space.items():
        if key in SOURCES and isinstance(dimension, Choice):
            having = [c for c in configs if key in dict(flattened(c))]
            values = dimension.values
            configs = [c for c in configs if c not in having]
            configs += [merged(config, {key: value}) for config in having for value in values]
    by_address = {addresses(config): config for config in configs}
    return {address: pins_of(config) for address, config in by_address.items() if address}
