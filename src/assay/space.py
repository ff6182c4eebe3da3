"""A search space as plain values: what a sweep expression means, whoever draws from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from assay.errors import ConfigError

Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Holds where ``key`` has one of the ``values``."""

    key: str
    values: tuple[Value, ...]

    def holds(self, settings: Mapping[str, Value]) -> bool:
        """Whether it holds; a key without a value, such as one not drawn itself, fits nothing."""
        return self.key in settings and settings[self.key] in self.values


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Numbers from ``low`` to ``high``, both included; whole ones where ``is_integer``.

    With ``step`` only ``low``, ``low + step`` and so on. The dimension exists only where every
    condition of ``when`` holds.
    """

    low: float
    high: float
    is_log: bool = False
    is_integer: bool = False
    step: float | None = None
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the listed values, where every condition of ``when`` holds.

    Those that are ``written`` stand for a list, or keys with values, in the words of an override.
    """

    values: tuple[Value, ...]
    written: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()


Dimension: TypeAlias = Interval | Choice
Space: TypeAlias = dict[str, Dimension]
"""Dimensions by the dotted path of the configuration key that they set."""


def extremes(dimension: Dimension) -> tuple[Value, ...]:
    """Return every value of a choice, or both ends of an interval as the numbers that it gives."""
    if isinstance(dimension, Choice):
        return dimension.values
    kind = int if dimension.is_integer else float
    return kind(dimension.low), kind(dimension.high)


def in_order(space: Space) -> list[str]:
    """Return the keys by name, but each after those that its conditions ask for.

    Raises ConfigError where conditions go round in a circle.
    """
    ordered: list[str] = []
    waiting = sorted(space)
    while waiting:
        free = [k for k in waiting if not any(c.key in waiting for c in space[k].when)]
        if not free:
            raise ConfigError([f"search.space: {', '.join(waiting)} wait for each other in 'when'"])
        ordered += free
        waiting = [key for key in waiting if key not in free]
    return ordered


def is_active(dimension: Dimension, settings: Mapping[str, Value]) -> bool:
    """Whether a dimension exists beside these settings."""
    return all(condition.holds(settings) for condition in dimension.when)


def combinations(space: Space) -> list[dict[str, Value]]:
    """Return every setting of a space of choices and stepped numbers, none twice.

    Raises ConfigError for an interval without a step, of which there is no end.
    """
    endless = [
        f"search.space.{key}: a grid needs choice(...) or range(...), and an interval has no end of values"
        for key, dimension in space.items()
        if isinstance(dimension, Interval) and not (dimension.step or dimension.is_integer)
    ]
    if endless:
        raise ConfigError(endless)
    keys = in_order(space)
    every = (
        dict(zip(keys, values, strict=True)) for values in product(*map(_listed, _of(space, keys)))
    )
    kept = (_active(space, settings, keys) for settings in every)
    return [dict(items) for items in dict.fromkeys(kept)]


def size(space: Space) -> int | None:
    """Return an upper bound of the number of settings, None where there is no end of them."""
    total = 1
    for dimension in space.values():
        if isinstance(dimension, Interval) and not (dimension.step or dimension.is_integer):
            return None
        total *= _count(dimension)
    return total


def _count(dimension: Dimension) -> int:
    if isinstance(dimension, Choice):
        return len(dimension.values)
    return int((dimension.high - dimension.low) / (dimension.step or 1) + 1e-9) + 1


def _of(space: Space, keys: list[str]) -> Iterator[Dimension]:
    return (space[key] for key in keys)


def _listed(dimension: Dimension) -> list[Value]:
    if isinstance(dimension, Choice):
        return list(dimension.values)
    step, kind = dimension.step or 1, int if dimension.is_integer else float
    return [kind(dimension.low + i * step) for i in range(_count(dimension))]


def _active(
    space: Space, settings: dict[str, Value], keys: list[str]
) -> tuple[tuple[str, Value], ...]:
    kept: dict[str, Value] = {}
    absent = {key for key in keys if space[key].when}
    for key in keys:
        around = {**{k: v for k, v in settings.items() if k not in absent}, **kept}
        if is_active(space[key], around):
            kept[key] = settings[key]
    return tuple(kept.items())
