"""The stage ``search``: what it writes, what it tracks, how it resumes, what it refuses."""

import dataclasses
import json
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from tests.sealed import seal

from assay.artifacts.files import digest, read_json
from assay.data.breast_cancer import BreastCancer
from assay.errors import ConfigError, Terminated, TrainingError
from assay.pipeline.searching import trials as trials_of_workers
from assay.split.prepare import prepare
from assay.stages import search
from assay.stages.search import Params
from assay.training.checkpoint import Checkpoints
from assay.training.knobs import Checkpointing, Training
from assay.tuning.knobs import Search

SPACE = {
    "model": {"width": "choice(4, 8)"},
    "training": {"lr": "tag(log, interval(1e-3, 1e-2))"},
}
MODEL = {
    "_target_": "assay.model.mlp.Mlp",
    "width": 8,
    "depth": 1,
    "activation": "relu",
    "normalisation": "none",
    "dropout": 0.0,
    "residual": False,
}
BEST, TRIALS = Path("artifacts/search/best.json"), Path("artifacts/search/trials.csv")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    prepare(BreastCancer(), folder=folder)
    return folder


@pytest.fixture
def project(prepared, empty_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(empty_home, tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("artifacts").mkdir()
    Path("artifacts/prepare").mkdir()
    for name in ("train", "valid", "spec.json"):
        Path("artifacts/prepare", name).symlink_to(prepared / name)
    seal()
    return tmp_path


def params(**knobs):
    training = dataclasses.asdict(Training(max_epochs=2, threads=1))
    space = knobs.pop("space", SPACE)
    knobs = {"trials": 3, "pruner": "none", "repeats": 0, **knobs}
    return Params(model=MODEL, training=training, search=Search(space=space, **knobs), seed=0)


@pytest.fixture
def quick(monkeypatch):
    """Stand in for a fit: the objective is a function of the values, five epochs long."""

    def quick(inputs, *, model, training, seed, on_epoch, kept):
        value = abs(training.lr - 0.003) + model.width / 100
        for epoch in range(1, 6):
            on_epoch(epoch, {"valid_log_loss": value + 1 / epoch, "train_loss": value})
        fit = type("Fit", (), {"best_epoch": 5})
        known = {"value": value, "error": 0.0, "metrics": {"log_loss": value}, "fit": fit}
        known |= {"network": None}
        return type("Outcome", (), known)

    monkeypatch.setattr(trials_of_workers, "try_candidate", quick)
    return quick


def runs(stage="search"):
    client = mlflow.MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    by_name = {run.info.run_name: run for run in found}
    run_id = read_json(Path("artifacts/search/run.json"))["run_id"] if stage else None
    return by_name, [r for r in found if r.data.tags.get("mlflow.parentRunId") == run_id]


def this_run():
    client = mlflow.MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")
    return client.get_run(read_json(Path("artifacts/search/run.json"))["run_id"])


def test_real_fits_are_repeated_byte_for_byte(project):
    search.run(params(trials=2))
    first = digest(TRIALS), digest(BEST)
    for file in Path("home").glob("study.db*"):
        file.unlink()
    search.run(params(trials=2))
    assert (digest(TRIALS), digest(BEST)) == first
    trials = pd.read_csv(TRIALS)
    assert list(trials.state) == ["complete"] * 2
    assert list(trials.epochs) == [2, 2]
    best = trials.loc[trials.value.idxmin()]
    assert read_json(BEST) == {
        "model.width": int(best["model.width"]),
        "training.lr": float(best["training.lr"]),
    }


def test_no_search_writes_an_empty_best_and_no_study(project, caplog):
    caplog.set_level("INFO", logger="assay")
    search.run(params(trials=0, space={}))
    assert "no search is asked for" in caplog.text
    assert BEST.read_text() == "{}\n"
    assert list(pd.read_csv(TRIALS).columns)[:3] == ["number", "state", "value"]
    assert not Path("home/study.db").exists()


def test_each_trial_is_a_child_run_with_its_values_epochs_and_status(project, quick, monkeypatch):
    def some_fail(inputs, **knobs):
        if knobs["training"].lr > 0.005:
            raise TrainingError("the training loss is nan in epoch 1")
        return quick(inputs, **knobs)

    monkeypatch.setattr(trials_of_workers, "try_candidate", some_fail)
    search.run(params(trials=12, sampler="random", pruner="median", startup_trials=1))
    by_name, children = runs()
    trials = pd.read_csv(TRIALS)
    assert {"complete", "pruned"} == set(trials.state)
    assert len(children) == 12
    for trial in trials.itertuples(index=False):
        run = by_name[f"trial {trial.number:03d}"]
        assert run.info.status == "FINISHED"
        assert ("pruned" in run.data.tags) == (trial.state == "pruned")
        assert float(run.data.params["training.lr"]) == trial[trials.columns.get_loc("training.lr")]
        assert run.data.params["seed"] == "0"
        if trial.state == "complete":
            assert run.data.metrics["best_valid_log_loss"] == trial.value
    assert "nan in epoch 1" in "".join(trials.reason.dropna())
    stage = by_name["search"]
    client = mlflow.MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")
    pictures = client.list_artifacts(stage.info.run_id, "plots")
    assert [a.path for a in pictures] == ["plots/search.html", "plots/search.png"]
    assert stage.data.metrics["trials_pruned"] == (trials.state == "pruned").sum()
    assert stage.data.metrics["best_valid_log_loss"] == trials.value.min()


def test_a_trial_that_fails_leaves_its_traceback_and_the_search_goes_on(
    project, quick, monkeypatch
):
    def some_fail(inputs, **knobs):
        if knobs["model"].width == 4:
            raise ZeroDivisionError("division by zero")
        return quick(inputs, **knobs)

    monkeypatch.setattr(trials_of_workers, "try_candidate", some_fail)
    search.run(params(sampler="grid", trials=4, space={"model": {"width": "choice(4, 8, 16)"}}))
    trials = pd.read_csv(TRIALS)
    assert list(trials.state) == ["failed", "complete", "complete"]
    assert trials.reason[0] == "ZeroDivisionError: division by zero"
    run = runs()[0]["trial 000"]
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "ZeroDivisionError: division by zero"
    text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/traceback.txt")
    assert "in some_fail" in text


def test_of_several_objectives_a_rule_picks_the_cheap_one_of_those_as_good(project):
    space = {"model": {"width": "choice(4, 8, 64)"}}
    knobs = {"sampler": "grid", "costs": ("parameters", "latency_ms"), "margin": 1000.0}
    search.run(params(trials=3, space=space, rule="within_error", **knobs))
    trials = pd.read_csv(TRIALS)
    assert list(trials["model.width"]) == [4, 8, 64]
    assert trials.parameters.is_monotonic_increasing
    assert (trials.latency_ms > 0).all()
    assert read_json(BEST) == {"model.width": 4}
    assert this_run().data.metrics["best_valid_parameters"] == trials.parameters[0]
    search.run(params(trials=3, space=space, rule="first", **{**knobs, "margin": 0.0}))
    assert read_json(BEST) == {"model.width": trials["model.width"][trials.value.idxmin()]}


def test_a_warm_start_tries_given_settings_and_the_best_of_an_earlier_study(project, quick):
    search.run(params(study="first", trials=4))
    best = pd.read_csv(TRIALS).nsmallest(1, "value").iloc[0]
    given = ({"model": {"width": 4}, "training": {"lr": 0.002}},)
    warm = {"warm": given, "warm_study": "first", "warm_trials": 1}
    search.run(params(study="second", trials=3, **warm))
    trials = pd.read_csv(TRIALS)
    assert list(trials["training.lr"]) == [0.003, 0.002, best["training.lr"]]
    with pytest.raises(ConfigError, match=r"search\.warm\.0\.training\.lr: 9 lies outside"):
        search.run(params(warm=({"training": {"lr": 9}},)))


def test_another_search_under_the_same_name_is_refused_with_the_settings_that_differ(
    project, quick
):
    search.run(params(study="mine"))
    other = params(study="mine")
    with pytest.raises(ConfigError, match=r"model\.depth: was 1, is now 2"):
        search.run(dataclasses.replace(other, model={**MODEL, "depth": 2}))


def test_an_interrupted_search_goes_on_and_says_so(project, quick, monkeypatch):
    search.run(params(trials=5))
    whole = TRIALS.read_bytes()
    for file in Path("home").glob("study.db*"):
        file.unlink()
    calls = []

    def interrupted(inputs, **knobs):
        calls.append(knobs)
        if len(calls) == 3:
            raise Terminated
        return quick(inputs, **knobs)

    monkeypatch.setattr(trials_of_workers, "try_candidate", interrupted)
    BEST.unlink()
    with pytest.raises(Terminated):
        search.run(params(trials=5))
    assert not BEST.exists()
    monkeypatch.setattr(trials_of_workers, "try_candidate", quick)
    search.run(params(trials=5))
    assert TRIALS.read_bytes() == whole
    _, children = runs()
    assert len(children) == 3
    assert this_run().data.tags["resumed"].startswith("2 of the trials")
    every, _ = _all_runs()
    assert [r.info.status for r in every if r.info.run_name == "trial 002"] == ["FINISHED"] * 2


def _all_runs():
    client = mlflow.MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")
    return client.search_runs([e.experiment_id for e in client.search_experiments()]), client


class Killed(BaseException):
    """Stands for a kill that comes right after a checkpoint."""


def test_a_trial_that_was_cut_off_goes_on_within_its_epochs_and_its_run(
    project, monkeypatch, caplog
):
    every_step = dataclasses.asdict(Checkpointing(every_steps=1, every_seconds=None))
    started = params(trials=2)
    started = dataclasses.replace(started, training={**started.training, "checkpoint": every_step})
    search.run(started)
    whole = TRIALS.read_bytes(), BEST.read_bytes()
    for file in Path("home").glob("study.db*"):
        file.unlink()
    before = {run.info.run_id for run in _all_runs()[0]}

    write, left = Checkpoints.write, iter(range(10, 0, -1))

    def deadly(self, state, *, step):
        write(self, state, step=step)
        if next(left) == 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", deadly)
        with pytest.raises(Killed):
            search.run(started)
    caplog.set_level("INFO", logger="assay")
    search.run(started)
    assert "going on after epoch 1 and 4 of the next one's 6 batches" in caplog.text
    assert (TRIALS.read_bytes(), BEST.read_bytes()) == whole
    assert not list(Path("home/checkpoints").iterdir())
    found, client = _all_runs()
    new = [r for r in found if r.info.run_id not in before and r.info.run_name.startswith("trial")]
    assert sorted(r.info.run_name for r in new) == ["trial 000", "trial 001"]
    assert {r.info.status for r in new} == {"FINISHED"}
    for run in new:
        history = client.get_metric_history(run.info.run_id, "train_loss")
        assert [metric.step for metric in history] == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: dataclasses.replace(p, seed=1),
        lambda p: dataclasses.replace(p, model={**p.model, "depth": 2}),
        lambda p: dataclasses.replace(p, training={**p.training, "max_epochs": 3}),
        lambda p: dataclasses.replace(p, search=dataclasses.replace(p.search, sampler="random")),
    ],
)
def test_whatever_a_trial_depends_on_names_another_study(project, change):
    assert search._study_name(params()) == search._study_name(params(trials=9, timeout_minutes=1))
    assert search._study_name(change(params())) != search._study_name(params())


