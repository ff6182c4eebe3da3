"""A search space as plain values: what a sweep expression means, whoever draws from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Numbers from ``low`` to ``high``, both included; whole ones where ``is_integer``."""

    low: float
    high: float
    is_log: bool = False
    is_integer: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the listed values."""

    values: tuple[Value, ...]


Dimension: TypeAlias = Interval | Choice
Space: TypeAlias = dict[str, Dimension]
"""Dimensions by the dotted path of the configuration key that they set."""


def extremes(dimension: Dimension) -> tuple[Value, ...]:
    """Return every value of a choice, or both ends of an interval as the numbers that it gives."""
    if isinstance(dimension, Choice):
        return dimension.values
    kind = int if dimension.is_integer else float
    return kind(dimension.low), kind(dimension.high)
