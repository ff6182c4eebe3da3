"""What names a fit, and what happens to its checkpoints at each kind of end."""

import shutil
from pathlib import Path

import pytest
import torch

import assay
from assay.artifacts.files import write_json
from assay.errors import ArtifactError, Terminated, TrainingError
from assay.pipeline.fitting import fingerprint
from assay.pipeline.fitting.fingerprint import code_digest, fit_fingerprint
from assay.pipeline.fitting.resume import resumable
from assay.training.knobs import Checkpointing

MODEL = {"_target_": "assay.model.mlp.Mlp", "width": 8}
TRAINING = {"lr": 0.1, "threads": 1, "checkpoint": {"every_steps": 5}}
FACTS = {"purpose": "train", "model": MODEL, "training": TRAINING, "seed": 0, "data": ["a", "b"]}
KNOBS = Checkpointing(every_steps=1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return tmp_path / "checkpoints" / "name"


def _name(**changes):
    return fit_fingerprint(**{**FACTS, **changes})


def test_the_same_fit_has_one_name():
    assert _name() == _name()
    assert len(_name()) == 20


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "run"},
        {"model": {**MODEL, "width": 9}},
        {"model": {**MODEL, "_target_": "assay.model.cnn.Cnn"}},
        {"training": {**TRAINING, "lr": 0.2}},
        {"training": {**TRAINING, "threads": 2}},
        {"seed": 1},
        {"data": ["a", "c"]},
    ],
    ids=str,
)
def test_whatever_a_result_depends_on_is_in_the_name(change):
    assert _name(**change) != _name()


def test_how_often_a_checkpoint_is_written_is_not():
    assert _name(training={**TRAINING, "checkpoint": {"every_steps": 1}}) == _name()


def test_libraries_and_threads_that_nobody_set_are(monkeypatch):
    free = {**TRAINING, "threads": None}
    before = _name(training=free)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 97)
    assert _name(training=free) != before
    before = _name()
    monkeypatch.setattr(fingerprint, "version", lambda name: "0")
    assert _name() != before


def test_code_is_named_by_what_it_says(tmp_path, monkeypatch):
    package = tmp_path / "assay"
    shutil.copytree(Path(assay.__file__).parent, package, ignore=shutil.ignore_patterns("__pyc*"))
    monkeypatch.setattr(assay, "__file__", str(package / "__init__.py"))
    before = code_digest(["training"], target="assay.model.mlp.Mlp")
    (package / "model/cnn.py").write_text("other")
    assert code_digest(["training"], target="assay.model.mlp.Mlp") == before
    (package / "model/mlp.py").write_text("other")
    after = code_digest(["training"], target="assay.model.mlp.Mlp")
    assert after != before
    (package / "training/fit.py").write_text("other")
    assert code_digest(["training"], target="assay.model.mlp.Mlp") != after


def _cut_off(error):
    with pytest.raises(type(error)), resumable() as kept:
        kept.begin("name")
        kept.follow("run1")
        kept.checkpoints(KNOBS).write({}, step=1)
        raise error


@pytest.mark.parametrize("error", [Terminated(), KeyboardInterrupt(), ZeroDivisionError()])
def test_what_was_cut_off_is_kept_for_the_next_start(folder, error):
    _cut_off(error)
    with resumable() as kept:
        kept.begin("name")
        assert kept.run_id == "run1"
        assert kept.checkpoints(KNOBS).read() == {}
    assert not folder.exists()
    assert not list(folder.parent.iterdir())


def test_a_fit_that_would_fail_again_leaves_nothing(folder):
    _cut_off(TrainingError("diverged"))
    assert not folder.exists()


def test_a_second_process_at_the_same_fit_keeps_none(folder, caplog):
    caplog.set_level("INFO", logger="assay")
    with resumable() as first, resumable() as second:
        first.begin("name")
        first.follow("run1")
        second.begin("name")
        assert second.run_id is None
        assert second.checkpoints(KNOBS) is None
        second.follow("run2")
        second.remove()
        assert first.run_id == "run1"
    assert "another process is at this very fit" in caplog.text


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_note_of_the_run_begins_another_run(folder, text):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(text)
    with resumable() as kept:
        kept.begin("name")
        assert kept.run_id is None


def test_without_a_beginning_nothing_is_kept(folder):
    with resumable() as kept:
        assert kept.run_id is None
        assert kept.checkpoints(KNOBS) is None
        kept.follow("run1")
    assert not folder.parent.exists()


def test_a_home_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "file"))
    with pytest.raises(ArtifactError, match=r"checkpoints.*cannot be written"), resumable() as kept:
        kept.begin("name")


def test_a_folder_with_a_note_and_no_checkpoint_goes_on_in_that_run(folder):
    folder.mkdir(parents=True)
    write_json(folder / "run.json", {"run_id": "run1"})
    with resumable() as kept:
        kept.begin("name")
        assert (kept.run_id, kept.checkpoints(KNOBS).read()) == ("run1", None)
