"""Search spaces in Hydra's sweep grammar: ``tag(log, interval(1e-4, 1e-1))``, ``choice(relu, gelu)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException

from assay.errors import ConfigError, nearest
from assay.space import Choice, Dimension, Interval, Space, Value

SEARCHABLE = ("model", "training")
_EXAMPLE = "'interval(0, 0.5)', 'tag(log, interval(1e-4, 1e-1))' or 'choice(relu, gelu)'"


def parse_space(node: Mapping[str, Any], *, config: Mapping[str, Any]) -> Space:
    """Return the dimensions of a nested space by dotted key.

    ``config`` holds the current values: a key must exist there, under ``model`` or ``training``,
    and an interval with whole bounds over a whole number gives whole numbers. Raises ConfigError
    with every problem.
    """
    current = dict(flattened({key: config[key] for key in SEARCHABLE if key in config}))
    space: Space = {}
    problems: list[str] = []
    for key, expression in flattened(node):
        try:
            space[key] = _dimension(key, expression, current)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return space


def flattened(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings as (dotted key, value)."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{path}.")
        else:
            yield path, value


def _dimension(key: str, expression: Any, current: Mapping[str, Any]) -> Dimension:
    where = f"search.space.{key}"
    if "." not in key:
        raise ConfigError(
            [
                f"{where}: a search tunes values of {' and '.join(SEARCHABLE)}; it never changes a group"
            ]
        )
    if key not in current:
        raise ConfigError([f"{where}: names no key of the configuration{nearest(key, current)}"])
    sweep = _parsed(where, key, expression)
    if not isinstance(sweep, (IntervalSweep, ChoiceSweep, RangeSweep)):
        raise ConfigError([f"{where}: {expression!r} is not a sweep; write {_EXAMPLE}"])
    if isinstance(sweep, IntervalSweep):
        return _interval(where, sweep, current[key])
    return Choice(values=tuple(_values(where, sweep)))


def _parsed(where: str, key: str, expression: Any) -> Any:
    try:
        override = OverridesParser.create().parse_override(f"{key}={expression}")
    except HydraException as error:
        raise ConfigError([f"{where}: {expression!r} is not a sweep; write {_EXAMPLE}"]) from error
    if not override.is_sweep_override():
        raise ConfigError([f"{where}: {expression!r} is one value, not a sweep; write {_EXAMPLE}"])
    return override.value()


def _interval(where: str, sweep: IntervalSweep, current: Any) -> Interval:
    low, high = sweep.start, sweep.end
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        raise ConfigError([f"{where}: an interval needs two numbers, got {low!r} and {high!r}"])
    if not low < high:
        raise ConfigError([f"{where}: the interval from {low:g} to {high:g} is empty"])
    is_log = "log" in sweep.tags
    if is_log and low <= 0:
        raise ConfigError([f"{where}: a logarithmic interval begins above 0, got {low:g}"])
    if isinstance(current, (str, bool)):
        raise ConfigError([f"{where}: the value is no number ({current!r}); use choice(...)"])
    has_whole_bounds = float(low).is_integer() and float(high).is_integer()
    is_integer = "int" in sweep.tags or (has_whole_bounds and isinstance(current, int))
    if is_integer and not has_whole_bounds:
        raise ConfigError([f"{where}: whole numbers need whole bounds, got {low:g} and {high:g}"])
    return Interval(low=low, high=high, is_log=is_log, is_integer=is_integer)


def _values(where: str, sweep: ChoiceSweep | RangeSweep) -> list[Value]:
    if isinstance(sweep, RangeSweep) and not sweep.step:
        raise ConfigError([f"{where}: a range needs a step other than 0"])
    values = list(sweep.range() if isinstance(sweep, RangeSweep) else sweep.list)
    if not values:
        raise ConfigError([f"{where}: there is nothing to choose from"])
    plain = [v.text if isinstance(v, QuotedString) else v for v in values]
    if strange := [v for v in plain if not isinstance(v, (bool, int, float, str, type(None)))]:
        raise ConfigError([f"{where}: {strange[0]!r} is not one value; write {_EXAMPLE}"])
    return plain
