"""What is written of an evaluation, whatever was measured: words, tables and pictures beside baselines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from assay.baselines.fit import Answer
from assay.baselines.verdict import compare
from assay.data.spec import Spec
from assay.figures.comparison import forest
from assay.figures.style import Figure
from assay.metrics.intervals import Interval, Resampled
from assay.metrics.objective import direction
from assay.pipeline.evaluating.assessment import COMPARED, Tables, value_of

_EMPTY: dict[str, tuple[str, ...]] = {
    "confusion": ("actual", "predicted"),
    "roc": ("class", "false_positive_rate", "true_positive_rate", "threshold"),
    "pr": ("class", "recall", "precision", "threshold"),
    "calibration": ("confidence", "accuracy", "rows"),
    "residuals": ("actual", "predicted", "residual"),
    "labels": ("label", "precision", "recall", "f1", "rows"),
    "horizon": ("series", "step", "mase", "mae", "smape", "rmse"),
}


def verdicts_of(spec: Spec, ours: Resampled, theirs: Mapping[str, Resampled]) -> dict[str, str]:
    """Return in words how the model compares with each baseline."""
    return {
        name: compare(spec.task, model=ours, baseline=baseline, name=name)
        for name, baseline in theirs.items()
    }


def baseline_report(
    answers: Mapping[str, Answer],
    ours: Resampled,
    theirs: Mapping[str, Resampled],
    verdicts: Mapping[str, str],
) -> dict[str, Any]:
    """Return what each baseline is and reached, and by how much the model differs on the same rows."""
    return {
        name: {
            "about": answer.about,
            "fitted_rows": answer.rows,
            "note": answer.note,
            "metrics": theirs[name].intervals(),
            "difference": ours.minus(theirs[name]).intervals(),
            "verdict": verdicts[name],
        }
        for name, answer in answers.items()
    }


def write_tables(tables: Tables, folder: Path) -> None:
    """Write the same files for every task, since outputs of a stage are fixed; some are empty."""
    folder.mkdir()
    for name, columns in _EMPTY.items():
        table = tables.get(name, pd.DataFrame(columns=list(columns)))
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def beside_baselines(spec: Spec, beside: Mapping[str, Mapping[str, Interval]]) -> Figure:
    """Draw the model's metrics and intervals beside those of the baselines."""
    names = [name for name in COMPARED[spec.task] if name in beside["model"]]
    better = {n: "less" if direction(n) == "minimize" else "more" for n in names}
    return forest(beside, metrics=better)


def save_pictures(drawn: Mapping[str, Figure], folder: Path) -> None:
    """Write each picture under its name."""
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png")


def headline(metrics: Mapping[str, Interval]) -> str:
    """Return a line with the metrics that are told first."""
    told = [name for task in COMPARED.values() for name in task if name in metrics]
    parts = [_told(name, metrics[name]) for name in dict.fromkeys(told)]
    return "on the sealed test split, with intervals: " + ", ".join(part for part in parts if part)


def _told(name: str, found: Interval) -> str:
    values = (found["value"], found["low"], found["high"])
    numbers = [value for value in values if isinstance(value, float)]
    return "" if len(numbers) < 3 else "{} {:.4g} ({:.4g} to {:.4g})".format(name, *numbers)


def known_values(intervals: Mapping[str, Interval]) -> dict[str, float]:
    """Return the metrics that have a value."""
    values = {name: value_of(intervals, name) for name in intervals}
    return {name: value for name, value in values.items() if value is not None}
