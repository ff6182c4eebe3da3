"""An application of one's own: one word of its configuration is changed, from optuna to assay."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.sweeper.apps import (
    CONF,
    broken,
    layered,
    reporting,
    results,
    sphere,
    start,
    trials,
    two,
)

from assay.errors import ConfigError, TrainingError


def test_the_best_of_all_jobs_is_written_down(tmp_path: Path) -> None:
    folder = start(sphere, tmp_path, "z=2")
    found = trials(folder)
    assert len(found) == 5
    assert all(trial["z"] == 2 and trial["y"] in (-5, 0, 5) for trial in found)
    values = [trial["x"] ** 2 + trial["y"] ** 2 + 2 for trial in found]
    best = found[values.index(min(values))]
    assert results(folder) == {
        "name": "optuna",
        "best_params": {"x": best["x"], "y": best["y"]},
        "best_value": min(values),
    }


def test_the_form_is_that_of_the_optuna_sweeper(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    conf = CONF.replace("sweeper: assay", "sweeper: optuna")
    for task in (sphere, two):
        words = ["hydra.sweeper.direction=[minimize,minimize]"] if task is two else []
        ours = results(start(task, tmp_path / "a", *words))
        theirs = results(start(task, tmp_path / "b", *words, conf=conf))
        assert list(ours) == list(theirs)
        if task is two:
            assert ours["solutions"][0].keys() == theirs["solutions"][0].keys()
        else:
            assert ours["best_params"].keys() == theirs["best_params"].keys()


def test_a_second_start_finishes_what_is_missing(tmp_path: Path) -> None:
    storage = f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db"
    first = start(sphere, tmp_path, storage, "hydra.sweeper.n_trials=3")
    before = trials(first)
    # Hydra's default folder has the time in its name: the trials stay together all the same.
    again = [storage, "hydra.sweeper.n_trials=5", f"++hydra.sweep.dir={tmp_path}/later"]
    conf = CONF.replace("hydra:\n", f"hydra:\n  sweep: {{dir: {tmp_path}/later}}\n")
    start(sphere, tmp_path, *again[:2], conf=conf)
    assert len(before) == 3
    after = trials(first)
    assert after[:3] == before and len(after) == 5
    whole = trials(start(sphere, tmp_path, f"hydra.sweep.dir={tmp_path}/whole"))
    assert after == whole  # the same seed: the same trials, however often it was cut off


def test_settings_known_to_be_good_and_those_of_an_earlier_study_come_first(tmp_path: Path) -> None:
    words = [f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db", "hydra.sweeper.n_trials=3"]
    params = {"x": "interval(-5, 5)", "+w": "choice(a, b)"}
    first = trials(
        start(sphere, tmp_path, *words, "hydra.sweeper.warm=[{x:0,w:b},{x:4.5}]", params=params)
    )
    assert first[0] == {"x": 0, "+w": "b"}
    assert first[1]["x"] == 4.5
    best = sorted(first, key=lambda trial: abs(trial["x"]))[:2]
    words += ["hydra.sweeper.study_name=later", "hydra.sweeper.warm_study=sphere"]
    words += ["hydra.sweeper.warm_trials=2", f"hydra.sweep.dir={tmp_path}/later"]
    assert trials(start(sphere, tmp_path, *words, params=params))[:2] == best


def test_another_question_to_a_kept_study_is_refused(tmp_path: Path) -> None:
    storage = f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db"
    start(sphere, tmp_path, storage, "hydra.sweeper.n_trials=1")
    with pytest.raises(ConfigError, match=r"- x: was Float.*high=5.0.*is now"):
        start(sphere, tmp_path, storage, params={"y": "choice(-5, 0, 5)", "x": "interval(0, 1)"})


def test_several_objectives_give_a_front(tmp_path: Path) -> None:
    words = ["hydra.sweeper.direction=[minimize,maximize]", "hydra/sweeper/sampler=random"]
    folder = start(two, tmp_path, *words, params={"x": "interval(-1, 2)"})
    solutions = results(folder)["solutions"]
    points = [(t["x"] ** 2, -((t["x"] - 1) ** 2)) for t in trials(folder)]
    beaten = [p for p in points if any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)]
    assert sorted(s["params"]["x"] for s in solutions) == sorted(
        t["x"] for t, p in zip(trials(folder), points, strict=True) if p not in beaten
    )


@pytest.mark.parametrize("sampler", ["cmaes", "qmc"])
def test_a_sampler_is_chosen_as_a_group(tmp_path: Path, sampler: str) -> None:
    words = [f"hydra/sweeper/sampler={sampler}", "hydra.sweeper.sampler.seed=7"]
    params = {"x": "interval(-5, 5)", "y": "interval(-5, 5)"}
    found = trials(start(sphere, tmp_path, *words, params=params))
    assert len({trial["x"] for trial in found}) == 5


def test_a_grid_has_every_setting_once(tmp_path: Path) -> None:
    words = ["hydra/sweeper/sampler=grid", "hydra.sweeper.n_trials=20"]
    found = trials(start(sphere, tmp_path, *words, params={"x": "range(0,3)", "y": "choice(4, 5)"}))
    assert sorted((t["x"], t["y"]) for t in found) == [(x, y) for x in range(3) for y in (4, 5)]


def test_lists_and_keys_with_values_are_choices_as_of_the_optuna_sweeper(tmp_path: Path) -> None:
    conf = CONF + "layers: 0\n"
    params = {"layers": "choice([8,'a,b'],{width:[4]},16)"}
    grid = ("hydra/sweeper/sampler=grid", "hydra.sweeper.n_trials=9")
    folder = start(layered, tmp_path, *grid, params=params, conf=conf)
    composed = [(folder / f"{n}" / ".hydra" / "config.yaml").read_text() for n in range(3)]
    assert [yaml.safe_load(config)["layers"] for config in composed] == [
        [8, "a,b"],
        {"width": [4]},
        16,
    ]
    assert results(folder) == {
        "name": "optuna",
        "best_params": {"layers": "[8,'a,b']"},
        "best_value": -2.0,
    }


def test_the_space_is_extended_by_a_function(tmp_path: Path) -> None:
    word = "hydra.sweeper.custom_search_space=tests.sweeper.apps.extended"
    found = trials(start(sphere, tmp_path, word, params={"x": "interval(0.5, 4.5)"}))
    assert all(abs(t["y"] - t["x"]) <= 1 and t["+w"] in range(4) for t in found)
    with pytest.raises(
        (ConfigError, TrainingError), match="it suggests y, which an override fixes"
    ):
        start(sphere, tmp_path, word, "y=3", params={"x": "interval(0.5, 4.5)"})


def test_conditions_leave_a_parameter_out(tmp_path: Path) -> None:
    params = {"y": "choice(0, 5)", "+v": "tag(y:5, interval(0, 1))"}
    found = trials(start(sphere, tmp_path, params=params))
    assert {t["y"] for t in found} == {0, 5}
    assert all(("+v" in t) == (t["y"] == 5) for t in found)


def test_failures_are_borne_up_to_a_share(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="RuntimeError: x is positive"):
        start(broken, tmp_path)
    folder = start(broken, tmp_path, "hydra.sweeper.max_failure_rate=1")
    lowest = min(t["x"] for t in trials(folder))
    assert results(folder)["best_value"] == lowest


def test_a_job_that_reports_is_pruned(tmp_path: Path) -> None:
    words = ["hydra.sweeper.pruner=median", "hydra.sweeper.n_trials=12"]
    logs = start(reporting, tmp_path, *words, f"hydra.sweeper.storage=sqlite:///{tmp_path}/s.db")
    states = subprocess.run(
        [sys.executable, "-c", _STATES, f"sqlite:///{tmp_path}/s.db"],
        capture_output=True,
        text=True,
    ).stdout.split()
    assert len(states) == 12 and {"COMPLETE", "PRUNED"} == set(states)
    assert results(logs)["best_value"] == min(t["x"] for t in trials(logs))


_STATES = """
import sys, optuna
study = optuna.load_study(study_name="sphere", storage=sys.argv[1])
print(*[t.state.name for t in study.trials])
"""

BAD = {
    "no trials": (["hydra.sweeper.n_trials=0"], "n_trials: expected a whole number above 0, got 0"),
    "a direction": (["hydra.sweeper.direction=up"], "expected minimize or maximize, got 'up'"),
    "a pruner": (["hydra.sweeper.pruner=medain"], "did you mean 'median'?"),
    "a sampler's knob": (["++hydra.sweeper.sampler.sede=1"], "sede"),
    "an interval": (["x=interval(2, 1)"], "x: the interval from 2 to 1 is empty"),
    "a key": (["w=interval(0, 1)"], "w: there is no such key; there is: x, y, z"),
    "a function": (
        ["hydra.sweeper.custom_search_space=no.such"],
        "hydra.sweeper.custom_search_space: Error locating target 'no.such'",
    ),
    "a grid": (
        ["hydra/sweeper/sampler=grid", "x=interval(0, 1)"],
        "- x: a grid needs choice(...) or range(...)",
    ),
    "a storage": (
        ["hydra.sweeper.storage=mysql://h/d"],
        "hydra.sweeper.storage: expected sqlite:///FILE, or postgresql",
    ),
    "a warm start": (["hydra.sweeper.warm=[{z:1}]"], "hydra.sweeper.warm.0.z: is not searched"),
    "no settings": (["hydra.sweeper.warm={x:1}"], "warm: expected a list of settings such as"),
    "no study": (["hydra.sweeper.warm_study=s"], "hydra.sweeper.warm_study: there is no study 's'"),
    "a condition": (["x=tag(q:1, interval(0, 1))"], "its condition on q names no key"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_before_any_job(tmp_path: Path, case: str) -> None:
    words, message = BAD[case]
    with pytest.raises(ConfigError) as caught:
        start(sphere, tmp_path, *words)
    assert message in str(caught.value)
    assert not [p for p in tmp_path.glob("sweep/*") if p.name.isdigit()]


def test_an_application_shows_the_message_alone(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(CONF)
    (tmp_path / "app.py").write_text(_SCRIPT)
    words = [sys.executable, "app.py", "-m", "x=interval(2, 1)"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "the configuration has 1 problem:",
        "  - x: the interval from 2 to 1 is empty",
    ]


_SCRIPT = """
import os, hydra

