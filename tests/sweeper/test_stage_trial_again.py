"""A trial of the stage ``search`` is had again by its words alone, whatever params.yaml says by then."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.sweeper.conftest import Assay, runs

from assay.artifacts.files import read_yaml
from assay.artifacts.paths import CONFIG
from assay.config.load import build, load
from assay.stages import compose, prepare, search

_SOME = "\ntraining: default\nsearch: tpe\ngate: default\nset:\n  "
SEARCHED = (
    "data: breast_cancer\nmodel: mlp\naugmentation: none"
    + _SOME
    + "data: {split: {valid: 0.25}}\n"
    + "  training: {max_epochs: 2, threads: 1, batch_size: 32}\n  search: {trials: 2, repeats: 0}\n"
)
CHANGED = (
    "data: digits\nmodel: cnn\naugmentation: images"
    + _SOME
    + "data: {split: {valid: 0.1}}\n"
    + "  training: {max_epochs: 7, class_weights: balanced, label_smoothing: 0.1}\n"
)


def test_the_words_of_a_trial_hold_when_params_have_changed(run: Assay, project: Path) -> None:
    file = project / "params.yaml"
    file.write_text(SEARCHED)
    compose.run(compose.Params())
    prepare.run(prepare.Params(data=build(read_yaml(CONFIG)["data"], where="data")))
    search.run(load(search.Params, CONFIG))
    trial = next(t for t in runs(project) if t.info.run_name == "trial 001")
    file.write_text(CHANGED)
    (alone,) = run(*shlex.split(trial.data.tags["overrides"]))
    assert alone.data.metrics["objective"] == trial.data.metrics["best_valid_log_loss"]
