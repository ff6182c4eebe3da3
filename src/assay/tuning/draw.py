"""From a space to one trial's values: each dimension after those on which its conditions look."""

from __future__ import annotations

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from assay.space import Choice, Dimension, Interval, Space, Value, in_order, is_active


def draw(attempt: optuna.Trial, space: Space) -> dict[str, Value]:
    """Return the values that a trial draws, of those dimensions alone that exist beside the others."""
    values: dict[str, Value] = {}
    for key in in_order(space):
        if is_active(space[key], values):
            values[key] = _suggested(attempt, key, space[key])
    return values


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return a dimension as Optuna draws from it."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.is_integer:
        step = int(dimension.step or 1)
        return IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.is_log, step=step
        )
    return FloatDistribution(
        dimension.low, dimension.high, log=dimension.is_log, step=dimension.step
    )


def holds(dimension: Dimension, value: Value) -> bool:
    """Whether a dimension has this value."""
    if isinstance(dimension, Choice):
        return any(value == known and type(value) is type(known) for known in dimension.values)
    range_ = distribution(dimension)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and bool(range_._contains(range_.to_internal_repr(value)))


def at(dimension: Dimension, share: float) -> Value:
    """Return the value that lies at a share (0 to 1, 1 excluded) of a dimension."""
    if isinstance(dimension, Choice):
        return dimension.values[int(share * len(dimension.values))]
    if dimension.is_integer or dimension.step:
        return _on_a_grid(dimension, share)
    low, high = dimension.low, dimension.high
    if dimension.is_log:
        return float(min(high, low * (high / low) ** share))
    return float(low + share * (high - low))


def _on_a_grid(dimension: Interval, share: float) -> Value:
    step, low = dimension.step or 1, dimension.low
    if dimension.is_log:  # whole numbers: the edges lie half a step outside
        first, last = low - 0.5, dimension.high + 0.5
        return round(min(dimension.high, max(low, float(first * (last / first) ** share))))
    count = int((dimension.high - low) / step + 1e-9) + 1
    value = low + step * int(share * count)
    return int(value) if dimension.is_integer else float(value)


def _suggested(attempt: optuna.Trial, key: str, dimension: Dimension) -> Value:
    value: Value = attempt._suggest(key, distribution(dimension))
    return value
