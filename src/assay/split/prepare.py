"""From raw data to prepared splits, for the stage and for exploring alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from assay.artifacts.files import write_json
from assay.data.raw import DataSet, Raw
from assay.data.spec import Spec, Task
from assay.data.table import task_of
from assay.data.validation import validate
from assay.split.anomalies import LEFT_OUT, without_anomalies
from assay.split.assign import SPLITS, assign, time_values, way_of
from assay.split.checks import run_checks
from assay.split.few import few_of_each_class
from assay.split.learn import learn
from assay.split.write import write_split


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was prepared: digest and source of the raw data, rows by split, and lines to print."""

    digest: str
    source: str
    rows: dict[str, int]
    summary: tuple[str, ...]


def prepare(data: DataSet, *, folder: Path) -> Prepared:
    """Read, validate, divide, check and write the data into an existing folder.

    Writes ``train/``, ``valid/``, ``test/``, ``spec.json`` and ``checks.json``. Raises DataError
    with every reason why the data cannot be used.
    """
    raw = data.read()
    task = task_of(raw)
    validate(raw, task=task)
    labels = assign(raw, splitting=data.split, task=task)
    labels = without_anomalies(raw, labels=labels, task=task)
    labels = few_of_each_class(
        raw, labels=labels, per_class=data.split.per_class, seed=data.split.seed, task=task
    )
    positions = {name: np.flatnonzero(labels == name) for name in SPLITS}
    spec = learn(raw, train=positions["train"], task=task)
    way = way_of(data.split, roles=raw.roles, task=task)
    times = _dates(raw) if way == "time" else None
    for name, rows in positions.items():
        write_split(raw, rows=rows, spec=spec, folder=folder / name, times=times)
    spec.write(folder / "spec.json")
    sizes = {name: len(rows) for name, rows in positions.items()}
    checks = run_checks(raw, labels=labels, task=task)
    write_json(
        folder / "checks.json",
        {"task": task, "split": {"by": way, "rows": sizes}, "checks": checks},
    )
    warnings = [f"check: {c['name']}: {c['found']}" for c in checks if c["status"] == "warning"]
    head = (
        _headline(raw, spec, task),
        f"split by {way}: " + ", ".join(f"{n} {r}" for n, r in sizes.items()),
        *_left_out(labels, task),
    )
    return Prepared(digest=raw.digest(), source=raw.source, rows=sizes, summary=(*head, *warnings))


def _dates(raw: Raw) -> pd.Series | None:
    """The times of all rows: those of a split alone may not tell which of two figures is the day."""
    return time_values(raw.frame[raw.roles.time]) if raw.roles.time else None


def _headline(raw: Raw, spec: Spec, task: Task) -> str:
    word = "labels" if task == "multilabel" else "classes"
    what = f"{len(spec.classes)} {word}" if spec.classes else task.replace("_", " ")
    if forecast := spec.forecast:
        what = f"forecasts of {forecast.horizon} steps of {', '.join(forecast.series)}"
    target = f"target '{spec.target}' ({what})" if spec.target else what
    return f"{len(raw.frame)} rows, {_inputs(spec)}, {target}"


def _left_out(labels: np.ndarray, task: Task) -> list[str]:
    count = int(np.sum(labels == LEFT_OUT))
    if not count:
        return []
    if task == "forecasting":
        return [f"left out: {count} windows that reach over the boundary of two splits"]
    if task == "classification":
        return [f"left out of training: {count} rows, by data.split.per_class"]
    return [f"left out of training: {count} anomalies"]


def _inputs(spec: Spec) -> str:
    if image := spec.image:
        return f"images of {image.height} x {image.width} x {image.channels}"
    if series := spec.series:
        steps = " to ".join(dict.fromkeys(map(str, (series.shortest, series.steps))))
        return f"sequences of {steps} steps x {len(series.channels)} channels"
    if text := spec.text:
        return f"texts of up to {text.steps} of {text.vocabulary} tokens"
    return f"{len(spec.numeric)} numeric and {len(spec.categorical)} categorical columns"
