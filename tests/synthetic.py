"""Small prepared data of each kind and task, made by the code that prepares real data."""

from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.raw import Raw, Roles
from assay.data.spec import Kind, Task
from assay.pipeline.inputs import Inputs, read_inputs
from assay.split.write import learn, write_split

ROWS = 96


def write_inputs(folder: Path, *, kind: Kind, task: Task, rows: int = ROWS) -> Inputs:
    """Write learnable train and valid splits and their specification, and read them."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = _images(rows, task) if kind == "image" else _table(rows, task)
    train = np.arange(0, rows * 2 // 3)
    spec = learn(raw, train=train, task=task)
    for name, chosen in (("train", train), ("valid", np.arange(rows * 2 // 3, rows))):
        write_split(raw, rows=chosen, spec=spec, folder=folder / name)
    spec.write(folder / "spec.json")
    return read_inputs(folder)


def _table(rows: int, task: Task) -> Raw:
    rng = np.random.default_rng(0)
    age = rng.uniform(18, 90, rows)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "income": rng.normal(30_000, 5_000, rows),
            "plan": rng.choice(["basic", "family", "pro"], rows),
            "y": np.where(age > 50, "yes", "no") if task == "classification" else 100 + 3 * age,
        }
    )
    return Raw(frame=frame, roles=Roles(target="y"), task=task)


def _images(rows: int, task: Task) -> Raw:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (rows, 1, 8, 8), dtype=np.uint8)
    code = rng.integers(0, 3, rows)
    images[np.arange(rows), 0, 2 * code + 1, :] += 180
    target = code if task == "classification" else 5.0 * code + 100
    return Raw(frame=pd.DataFrame({"y": target}), roles=Roles(target="y"), task=task, images=images)
