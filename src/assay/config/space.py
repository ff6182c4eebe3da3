"""Search spaces in Hydra's sweep grammar: ``tag(log, interval(1e-4, 1e-1))``, ``choice(relu, gelu)``.

A dimension that exists only beside other values stands below ``when``, or carries them as tags::

    space:
      training: {optimizer: "choice(adamw, sgd)"}
      when:
        training.optimizer=sgd:          # several: sgd,rmsprop
          training: {momentum: "interval(0.5, 0.99)"}

    training.momentum=tag(training.optimizer:sgd, interval(0.5, 0.99))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    QuotedString,
    RangeSweep,
    Transformer,
)
from hydra.errors import HydraException

from assay.errors import ConfigError, nearest
from assay.space import Choice, Condition, Dimension, Interval, Space, Value, extremes, in_order

SEARCHABLE = ("model", "training")
WHEN = "when"
_EXAMPLE = "'interval(0, 0.5)', 'tag(log, interval(1e-4, 1e-1))' or 'choice(relu, gelu)'"
_MARKS = ("log", "int")


def parse_space(node: Mapping[str, Any], *, config: Mapping[str, Any]) -> Space:
    """Return the dimensions of a nested space by dotted key.

    ``config`` holds the current values: a key must exist there, under ``model`` or ``training``,
    and an interval with whole bounds over a whole number gives whole numbers. Dimensions whose
    conditions the configuration rules out are left away. Raises ConfigError with every problem.
    """
    current = dict(flattened({key: config[key] for key in SEARCHABLE if key in config}))
    others = {key for key in config if key not in SEARCHABLE}
    space: Space = {}
    problems: list[str] = []
    for key, expression, conditions in _leaves(node):
        try:
            dimension = _dimension(key, expression, current, others=others)
            given = tuple(_written(condition) for condition in conditions)
            space[key] = dataclasses.replace(dimension, when=(*dimension.when, *given))
        except ConfigError as error:
            problems += error.problems
    problems += [
        f"search.space.{p}" for key, d in space.items() for p in unmet(key, d, space, current)
    ]
    if problems:
        raise ConfigError(problems)
    return possible(space, settings=current)


def possible(space: Space, *, settings: Mapping[str, Value]) -> Space:
    """Return the dimensions that can exist beside the settings of keys that are not searched."""
    fixed = {key: value for key, value in settings.items() if key not in space}
    kept: Space = {}
    for key in in_order(space):
        inner = [c for c in space[key].when if c.key in space]
        outer = [c for c in space[key].when if c.key not in space]
        is_open = all(c.key in kept and _overlaps(kept[c.key], c) for c in inner)
        if is_open and all(c.holds(fixed) for c in outer):
            kept[key] = dataclasses.replace(space[key], when=tuple(inner))
    return {key: kept[key] for key in space if key in kept}


def _overlaps(dimension: Dimension, condition: Condition) -> bool:
    return isinstance(dimension, Interval) or bool({*condition.values} & {*dimension.values})


def _leaves(node: Mapping[str, Any]) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Yield (dotted key, expression, conditions), those below ``when`` with theirs."""
    for key, expression in flattened({k: v for k, v in node.items() if k != WHEN}):
        yield key, expression, ()
    for condition, below in (node.get(WHEN) or {}).items():
        if not isinstance(below, Mapping):
            raise ConfigError(
                [f"search.space.when.{condition}: expected keys with sweeps, got {below!r}"]
            )
        for key, expression, inner in _leaves(below):
            yield key, expression, (str(condition), *inner)


def _written(condition: str) -> Condition:
    """Return ``training.optimizer=sgd,rmsprop`` as a condition."""
    key, equals, values = condition.partition("=")
    if not equals or not key.strip() or not values.strip():
        raise ConfigError(
            [
                f"search.space.when: {condition!r} is no condition; write KEY=VALUE or KEY=VALUE,VALUE, "
                "for example training.optimizer=sgd"
            ]
        )
    return Condition(key=key.strip(), values=tuple(map(_plain_value, values.split(","))))


def _plain_value(text: str) -> Value:
    value = OverridesParser.create().parse_override(f"key={text.strip()}").value()
    return value.text if isinstance(value, QuotedString) else value  # type: ignore[return-value]


def conditions_of(tags: set[str]) -> tuple[Condition, ...]:
    """Return what tags such as ``training.optimizer:sgd`` ask for; one key's values are either-or."""
    asked: dict[str, list[Value]] = {}
    for tag in sorted(tags - {*_MARKS}):
        key, colon, value = tag.partition(":")
        if not colon or not value:
            raise ConfigError(
                [
                    f"tag({tag}, ...): the tags are {', '.join(_MARKS)} and conditions such as model:gru"
                ]
            )
        asked.setdefault(key, []).append(_plain_value(value))
    return tuple(Condition(key=key, values=tuple(values)) for key, values in asked.items())


