"""The engine: totals, resuming, pruning, failures, and the same trials for the same seed."""

import math
import multiprocessing
import os
import signal
import time
from contextlib import nullcontext

import optuna
import pytest
from tests.tuning.bowl import SPACE, bowl

from assay.errors import ArtifactError, ConfigError, Terminated, TrackingError, TrainingError
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.study import Pruned, Score, search


def drawn(result):
    return [(t.number, t.state, t.value, t.values) for t in result.trials]


def test_runs_the_total_and_names_the_best(start):
    result = start()
    assert [t.number for t in result.trials] == list(range(8))
    assert result.best.value == min(t.value for t in result.trials)
    assert result.fresh == 8
    assert all(isinstance(t.values["model.width"], int) for t in result.trials)
    assert all(1e-4 <= t.values["training.lr"] <= 1e-1 for t in result.trials)


def test_the_best_of_maximize_is_the_largest(start):
    result = start(directions=("maximize",))
    assert result.best.value == max(t.value for t in result.trials)


def test_no_trials_ask_for_nothing(start, tmp_path):
    assert start(trials=0, space={}).best is None
    assert [f.name for f in tmp_path.iterdir()] == ["study.db"]


@pytest.mark.parametrize(
    ("sampler", "pruner"),
    [
        ("tpe", "none"),
        ("tpe", "median"),
        ("random", "hyperband"),
        ("random", "halving"),
        ("random", "wilcoxon"),
    ],
)
def test_same_seed_same_trials(start, tmp_path, sampler, pruner):
    def run(values, report, number):
        for epoch in range(4):
            report(epoch, bowl(values, report, number) / (epoch + 1))
        return bowl(values, report, number)

    knobs = {"sampler": sampler, "pruner": pruner, "trials": 10}
    one = start(run, **knobs)
    again = start(run, storage=tmp_path / "other.db", **knobs)
    other = start(run, storage=tmp_path / "third.db", seed=1, **knobs)
    assert drawn(one) == drawn(again)
    assert drawn(one) != drawn(other)


def test_another_seed_of_the_draws_leaves_that_of_the_trials(start, tmp_path):
    one = start(trials=2, sampler="random", seed=3)
    other = start(trials=2, sampler="random", seed=3, draw_seed=4, storage=tmp_path / "other.db")
    assert drawn(one) != drawn(other)
    assert [t.seed for t in one.trials] == [t.seed for t in other.trials] == [3, 3]


def test_tpe_finds_more_than_its_first_draws(start):
    result = start(trials=30, startup_trials=5)
    assert min(t.value for t in result.trials[5:]) < min(t.value for t in result.trials[:5])


@pytest.mark.parametrize("signal_raised", [KeyboardInterrupt, Terminated, TrackingError])
@pytest.mark.parametrize("stop_at", [0, 5])
def test_an_interrupted_search_ends_as_if_it_had_not_been(start, tmp_path, stop_at, signal_raised):
    whole = start(storage=tmp_path / "whole.db")

    def interrupted(values, report, number):
        if number == stop_at:
            raise signal_raised
        return bowl(values, report, number)

    with pytest.raises(signal_raised):
        start(interrupted)
    resumed = start()
    assert resumed.fresh == 8 - stop_at
    assert drawn(resumed) == drawn(whole)


def _die_in_trial_3(folder):
    def run(draw, report):
        if draw.number == 3:
            report(0, 1.0)
            os.kill(os.getpid(), signal.SIGKILL)
        return Score(value=bowl(draw.values, report, draw.number))

    search(
        lambda share: nullcontext(run),
        problem=Problem(study="s", space=SPACE),
        knobs=Search(trials=8, pruner="none", repeats=0),
        storage=folder / "study.db",
    )


def test_a_killed_search_is_finished_and_nothing_stays_running(start, tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=_die_in_trial_3, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    resumed = start()
    assert resumed.fresh == 5
    assert drawn(resumed) == drawn(start(storage=tmp_path / "whole.db"))
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path / 'study.db'}")
    states = [t.state.name for t in study.trials]
    assert sorted(states) == ["COMPLETE"] * 8 + ["FAIL"]


def test_a_finished_search_runs_nothing_and_a_larger_total_only_the_rest(start):
    first = start()
    assert start().fresh == 0
    more = start(trials=10)
    assert more.fresh == 2
    assert drawn(more)[:8] == drawn(first)
    assert drawn(start(trials=8)) == drawn(first)