@hydra.main(config_path=".", config_name="app")
def main(cfg):
    print("job in", os.getpid(), flush=True)
    return float(cfg.x ** 2)

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_jobs_run_in_processes_of_the_launcher(tmp_path: Path, launcher: str) -> None:
    conf = yaml.safe_load(CONF)
    conf["hydra"]["sweeper"]["params"] = {"x": "interval(-3, 3)"}
    (tmp_path / "app.yaml").write_text(yaml.safe_dump(conf, sort_keys=False))
    (tmp_path / "app.py").write_text(_SCRIPT)
    words = ["-m", f"hydra/launcher={launcher}", "hydra.sweeper.n_jobs=2", "hydra.sweep.dir=out"]
    done = subprocess.run(
        [sys.executable, "app.py", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = trials(tmp_path / "out")
    assert len(found) == 5
    assert results(tmp_path / "out")["best_value"] == min(t["x"] ** 2 for t in found)
    said = {line for line in done.stdout.splitlines() if line.startswith("job in")}
    assert launcher == "submitit_local" or len(said) in (1, 2)


_DEADLY = """
import os, signal
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=".", config_name="app")
def main(cfg):
    number, place = HydraConfig.get().job.num, Path(__file__).parent
    with (place / "begun").open("a") as begun:
        begun.write(f"{number} {cfg.x}\\n")
    if number == 1 and not (place / "died").exists():
        (place / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return float(cfg.x ** 2)

if __name__ == "__main__":
    main()
"""


def test_a_sweep_that_was_killed_runs_what_is_missing_with_the_same_values(tmp_path: Path) -> None:
    conf = yaml.safe_load(CONF)
    conf["hydra"]["sweeper"] |= {"params": {"x": "interval(-3, 3)"}, "n_trials": 3}
    conf["hydra"]["sweeper"]["storage"] = f"sqlite:///{tmp_path}/study.db"
    (tmp_path / "app.yaml").write_text(yaml.safe_dump(conf, sort_keys=False))
    (tmp_path / "app.py").write_text(_DEADLY)
    command = [sys.executable, "app.py", "-m", f"hydra.sweep.dir={tmp_path}/out"]
    killed, done = (
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        for _ in range(2)
    )
    assert (killed.returncode, done.returncode) == (-signal.SIGKILL, 0), done.stderr
    begun = [line.split() for line in (tmp_path / "begun").read_text().splitlines()]
    assert [number for number, _ in begun] == ["0", "1", "1", "2"]
    assert begun[1] == begun[2]
    assert [str(trial["x"]) for trial in trials(tmp_path / "out")] == [
        x for _, x in (begun[0], *begun[2:])
    ]
