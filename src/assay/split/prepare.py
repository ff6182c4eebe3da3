"""From raw data to prepared splits, for the stage and for exploring alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.artifacts.files import write_json
from assay.data.raw import DataSet, Raw
from assay.data.spec import Spec, Task
from assay.data.table import infer_task
from assay.data.validation import validate
from assay.split.assign import SPLITS, assign, way_of
from assay.split.checks import run_checks
from assay.split.write import learn, write_split


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
    task = infer_task(raw.frame[raw.roles.target], chosen=raw.task)
    validate(raw, task=task)
    labels = assign(raw, splitting=data.split, task=task)
    positions = {name: np.flatnonzero(labels == name) for name in SPLITS}
    spec = learn(raw, train=positions["train"], task=task)
    for name, rows in positions.items():
        write_split(raw, rows=rows, spec=spec, folder=folder / name)
    spec.write(folder / "spec.json")
    way = way_of(data.split, roles=raw.roles, task=task)
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
    )
    return Prepared(digest=raw.digest(), source=raw.source, rows=sizes, summary=(*head, *warnings))


def _headline(raw: Raw, spec: Spec, task: Task) -> str:
    size = (
        spec.image and f"images of {spec.image.height} x {spec.image.width} x {spec.image.channels}"
    )
    inputs = size or f"{len(spec.numeric)} numeric and {len(spec.categorical)} categorical columns"
    what = f"{len(spec.classes)} classes" if task == "classification" else "regression"
    return f"{len(raw.frame)} rows, {inputs}, target '{spec.target}' ({what})"