def test_a_losing_trial_is_pruned_and_is_never_the_best(start):
    seen = {}

    def run(values, report, number):
        for epoch in range(6):
            seen[number] = epoch
            report(epoch, 1.0 if number < 3 else 5.0)
        return 1.0

    knobs = {"startup_trials": 2, "warmup_epochs": 2, "hopeless": None}
    result = start(run, pruner="median", trials=5, **knobs)
    assert [t.state for t in result.trials] == ["complete"] * 3 + ["pruned"] * 2
    assert seen[3] == 2
    assert result.trials[3].value is None
    assert result.trials[3].curve == {0: 5.0, 1: 5.0, 2: 5.0}
    assert "epoch 2" in result.trials[3].reason


def test_the_prune_signal_passes_through_the_trial(start):
    caught = []

    def run(values, report, number):
        try:
            report(0, float(number))
        except Pruned as error:
            caught.append(number)
            raise error
        return float(number)

    start(run, pruner="median", startup_trials=1, warmup_epochs=0)
    assert caught


@pytest.mark.parametrize("failure", [TrainingError("the loss is nan"), math.nan, math.inf])
def test_a_diverged_trial_is_pruned_with_its_reason_and_the_search_goes_on(start, failure):
    def run(values, report, number):
        if number in (0, 4):
            if isinstance(failure, Exception):
                raise failure
            return failure
        return bowl(values, report, number)

    result = start(run)
    assert [t.number for t in result.trials if t.state == "pruned"] == [0, 4]
    assert result.trials[0].reason.startswith("diverged: ")
    assert "nan" in result.trials[0].reason or "inf" in result.trials[0].reason
    assert result.best.number not in (0, 4)
    assert start().fresh == 0


def test_when_every_trial_fails_one_error_says_so(start):
    def run(values, report, number):
        raise TrainingError("the loss is nan at epoch 1")

    with pytest.raises(TrainingError, match=r"none of the search's 8 trials.*nan at epoch 1"):
        start(run)


def test_no_trial_begins_after_the_timeout(start):
    def run(values, report, number):
        time.sleep(0.05)
        return 1.0

    result = start(run, timeout_minutes=0.04 / 60)
    assert 1 <= len(result.trials) < 8
    assert start().fresh == 8 - len(result.trials)


def test_an_empty_space_is_refused_before_any_trial(start):
    with pytest.raises(ConfigError, match=r"search\.space: is empty.*search: none"):
        start(space={})


def test_a_damaged_file_of_studies_is_named(start, tmp_path):
    (tmp_path / "study.db").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(ArtifactError, match=r"study\.db.*move it away"):
        start()


def _search_in(folder, ran):
    def run(draw, report):
        time.sleep(0.05)
        ran.append(draw.number)
        return Score(value=bowl(draw.values, report, draw.number))

    search(
        lambda share: nullcontext(run),
        problem=Problem(study="s", space=SPACE),
        knobs=Search(trials=6, pruner="none", repeats=0),
        storage=folder / "study.db",
    )


def test_two_processes_on_one_study_run_each_trial_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        ran = manager.list()
        both = [context.Process(target=_search_in, args=(tmp_path, ran)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join()
        assert [p.exitcode for p in both] == [0, 0]
        assert sorted(ran) == list(range(6))


KNOWN = {"training.lr": 1e-3, "model.width": 32, "model.activation": "relu", "training.seed": 1}


def test_known_values_are_the_first_trial(start):
    result = start(known=KNOWN)
    assert result.trials[0].values == {key: KNOWN[key] for key in SPACE}


@pytest.mark.parametrize(
    "outside", [{"model.width": 128}, {"training.lr": 1.0}, {"model.activation": "tanh"}]
)
def test_known_values_outside_the_space_are_left_alone(start, outside):
    result = start(known={**KNOWN, **outside})
    assert all(result.trials[0].values[key] != value for key, value in outside.items())


@pytest.mark.parametrize(("error", "number"), [(1.0, 0), (0.01, 3)])
def test_known_values_stay_unless_another_is_better_beyond_its_error(start, error, number):
    def run(values, report, number):
        return Score(value=1.0 - 0.1 * (number == 3), error=error)

    assert start(run, known=KNOWN).best.number == number
    assert start(run, known=KNOWN, margin=0.0).best.number == 3