def unmet(
    key: str, dimension: Dimension, space: Space, current: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a sentence for each condition that names no key, or that its space never fulfils."""
    for condition in dimension.when:
        above = space.get(condition.key)
        if above is None and condition.key not in current:
            hint = nearest(condition.key, current)
            yield f"{key}: its condition on {condition.key} names no key of the configuration{hint}"
        elif above is not None and not _overlaps(above, condition):
            tried = ", ".join(map(str, extremes(above)))
            yield f"{key}: {condition.key} is never {condition.values[0]}: its values are {tried}"


def flattened(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings as (dotted key, value)."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{path}.")
        else:
            yield path, value


def _dimension(
    key: str, expression: Any, current: Mapping[str, Any], *, others: Collection[str]
) -> Dimension:
    where = f"search.space.{key}"
    if "." not in key or key.partition(".")[0] in others:
        raise ConfigError(
            [
                f"{where}: a search tunes values of {' and '.join(SEARCHABLE)}; it never changes a group"
                "; 'assay run -m hydra/sweeper=assay' searches over groups too"
            ]
        )
    if key not in current:
        raise ConfigError([f"{where}: names no key of the configuration{nearest(key, current)}"])
    try:
        override = OverridesParser.create().parse_override(f"{key}={expression}")
    except HydraException as error:
        raise ConfigError([f"{where}: {expression!r} is not a sweep; write {_EXAMPLE}"]) from error
    if not override.is_sweep_override():
        raise ConfigError([f"{where}: {expression!r} is one value, not a sweep; write {_EXAMPLE}"])
    return dimension_of(override.value(), where=where, current=current[key], text=str(expression))


def dimension_of(
    sweep: Any, *, where: str, current: Any, text: str, takes_nodes: bool = False
) -> Dimension:
    """Return a parsed sweep as a dimension over a key whose value is ``current`` now.

    Raises ConfigError for an empty one, and for what is no sweep of single values, or where it
    ``takes_nodes`` of these and of lists and keys with values.
    """
    if not isinstance(sweep, (IntervalSweep, ChoiceSweep, RangeSweep)):
        raise ConfigError([f"{where}: {text!r} is not a sweep; write {_EXAMPLE}"])
    when = conditions_of(set(sweep.tags))
    if isinstance(sweep, IntervalSweep):
        return dataclasses.replace(_interval(where, sweep, current), when=when)
    if isinstance(sweep, RangeSweep) and not sweep.shuffle:
        return dataclasses.replace(_stepped(where, sweep, current), when=when)
    written = _nodes(sweep) if takes_nodes else {}
    values = tuple(_values(where, sweep, written))
    return Choice(values=values, written=tuple(written.values()), when=when)


def _nodes(sweep: ChoiceSweep | RangeSweep) -> dict[int, str]:
    """Return the lists and the keys with values among the choices, by place, as an override says them."""
    listed = sweep.list if isinstance(sweep, ChoiceSweep) else []
    nodes = {place: v for place, v in enumerate(listed) if isinstance(v, (list, dict))}
    return {place: str(Transformer.encode(node)) for place, node in nodes.items()}


def _interval(where: str, sweep: IntervalSweep, current: Any) -> Interval:
    low, high = sweep.start, sweep.end
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        raise ConfigError([f"{where}: an interval needs two numbers, got {low!r} and {high!r}"])
    if not low < high:
        raise ConfigError([f"{where}: the interval from {low:g} to {high:g} is empty"])
    is_log = "log" in sweep.tags
    if is_log and low <= 0:
        raise ConfigError([f"{where}: a logarithmic interval begins above 0, got {low:g}"])
    _refuse_words(where, current)
    has_whole_bounds = float(low).is_integer() and float(high).is_integer()
    # 'int(interval(1, 3))' leaves whole bounds of type int; 'interval(1, 3)' makes floats of them.
    is_cast = isinstance(low, int) and isinstance(high, int)
    is_integer = "int" in sweep.tags or is_cast or (has_whole_bounds and isinstance(current, int))
    if is_integer and not has_whole_bounds:
        raise ConfigError([f"{where}: whole numbers need whole bounds, got {low:g} and {high:g}"])
    return Interval(low=low, high=high, is_log=is_log, is_integer=is_integer)


def _refuse_words(where: str, current: Any) -> None:
    if isinstance(current, (str, bool)):
        raise ConfigError([f"{where}: the value is no number ({current!r}); use choice(...)"])


def _stepped(where: str, sweep: RangeSweep, current: Any) -> Dimension:
    """Return ``range(start, stop, step)``: as in Python its stop is not among its values."""
    values = _values(where, sweep)
    _refuse_words(where, current)
    if len(values) == 1:
        return Choice(values=tuple(values))
    low, high = sorted((float(values[0]), float(values[-1])))  # type: ignore[arg-type]
    step = abs(float(sweep.step))
    is_integer = all(isinstance(value, int) for value in values)
    return Interval(low=low, high=high, step=step, is_integer=is_integer)


def _values(
    where: str, sweep: ChoiceSweep | RangeSweep, written: Mapping[int, str] | None = None
) -> list[Value]:
    if isinstance(sweep, RangeSweep) and not sweep.step:
        raise ConfigError([f"{where}: a range needs a step other than 0"])
    values = list(sweep.range() if isinstance(sweep, RangeSweep) else sweep.list)
    if not values:
        raise ConfigError([f"{where}: there is nothing to choose from"])
    said = [(written or {}).get(place, v) for place, v in enumerate(values)]
    plain = [v.text if isinstance(v, QuotedString) else v for v in said]
    if strange := [v for v in plain if not isinstance(v, (bool, int, float, str, type(None)))]:
        raise ConfigError([f"{where}: {strange[0]!r} is not one value; write {_EXAMPLE}"])
    return plain
