"""Parts of the test rows: how the model does on each, and how it treats groups of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from assay.data.prepared import TARGET
from assay.figures.slices import group_rates, slice_forest
from assay.figures.style import Figure
from assay.metrics.decisions import chosen
from assay.metrics.fairness import fairness, fairness_words
from assay.metrics.intervals import Interval
from assay.metrics.knobs import Evaluate
from assay.metrics.multilabel import decisions
from assay.metrics.objective import direction, objective
from assay.metrics.slices import Measured, score_slices, slice_words, values_of
from assay.pipeline.evaluating.assessment import Asked

_LEVEL = 0.05
Report = list[dict[str, Any]]


def slices_of(asked: Asked, knobs: Evaluate) -> Report:
    """Return metrics by the values of sensitive and named columns, and of two together.

    For a reconstruction also by the target's values: which kinds of anomaly are found.
    """
    rows = asked.split.rows()
    classes: tuple[str, ...] = ()
    if asked.reconstructed and TARGET in rows:
        rows, classes = rows.assign(**{asked.spec.target: rows[TARGET]}), (asked.spec.target,)
    measured = Measured(
        task=asked.spec.task,
        rows=rows,
        target=asked.target,
        output=asked.output,
        naive=asked.naive,
        dependence=asked.dependence,
    )
    columns = tuple(dict.fromkeys((*classes, *asked.spec.sensitive, *knobs.slices)))
    return score_slices(measured, columns=columns, knobs=knobs)


def fairness_of(asked: Asked, knobs: Evaluate) -> Report:
    """Return rates by group for each sensitive column, and each class that a row may be given.

    Of two classes it is the second one. Tasks without classes have none.
    """
    if not asked.spec.sensitive or asked.spec.task not in ("classification", "multilabel"):
        return []
    rows = asked.split.rows()
    return [
        {
            "column": column,
            "positive": name,
            **fairness(
                group=values_of(rows[column]),
                is_positive=is_positive,
                is_selected=is_selected,
                knobs=knobs,
                dependence=asked.dependence,
            ),
        }
        for column in asked.spec.sensitive
        for name, is_positive, is_selected in _selections(asked)
    ]


def _selections(asked: Asked) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield each class with a mask of the rows that are of it, and of those said to be."""
    classes = [str(name) for name in asked.spec.classes]
    if asked.spec.task == "multilabel":
        _, given = decisions(asked.output)
        for code, name in enumerate(classes):
            yield name, asked.target[:, code] == 1, given[:, code]
        return
    found = chosen(asked.output)
    for code in [1] if len(classes) == 2 else range(len(classes)):
        yield classes[code], asked.target == code, found == code


def slicing_words(slices: Report, treated: Report) -> dict[str, str]:
    """Return what slices and groups show, in words; nothing where there are none."""
    said = {"slices": slice_words(slices, level=_LEVEL)}
    said["fairness"] = ". ".join(fairness_words(treated))
    return {name: words for name, words in said.items() if words}


def slicing_pictures(
    asked: Asked, slices: Report, treated: Report, *, metrics: Mapping[str, Interval]
) -> dict[str, Figure]:
    """Return the slices beside the whole, and the rates of groups, where there are any."""
    goal = objective(asked.spec.task).name
    drawn = {}
    measured = [part for part in slices if goal in part["metrics"]]
    if len(measured) > 1 and metrics[goal]["value"] is not None:
        better = "less" if direction(goal) == "minimize" else "more"
        drawn["slices"] = slice_forest(
            measured, metric=goal, better=better, whole=metrics[goal], level=_LEVEL
        )
    if compared := _most_different(treated):
        drawn["fairness"] = group_rates(compared)
    return drawn


def _most_different(treated: Report) -> Report:
    """Return of each column's classes the one whose groups differ most in their true positive rate."""
    by_column: dict[str, dict[str, Any]] = {}
    for entry in treated:
        if "groups" in entry:
            best = by_column.get(entry["column"])
            if best is None or _gap(entry) > _gap(best):
                by_column[entry["column"]] = entry
    return list(by_column.values())


def _gap(entry: Mapping[str, Any]) -> float:
    value = entry["difference"]["true_positive_rate"]["value"]
    return -1.0 if value is None else float(value)