def test_changed_data_begin_a_new_study(project, quick):
    search.run(params())
    spec = Path("artifacts/prepare/spec.json")
    changed = {**json.loads(spec.read_text()), "train_rows": 1}
    spec.unlink()
    spec.write_text(json.dumps(changed))
    seal("prepare")
    search.run(params())
    assert len(runs()[1]) == 3


def test_a_larger_total_runs_only_what_is_missing(project, quick):
    search.run(params(trials=3))
    search.run(params(trials=5))
    assert len(runs()[1]) == 2
    assert len(pd.read_csv(TRIALS)) == 5


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"training": {"lrr": "interval(0, 1)"}}, r"training\.lrr: names no key.*training\.lr"),
        ({"model": "choice(mlp, cnn)"}, "never changes a group"),
        ({"training": {"lr": "interval(0.1, 0.1)"}}, "is empty"),
        ({"training": {"lr": "interval(-1, 0.1)"}}, r"search\.space\.training\.lr: .*greater"),
        ({"model": {"activation": "choice(relu, rleu)"}}, r"activation.*'rleu'"),
        ({}, r"search\.space: is empty"),
    ],
)
def test_a_bad_space_is_refused_before_any_trial(project, quick, space, message):
    with pytest.raises(ConfigError, match=message):
        search.run(params(space=space))
    by_name, _ = runs(stage=None)
    assert by_name["search"].info.status == "FAILED"
    assert not any(name.startswith("trial") for name in by_name)
    assert not BEST.exists()
