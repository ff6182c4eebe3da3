"""Small prepared data of each kind and task, made by the code that prepares real data."""

from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.ragged import ragged
from assay.data.raw import Raw, Roles
from assay.data.spec import OF_STEPS, Kind, Task
from assay.data.splitting import Splitting
from assay.data.tokenizer import Tokens
from assay.data.windows import Windows, cut
from assay.pipeline.fitting.inputs import Inputs, read_inputs
from assay.split.assign import assign
from assay.split.learn import learn
from assay.split.write import write_split

ROWS = 96
LONGEST = 12


def write_inputs(folder: Path, *, kind: Kind, task: Task, rows: int = ROWS) -> Inputs:
    """Write learnable train and valid splits and their specification, and read them."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = raw_of(kind, task, rows=rows)
    train = np.arange(0, rows * 2 // 3)
    spec = learn(raw, train=train, task=task)
    for name, chosen in (("train", train), ("valid", np.arange(rows * 2 // 3, rows))):
        write_split(raw, rows=chosen, spec=spec, folder=folder / name)
    spec.write(folder / "spec.json")
    return read_inputs(folder)


def forecast_inputs(folder: Path, *, steps: int = 200) -> Inputs:
    """Write windows over two series with a covariate: waves of six steps that rise."""
    rng = np.random.default_rng(0)
    time = np.arange(steps)
    wave = np.sin(time * np.pi / 3)
    table = pd.DataFrame(
        {
            "a": 300 + 0.2 * time + 5 * wave + rng.normal(0, 0.3, steps),
            "b": 20 - 0.02 * time - wave + rng.normal(0, 0.1, steps),
            "x": rng.normal(size=steps),
        },
        index=pd.date_range("2020-01-01", periods=steps, freq="D"),
    )
    knobs = Windows(window=12, horizon=3, season=6)
    raw = cut(table, series=("a", "b"), knobs=knobs, source="waves")
    labels = assign(raw, splitting=Splitting(valid=0.25), task="forecasting")
    spec = learn(raw, train=np.flatnonzero(labels == "train"), task="forecasting")
    for name in ("train", "valid", "test"):
        write_split(raw, rows=np.flatnonzero(labels == name), spec=spec, folder=folder / name)
    spec.write(folder / "spec.json")
    return read_inputs(folder)


def raw_of(kind: Kind, task: Task, *, rows: int = ROWS) -> Raw:
    """Return learnable raw data: the target is written into the inputs."""
    return _MAKERS[kind](rows, task)


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
    return Raw(frame=_coded(code, task), roles=Roles(target="y"), task=task, images=images)


def _series(rows: int, task: Task) -> Raw:
    """Sequences of 2 to 12 steps of two channels, with gaps; the class is the level of the first."""
    rng = np.random.default_rng(0)
    code, lengths = rng.integers(0, 3, rows), rng.integers(2, LONGEST + 1, rows)
    parts = []
    for level, length in zip(code, lengths, strict=True):
        steps = rng.normal(size=(length, 2)).astype(np.float32)
        steps[:, 0] += 6 * level + 20
        steps[rng.random((length, 2)) < 0.05] = np.nan
        parts.append(steps)
    return Raw(
        frame=_coded(code, task),
        roles=Roles(target="y"),
        task=task,
        series=ragged(parts),
        channels=("level", "noise"),
    )


def _texts(rows: int, task: Task) -> Raw:
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, rows)
    colours, words = ("red", "green", "blue"), ("a", "cat", "sat", "down", "here", "now")
    texts = [
        " ".join([*rng.choice(words, rng.integers(1, 8)), colours[k], *rng.choice(words, 2)])
        for k in code
    ]
    frame = _coded(code, task).assign(text=texts)
    knobs = Tokens(steps=LONGEST)
    target = "" if task in OF_STEPS else "y"
    tags = ragged([np.array([_tag(w) for w in text.split()], object) for text in texts])
    return Raw(
        frame=frame,
        roles=Roles(target=target),
        task=task,
        text="text",
        tokens=knobs,
        targets=tags if task == "tagging" else None,
    )


def _tag(word: str) -> str:
    return "colour" if word in ("red", "green", "blue") else "word"


def _coded(code: np.ndarray, task: Task) -> pd.DataFrame:
    return pd.DataFrame({"y": code if task == "classification" else 5.0 * code + 100})


_MAKERS = {"table": _table, "image": _images, "sequence": _series, "text": _texts}
