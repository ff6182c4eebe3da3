"""The names of the baselines, told without building one: a test holds them against what is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

PLAIN = "plain"
"""Asks for the plainest baseline that learns, whatever the task and the data: of ``_PLAINEST`` that it has."""
_PLAINEST = ("linear", "words", "trigram", "lookup", "pca")


def baseline_names(task: Task, *, kind: Kind) -> tuple[str, ...]:
    """Return the baselines of a task on a kind of data, simplest first."""
    return _OF_TASK.get(task, _FITTED[kind])


def plain_name(task: Task, *, kind: Kind) -> str:
    """Return what ``plain`` stands for."""
    return next(name for name in _PLAINEST if name in baseline_names(task, kind=kind))


def named_baselines(asked: Sequence[str], *, task: Task, kind: Kind) -> tuple[str, ...]:
    """Return the baselines that are asked for, each once, with ``plain`` told by its own name."""
    plain = plain_name(task, kind=kind)
    return tuple(dict.fromkeys(plain if name == PLAIN else name for name in asked))
