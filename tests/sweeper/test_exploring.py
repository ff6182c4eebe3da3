"""``assay run -m hydra/sweeper=assay``: the engine of the search stage behind another door."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.sweeper.apps import results
from tests.sweeper.conftest import QUICK, Assay, runs

from assay.cli.use import command as use
from assay.errors import ConfigError, TrackingError

SWEEP = ("-m", "hydra/sweeper=assay")
SPACE = ("training.lr=tag(log, interval(1e-4, 1e-1))", "model.width=interval(4, 8)")


def test_a_search_is_a_tree_that_goes_on_and_can_be_repeated(run: Assay, project: Path) -> None:
    words = (*SWEEP, *QUICK, *SPACE, "hydra.sweep.dir=swept")
    first = run(*words, "hydra.sweeper.n_trials=2")
    parent, *before = first
    assert parent.data.tags["assay.kind"] == "sweep"
    assert [t.info.run_name for t in before] == ["trial 000", "trial 001"]
    added = run(*words, "hydra.sweeper.n_trials=3")
    assert [t.info.run_name for t in added] == ["trial 002"]
    trials = [*before, *added]
    assert {t.data.tags["mlflow.parentRunId"] for t in trials} == {parent.info.run_id}
    assert {t.info.status for t in (parent, *trials)} == {"FINISHED"}
    assert all(t.data.params["model.width"].isdecimal() for t in trials)
    complete = [t for t in trials if "objective" in t.data.metrics]
    best = min(complete, key=lambda t: t.data.metrics["objective"])
    found = results(project / "swept")
    assert found["best_value"] == best.data.metrics["objective"]
    assert found["best_params"]["model.width"] == int(best.data.params["model.width"])
    assert sorted(p.name for p in (project / "swept").iterdir() if p.is_dir()) == list("012")
    # What MLflow shows of a trial is all that it takes to have it again, to the last bit.
    (alone,) = run(*shlex.split(best.data.tags["overrides"]))
    assert alone.data.metrics["objective"] == best.data.metrics["objective"]
    # The same seed, from the first trial to the last: the same trials.
    again = run(
        *words[:-1],
        "hydra.sweep.dir=other",
        "hydra.sweeper.study_name=other",
        "hydra.sweeper.n_trials=3",
    )
    assert [t.data.tags["overrides"] for t in again[1:]] == [
        t.data.tags["overrides"] for t in trials
    ]
    _use(project, parent.info.run_id, number=None, trial=best)
    _use(project, parent.info.run_id, number=1, trial=trials[1])
    with pytest.raises(TrackingError, match="has no trial 7"):
        use.main(args=[f"sweep:{parent.info.run_id}/7"], standalone_mode=False)


def _use(project: Path, run_id: str, *, number: int | None, trial) -> None:
    file = project / "params.yaml"
    before = file.read_text()
    name = f"sweep:{run_id[:8]}" + ("" if number is None else f"/{number}")
    shown = CliRunner().invoke(use, [name], standalone_mode=False)
    assert shown.exception is None
    settings = yaml.safe_load(file.read_text())["set"]
    file.write_text(before)
    assert settings["training"]["lr"] == float(trial.data.params["training.lr"])
    assert settings["model"] == {"width": int(trial.data.params["model.width"])}
    assert "space" not in settings.get("search", {})  # what is settled is not searched again
    assert f"+    lr: {trial.data.params['training.lr']}" in shown.output


def test_groups_are_parameters_and_their_keys_exist_beside_them(run: Assay, project: Path) -> None:
    words = (
        "training.max_epochs=1",
        "training.threads=1",
        "search=random",
        "search.costs=[parameters]",
    )
    space = ("model=mlp,gru", "model.units=choice(4, 6)", "model.dropout=interval(0, 0.5)")
    parent, *trials = run(
        *SWEEP, *words, *space, "hydra.sweeper.n_trials=6", "hydra.sweep.dir=groups"
    )
    assert parent.info.status == "FINISHED"
    assert {t.data.tags["model"] for t in trials} == {"mlp", "gru"}
    for trial in trials:
        assert ("model.units" in trial.data.params) == (trial.data.tags["model"] == "gru")
        assert f"model={trial.data.tags['model']}" in trial.data.tags["overrides"]
    solutions = results(project / "groups")["solutions"]
    file = project / "params.yaml"
    params = file.read_text()
    CliRunner().invoke(use, [f"sweep:{parent.info.run_id}"], standalone_mode=False)
    settings = yaml.safe_load(file.read_text())["set"]
    file.write_text(params)
    assert settings["search"] == {"costs": ["parameters"]}  # an option settles none of its keys
    assert "dropout" in settings["model"]
    fewest = min(trial.data.metrics["parameters"] for trial in trials)
    assert fewest in {solution["values"][1] for solution in solutions}
    option = project / "conf/model/gru.yaml"
    before = option.read_text()
    option.write_text(before.replace("layers: 1", "layers: 2"))
    other, *_ = run(*SWEEP, *words, *space, "hydra.sweeper.n_trials=1")
    option.write_text(before)
    assert other.data.tags["study"] != parent.data.tags["study"], "another gru is another search"


def test_the_total_may_be_said_as_of_the_stage_and_a_difference_is_told_by_its_key(
    run: Assay,
) -> None:
    words = (*SWEEP, *QUICK, SPACE[0], "search=random", "search.study=named")
    parent, *_ = run(*words, "search.trials=1")
    added = run(*words, "search.trials=2", "search.retries=1")
    assert [t.info.run_name for t in added] == ["trial 001"]
    assert added[0].data.tags["mlflow.parentRunId"] == parent.info.run_id
    with pytest.raises(ConfigError) as caught:
        run(*words, "search.trials=2", "training.batch_size=32")
    assert caught.value.problems[1:-1] == ("training.batch_size: was 64, is now 32",)


def test_workers_are_processes_that_share_the_trials(run: Assay) -> None:
    words = ("training.max_epochs=1", *QUICK[2:], "model=mlp", "training.lr=interval(0.001, 0.1)")
    words += ("search.warm=[{training:{lr:0.0625}}]",)
    parent, *trials = run(*SWEEP, *words, "hydra.sweeper.n_jobs=2", "hydra.sweeper.n_trials=4")
    assert [t.info.run_name for t in sorted(trials, key=lambda t: t.info.run_name)] == [
        f"trial {number:03d}" for number in range(4)
    ]
    assert {t.info.status for t in (parent, *trials)} == {"FINISHED"}
    warm = next(t for t in trials if t.info.run_name == "trial 001")
    assert float(warm.data.params["training.lr"]) == 0.0625


BAD = {
    "an unknown key": (["training.lrr=interval(0, 1)"], "did you mean 'training.lr'?"),
    "a key of no option": (
        ["model=mlp,gru", "model.widht=choice(1, 2)"],
        "model.widht: there is no such",
    ),
    "a word for a number": (["model.activation=interval(0, 1)"], "the value is no number ('relu')"),
    "a value that does not fit": (["model.activation=choice(relu, rely)"], "did you mean 'relu'?"),
    "an empty interval": (["training.lr=interval(1, 0)"], "the interval from 1 to 0 is empty"),
    "the data": (["data=digits,breast_cancer"], "data: scores on different data"),
    "the seed": (["seed=0,1"], "seed: the best of several seeds is luck"),
    "a model that cannot": (
        ["data=breast_cancer", "model=mlp,cnn"],
        "with model=cnn: model: 'cnn'",
    ),
    "a direction": (
        ["training.lr=interval(0.1, 1)", "hydra.sweeper.direction=maximize"],
        "log_loss is to minimize",
    ),
    "several directions": (
        ["training.lr=interval(0.1, 1)", "hydra.sweeper.direction=[minimize,minimize]"],
        "name further objectives in search.costs",
    ),
    "a warm start": (
        ["training.lr=interval(0.1, 1)", "search.warm=[{training:{lr:2}}]"],
        "search.warm.0.training.lr: 2 lies outside the space",
    ),
    "an earlier study": (
        ["training.lr=interval(0.1, 1)", "hydra.sweeper.warm_study=before"],
        "search.warm_study: there is no study 'before'",
    ),
    "nothing to try": ([], "is empty"),
    "code": (
        ["training.lr=interval(0.1, 1)", "hydra.sweeper.custom_search_space=os.system"],
        "Hydra's own parts",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_before_any_trial(run: Assay, project: Path, case: str) -> None:
    words, message = BAD[case]
    model = () if any(w.startswith("model=") for w in words) else ("model=mlp",)
    with pytest.raises(ConfigError) as caught:
        run(*SWEEP, *model, *words)
    assert message in str(caught.value)
    assert not [r for r in runs(project) if r.info.status == "RUNNING"]
