"""The names of the baselines, told without building one: a test holds them against what is fitted."""

from __future__ import annotations

from collections.abc import Mapping

from assay.data.spec import Kind, Task

_FITTED: Mapping[Kind, tuple[str, ...]] = {
    "table": ("trivial", "linear", "boosting"),
    "image": ("trivial", "linear"),
    "sequence": ("trivial", "linear", "boosting"),
    "text": ("trivial", "words"),
}
_OF_TASK: Mapping[Task, tuple[str, ...]] = {
    "forecasting": ("trivial", "last", "drift", "linear"),
    "language_modelling": ("trivial", "bigram", "trigram"),
    "tagging": ("trivial", "lookup"),
    "reconstruction": ("trivial", "pca", "neighbours"),
    "generation": ("trivial", "pca", "training_rows"),
}


def baseline_names(task: Task, *, kind: Kind) -> tuple[str, ...]:
    """Return the baselines of a task on a kind of data, simplest first."""
    return _OF_TASK.get(task, _FITTED[kind])
