"""Workers that share one study: each trial once, whatever is killed."""

import signal
from multiprocessing import get_context

import optuna
import pytest
from tests.tuning.workers import PROBLEM, Noted

from assay.config.launch import launch_with
from assay.errors import ConfigError
from assay.tuning.knobs import Search
from assay.tuning.share import cores, share_of
from assay.tuning.study import search


def states(path, study="s"):
    found = optuna.load_study(study_name=study, storage=f"sqlite:///{path}")
    return [t.state.name for t in found.trials]


def test_two_workers_run_each_trial_once_and_a_killed_one_again_with_its_values(tmp_path):
    work = Noted(folder=tmp_path, deadly=(2,))
    knobs = Search(trials=10, pruner="none", workers=2, repeats=1, finalists=2)
    result = search(work, problem=PROBLEM, knobs=knobs, storage=tmp_path / "study.db")
    assert (result.total, result.again, result.again_ended, result.running) == (10, 2, 2, 0)
    assert [t.number for t in result.trials] == list(range(10))
    assert [t.state for t in result.trials] == ["complete"] * 10
    lines = work.lines()
    assert 2 <= len({line["pid"] for line in lines}) <= 3
    first = [line["number"] for line in lines if not line["repeat"]]
    assert sorted(first) == sorted([*range(10), 2])
    assert len({line["x"] for line in lines if line["number"] == 2 and not line["repeat"]}) == 1
    assert sorted(states(tmp_path / "study.db")) == ["COMPLETE"] * 10 + ["FAIL"]
    again = [line for line in lines if line["repeat"]]
    assert len(again) == 2
    assert {line["seed"] for line in again} == {1}
    assert sum(bool(t.repeats) for t in result.trials) == 2
    assert all(line["share"]["OMP_NUM_THREADS"] == "1" for line in lines)
    assert result.best.mean == min(t.mean for t in result.trials)


def test_a_trial_that_always_kills_its_worker_fails_and_the_search_ends(tmp_path):
    work = Noted(folder=tmp_path, deadly=(1,))
    knobs = Search(trials=3, pruner="none", retries=0, repeats=0, workers=2)
    result = search(work, problem=PROBLEM, knobs=knobs, storage=tmp_path / "study.db")
    assert [t.state for t in result.trials] == ["complete", "failed", "complete"]
    assert "its process died 1 times" in result.trials[1].reason


@pytest.mark.parametrize(
    ("launcher", "settings"),
    [("joblib", {"n_jobs": 2}), ("submitit_local", {"timeout_min": 10, "tasks_per_node": 1})],
)
def test_hydras_launchers_carry_workers_also_when_one_is_killed(tmp_path, launcher, settings):
    work = Noted(folder=tmp_path, deadly=(4,), seconds=0.3)
    result = search(
        work,
        problem=PROBLEM,
        knobs=Search(trials=8, pruner="none", workers=2, repeats=0),
        storage=tmp_path / "study.db",
        launch=launch_with(launcher, settings),
    )
    assert [t.state for t in result.trials] == ["complete"] * 8
    lines = work.lines()
    assert {line["number"] for line in lines} == set(range(8))
    assert len({(line["number"], line["x"]) for line in lines}) == 8
    assert len({line["pid"] for line in lines}) >= 2
    assert sorted(states(tmp_path / "study.db")).count("COMPLETE") == 8


def test_a_launcher_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"no launcher 'joblb'; did you mean 'joblib'"):
        launch_with("joblb", {})


def test_each_worker_has_a_gpu_of_several(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    shares = [share_of(i, Search(workers=3)).environment for i in range(3)]
    assert [s["CUDA_VISIBLE_DEVICES"] for s in shares] == ["4", "5", "4"]
    alone = share_of(0, Search(workers=1)).environment
    assert alone == {}


def test_a_search_that_was_killed_alone_is_gone_on_from_with_a_word(tmp_path, caplog):
    knobs = Search(trials=3, pruner="none", retries=1, repeats=0)
    arguments = {"problem": PROBLEM, "knobs": knobs, "storage": tmp_path / "study.db"}
    killed = get_context("spawn").Process(
        target=search, args=(Noted(folder=tmp_path, deadly=(1,)),), kwargs=arguments
    )
    killed.start()
    killed.join(timeout=60)
    assert killed.exitcode == -signal.SIGKILL
    with caplog.at_level("INFO"):
        result = search(Noted(folder=tmp_path), **arguments)
    assert f"process {killed.pid} on " in caplog.text
    assert "which was at it, has died: going on from there" in caplog.text
    assert [t.state for t in result.trials] == ["complete"] * 3


@pytest.mark.parametrize("launcher", ["processes", "joblib"])
def test_more_workers_than_cores_are_told_of_before_the_first_trial(tmp_path, caplog, launcher):
    work, workers = Noted(folder=tmp_path, seconds=0.0), cores() + 1
    knobs = Search(trials=1, pruner="none", repeats=0, workers=workers, launcher=launcher)
    launch = launch_with(launcher, {"n_jobs": workers} if launcher == "joblib" else {})
    with caplog.at_level("WARNING"):
        search(work, problem=PROBLEM, knobs=knobs, storage=tmp_path / "study.db", launch=launch)
    assert f"{workers} workers share {cores()} cores" in caplog.text
