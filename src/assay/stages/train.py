"""Reads train, valid, spec and best.json; writes weights, effective.yaml, history.csv."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from assay.artifacts.files import read_json, write_json, write_yaml
from assay.artifacts.manifest import artifact, recorded_digest
from assay.artifacts.staging import staged
from assay.config.load import load, merged
from assay.data.spec import Spec, required
from assay.errors import AssayError
from assay.figures.curves import data_size_curve, learning_curves
from assay.figures.samples import sample_grid
from assay.metrics.data_size import repeat_words, size_table
from assay.metrics.objective import Objective, objective
from assay.pipeline.fitting.beside import trained_beside
from assay.pipeline.fitting.candidate import Outcome, try_candidate
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.fingerprint import fit_fingerprint
from assay.pipeline.fitting.inputs import prepared_inputs
from assay.pipeline.fitting.instruments import BESIDE, LIST
from assay.pipeline.fitting.network import write_weights
from assay.pipeline.fitting.repeats import repeated_fits
from assay.pipeline.fitting.resume import Resumable, resumable
from assay.tracking.run import Tracked, stage_run
from assay.training.gradients import judge_gradients
from assay.training.repeats import Repeats

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Params:
    """The nodes as composed: what the search found is merged into them before they are built."""

    model: Mapping[str, Any]
    training: Mapping[str, Any]
    seed: int
    repeats: Repeats = field(default_factory=Repeats)


def run(params: Params) -> None:
    """Train the network of record and keep its best weights."""
    with resumable() as kept, staged("train") as folder:
        if fingerprint := _fingerprint(params):
            kept.begin(fingerprint)
        with stage_run("train", folder=folder, resume=kept.run_id) as tracked:
            kept.follow(tracked.run_id)
            _train(params, kept, folder=folder, tracked=tracked)


def _train(params: Params, kept: Resumable, *, folder: Path, tracked: Tracked) -> None:
    effective = _effective(params)
    write_yaml(folder / "effective.yaml", effective)
    tracked.log_params(effective)
    knobs = load(Effective, folder / "effective.yaml")
    inputs = prepared_inputs()
    outcome = try_candidate(
        inputs,
        model=knobs.model,
        training=knobs.training,
        seed=knobs.seed,
        on_epoch=lambda epoch, row: tracked.log_metrics(row, step=epoch),
        progress=True,
        kept=kept,
        on_samples=_on_samples(tracked, inputs.spec),
    )
    write_weights(folder / "weights.safetensors", outcome.fit.weights)
    _write_beside(trained_beside(outcome.network, knobs=knobs, inputs=inputs), folder / BESIDE)
    goal = objective(inputs.spec.task)
    _report(outcome, goal=goal.name, folder=folder, tracked=tracked)
    _say(outcome, epochs=knobs.training.max_epochs, name=goal.name)
    fits = repeated_fits(
        inputs,
        model=knobs.model,
        training=knobs.training,
        seed=knobs.seed,
        knobs=params.repeats,
        of_record=outcome,
    )
    _report_repeats(fits, goal, folder=folder, tracked=tracked)


def _report_repeats(fits: pd.DataFrame, goal: Objective, *, folder: Path, tracked: Tracked) -> None:
    """Write every repeated fit, and track what they say where there are any."""
    fits.to_csv(folder / "repeats.csv", index=False)
    if fits.empty:
        return
    tracked.log_artifact(folder / "repeats.csv")
    sizes = size_table(fits)
    with tempfile.TemporaryDirectory() as scratch:
        picture = Path(scratch, "repeats.png")
        data_size_curve(sizes, fits, objective=goal.name).savefig(picture)
        tracked.log_artifact(picture, "plots")
    whole = sizes.iloc[-1]
    told = {f"repeats_valid_{goal.name}_{what}": float(whole[what]) for what in ("mean", "margin")}
    tracked.log_metrics({name: value for name, value in told.items() if value == value})
    log.info(repeat_words(fits, goal))


def _write_beside(found: Mapping[str, Mapping[str, Tensor]], folder: Path) -> None:
    """Write what evaluating holds the network against; a list alone where there is no such thing."""
    folder.mkdir()
    write_json(folder / LIST, sorted(found))
    for name, weights in found.items():
        write_weights(folder / f"{name}.safetensors", weights)


def _on_samples(tracked: Tracked, spec: Spec) -> Callable[[int, np.ndarray], None]:
    """Return what draws samples along the training of a generator, and tracks the picture."""

    def show(epoch: int, images: np.ndarray) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            picture = Path(scratch, f"epoch-{epoch:04d}.png")
            share = images / max(1, *required(spec.image).highest)
            figure = sample_grid(share, heading=f"Samples after epoch {epoch}", columns=8)
            figure.savefig(picture)
            tracked.log_artifact(picture, "samples")

    return show


def _effective(params: Params) -> dict[str, Any]:
    """Return the composed nodes merged with what the search found."""
    found = read_json(artifact("search", "best.json"))
    nodes = merged({"model": params.model, "training": params.training}, found)
    return {**nodes, "seed": params.seed}


def _fingerprint(params: Params) -> str | None:
    """Return the name of this very fit; None where its inputs are not what was written."""
    try:
        data = [recorded_digest("prepare", name) for name in ("train", "valid", "spec.json")]
        return fit_fingerprint("train", **_effective(params), data=data)
    except AssayError:  # it is raised again where the inputs are loaded, and tracked then
        return None


def _report(outcome: Outcome, *, goal: str, folder: Path, tracked: Tracked) -> None:
    """Write the history, draw it, and track what the best weights are worth."""
    history = pd.DataFrame(outcome.fit.history)
    history.insert(0, "epoch", range(1, len(history) + 1))
    history.to_csv(folder / "history.csv", index=False)
    figure = learning_curves(history, kept=outcome.fit.best_epoch, objective=goal)
    figure.savefig(folder / "learning_curves.png")
    tracked.log_artifact(folder / "learning_curves.png", "plots")
    for name in ("effective.yaml", "history.csv"):
        tracked.log_artifact(folder / name)
    best = {f"best_valid_{name}": value for name, value in outcome.metrics.items()}
    tracked.log_metrics({"best_epoch": outcome.fit.best_epoch, **best})


def _say(outcome: Outcome, *, epochs: int, name: str) -> None:
    """Say which weights are kept, and that the training stopped early where it did."""
    ran, best = len(outcome.fit.history), outcome.fit.best_epoch
    is_early = ran < epochs
    stopped = f"stopped after epoch {ran} of {epochs}, no gain since {best}; " if is_early else ""
    value = outcome.fit.best_value
    log.info("%sthe weights kept are of epoch %d: valid %s %.4g", stopped, best, name, value)
    if words := judge_gradients(outcome.fit.history):
        log.info(words)
