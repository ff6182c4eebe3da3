"""What the fit costs beside a hand-written PyTorch loop, and tracking beside a fit without.

Run: ``python benchmarks/training.py [--rounds 7] [--epochs 10] [--threads 2]``. Each variant trains
the same network on the same batches of digits (8x8, 64 rows) in this one process, in turns.
Printed are milliseconds a step, medians over the rounds, and their ratio to the loop by hand. That
loop does nothing but train: no validation, no best weights, no schedule, no check of the loss.
The tracked fit logs every epoch's row to MLflow in SQLite, as the train stage does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from assay.data.prepared import Split, write_pieces
from assay.data.spec import Image, Spec
from assay.layers.network import Network
from assay.layers.shape import Model
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.tracking.run import Tracked, stage_run
from assay.training.fit import fit
from assay.training.knobs import EarlyStopping, Training
from assay.training.loader import Batches, Rows

MLP = Mlp(width=128, depth=1, dropout=0.0)
CNN = Cnn()
GOALS = {"mlp": 2.2, "cnn": 1.25}
TRACKING_GOAL = 1.15
OnEpoch = Callable[[int, Mapping[str, float]], None]


def main() -> None:
    """Print a table for the perceptron 64-128-10 and the default CNN."""
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["ASSAY_HOME"] = folder
        train, valid, spec = digits(Path(folder))
        print(f"digits, batch 64, {arguments.threads} threads, {arguments.rounds} rounds")
        with stage_run("train", folder=Path(folder)) as tracked:
            for name, model in (("mlp", MLP), ("cnn", CNN)):
                data = {"train": train, "valid": valid, "spec": spec}
                times = measured(model, **data, tracked=tracked, arguments=arguments)
                report(name, times)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def digits(folder: Path) -> tuple[Split, Split, Spec]:
    """Write digits as prepared splits: 1437 rows to train on, 360 to validate."""
    images, target = load_digits(return_X_y=True)
    images = (images * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    for name, rows in (("train", slice(0, 1437)), ("valid", slice(1437, None))):
        (folder / name).mkdir()
        write_pieces(folder / name, "image", images[rows])
        np.save(folder / name / "target.npy", target[rows].astype(np.int64))
    mean, std = float(images[:1437].mean()), float(images[:1437].std())
    spec = Spec(
        task="classification",
        kind="image",
        target="digit",
        train_rows=1437,
        image=Image(channels=1, height=8, width=8, mean=(mean,), std=(std,)),
        classes=tuple(range(10)),
        class_counts=tuple(np.bincount(target[:1437]).tolist()),
    )
    return Split(folder / "train"), Split(folder / "valid"), spec


def measured(
    model: Model,
    *,
    train: Split,
    valid: Split,
    spec: Spec,
    tracked: Tracked,
    arguments: argparse.Namespace,
) -> dict[str, list[float]]:
    """Return milliseconds a step of each variant, a value a round."""
    knobs = Training(
        max_epochs=arguments.epochs,
        gradient_clip=None,
        early_stopping=EarlyStopping(patience=None),
        device="cpu",
    )
    rows = Rows(train)
    steps = arguments.epochs * Batches(rows, batch_size=64, seed=0).batches

    def by_hand(is_fused: bool) -> None:
        train_by_hand(fresh(model, spec), rows, epochs=arguments.epochs, is_fused=is_fused)

    def fitted(chosen: Training, on_epoch: OnEpoch = lambda epoch, row: None) -> None:
        fit(
            fresh(model, spec),
            train=train,
            valid=valid,
            spec=spec,
            knobs=chosen,
            seed=0,
            on_epoch=on_epoch,
            progress=False,
        )

    clipped = Training(**{**vars(knobs), "gradient_clip": 1.0})
    variants: dict[str, Callable[[], None]] = {
        "loop by hand": lambda: by_hand(is_fused=False),
        "loop by hand, fused AdamW": lambda: by_hand(is_fused=True),
        "fit": lambda: fitted(knobs),
        "fit, tracked": lambda: fitted(knobs, lambda e, row: tracked.log_metrics(row, step=e)),
        "fit, gradients clipped": lambda: fitted(clipped),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(arguments.rounds + 1):
        for name, variant in variants.items():
            start = time.perf_counter()
            variant()
            times[name].append((time.perf_counter() - start) * 1000 / steps)
    return {name: values[1:] for name, values in times.items()}


def fresh(model: Model, spec: Spec) -> Network:
    torch.manual_seed(0)
    return Network(spec=spec, model=model)


def train_by_hand(network: nn.Module, rows: Rows, *, epochs: int, is_fused: bool) -> None:
    """Train as a tutorial would, on the batches that the fit takes."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, fused=is_fused)
    batches = Batches(rows, batch_size=64, seed=0)
    network.train()
    for _ in range(epochs):
        for piece in batches:
            for inputs, target in piece:
                optimizer.zero_grad()
                loss = functional.cross_entropy(network(**inputs), target)
                loss.backward()
                optimizer.step()


def report(name: str, times: dict[str, list[float]]) -> None:
    medians = {variant: statistics.median(values) for variant, values in times.items()}
    base = medians["loop by hand"]
    print(f"\n{name} (goal: at most {GOALS[name]} times the loop by hand)")
    for variant, value in medians.items():
        print(f"  {variant:28} {value:7.3f} ms a step   {value / base:5.2f}")
    tracking = medians["fit, tracked"] / medians["fit"]
    print(f"  tracked beside untracked: {tracking:.2f} (goal: at most {TRACKING_GOAL})")


if __name__ == "__main__":
    main()
