"""Names that the task or the data must know, held against them before anything runs.

The data is read only where a name depends on it. Where it cannot be read, ``prepare`` says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from assay.baselines.beside import TRAINED_BESIDE
from assay.baselines.names import PLAIN, baseline_names
from assay.config.load import build
from assay.data.raw import DataSet, Raw, TaskChoice
from assay.data.spec import Task
from assay.data.table import class_values, shown_columns, task_of
from assay.errors import ConfigError, DataError, nearest
from assay.gate.knobs import contradictions
from assay.metrics.costs import costs_of
from assay.metrics.names import metric_names
from assay.metrics.objective import direction

_NEITHER_WAY = frozenset({"flagged"})
"""Metrics of which neither more nor less is better."""


def require_names(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for metrics, baselines, columns and classes that there are not.

    Also for a bound or a margin that points the wrong way. ``config`` is resolved and checked.
    """
    known = _Known(config)
    gate = config["gate"]
    problems = [
        *_metrics(gate, known),
        *_bounds(gate),
        *contradictions(gate["champion"], margin=gate["margin"]),
        *_baselines(gate, known),
        *_slices(config, known),
        *_costs(config["export"]["costs"], known),
    ]
    if problems:
        raise ConfigError(problems)


class _Known:
    """What can be told of task and data, each as late as it is asked for."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._data: DataSet = build(config["data"], where="data")
        self._has_costs = bool(config["export"]["costs"])
        self.kind = self._data.kind

    @cached_property
    def raw(self) -> Raw | None:
        """The examples; None where they cannot be read."""
        try:
            return self._data.read()
        except DataError:
            return None

    @cached_property
    def possible_tasks(self) -> tuple[Task, ...]:
        """The task, or those that only the target's values tell apart."""
        said: TaskChoice = getattr(self._data, "task", "auto")
        if said != "auto":
            return (said,)
        several = not isinstance(getattr(self._data, "target", ""), str)
        if several or getattr(self._data, "label_separator", None):
            return ("multilabel",)
        return ("classification", "regression")

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The task, read from the target where nothing else says it."""
        if len(self.possible_tasks) == 1 or self.raw is None:
            return self.possible_tasks
        return (task_of(self.raw),)

    def metrics(self, tasks: tuple[Task, ...]) -> list[set[str]]:
        """Return the names of the metrics of each task."""
        return [set(metric_names(task, has_costs=self._has_costs)) for task in tasks]

    def lacks(self, name: str) -> bool:
        """Tell whether no task that the data may have has such a metric."""
        if all(name in names for names in self.metrics(self.possible_tasks)):
            return False
        return not any(name in names for names in self.metrics(self.tasks))


def _metrics(gate: Mapping[str, Any], known: _Known) -> Iterator[str]:
    asked = {} if gate["metric"] == "auto" else {"gate.metric": gate["metric"]}
    asked |= {f"gate.{bound}.{n}": n for bound in ("minimum", "maximum") for n in gate[bound]}
    for key, name in asked.items():
        if name == "cost" and known.lacks(name):
            yield f"{key}: there is a cost only where export.costs says what mistakes cost"
        elif known.lacks(name):
            names: Collection[str] = set().union(*known.metrics(known.tasks))
            task = " or ".join(known.tasks).replace("_", " ")
            yield f"{key}: {task} has no metric '{name}'{nearest(name, names)}"


def _bounds(gate: Mapping[str, Any]) -> Iterator[str]:
    """A minimum of an error would ask for a bad model."""
    for bound, wrong, other in (
        ("minimum", "minimize", "maximum"),
        ("maximum", "maximize", "minimum"),
    ):
        for name in gate[bound]:
            if direction(name) == wrong and name not in _NEITHER_WAY:
                less = "less" if wrong == "minimize" else "more"
                yield (
                    f"gate.{bound}.{name}: the {less} {name} the better the model, so that a {bound} "
                    f"asks for a bad one: set gate.{other}.{name}"
                )


def _baselines(gate: Mapping[str, Any], known: _Known) -> Iterator[str]:
    names = {n for task in known.possible_tasks for n in baseline_names(task, kind=known.kind)}
    for name in gate["baselines"]:
        if name not in (PLAIN, *names, *TRAINED_BESIDE):
            yield (
                f"gate.baselines: {known.kind} data has no baseline '{name}' here"
                f"{nearest(name, {PLAIN, *names})}"
            )


def _slices(config: Mapping[str, Any], known: _Known) -> Iterator[str]:
    for section in ("evaluate", "explain"):
        asked = config[section]["slices"]
        if asked and known.raw is not None:
            columns = shown_columns(known.raw)
            for name in asked:
                if name not in columns:
                    yield f"{section}.slices: the data has no column '{name}'{nearest(name, columns)}"


def _costs(costs: Mapping[str, float], known: _Known) -> Iterator[str]:
    if not costs:
        return
    classes: list[object] = []
    if known.tasks == ("classification",) and known.raw is not None:
        target = known.raw.frame[known.raw.roles.target].dropna()
        classes = sorted(class_values(target).unique(), key=str)
    if classes or "classification" not in known.tasks:
        try:
            costs_of(costs, task=known.tasks[0], classes=classes)
        except ConfigError as error:
            yield from error.problems
