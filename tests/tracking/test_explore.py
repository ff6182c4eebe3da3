from __future__ import annotations

import os

import pytest
from tests.tracking.recorded import ran

from assay.errors import TrackingError, TrainingError
from assay.tracking.explore import explore_run, sweep_run
from assay.tracking.find import children, find_run, latest

pytestmark = pytest.mark.usefixtures("home")
CONFIG = {"choices": {"model": "mlp"}, "training": {"lr": 0.1, "steps": [1, 2]}, "none": None}


def test_a_run_alone_keeps_its_configuration():
    with explore_run(name="mlp", parent=None, config=CONFIG, tags={"from": "demo"}) as tracked:
        tracked.log_metrics({"log_loss": 0.3})
    found = find_run(tracked.run_id[:10])
    assert (found.kind, found.status, found.parent) == ("run", "FINISHED", None)
    assert found.params == {
        "choices.model": "mlp",
        "training.lr": "0.1",
        "training.steps": "[1, 2]",
        "none": "",
    }
    assert found.tags["model"] == "mlp"
    assert found.tags["from"] == "demo"
    assert "lr: 0.1" in found.text("config.yaml")


def test_jobs_of_a_sweep_are_found_best_first():
    losses = {"a": 0.5, "b": 0.2, "c": None, "d": float("nan"), "e": 0.4}
    with sweep_run(name="which model") as sweep:
        assert os.environ["ASSAY_PARENT_RUN"] == sweep.run_id
        for name, loss in losses.items():
            with explore_run(name=name, parent=None, config={}) as job:
                job.log_metrics({} if loss is None else {"log_loss": loss})
    assert "ASSAY_PARENT_RUN" not in os.environ
    found = find_run(sweep.run_id, kinds=("sweep",))
    best = children(found, objective="log_loss", direction="minimize")
    assert [job.name for job in best][:3] == ["b", "e", "a"]
    worst = children(found, objective="log_loss", direction="maximize")
    assert [job.name for job in worst][:3] == ["a", "e", "b"]
    assert len(best) == 5
    assert [job.name for job in children(found, direction="minimize")] == list(losses)


def test_the_status_of_a_sweep_is_true():
    with pytest.raises(KeyboardInterrupt), sweep_run(name="x") as sweep:
        with pytest.raises(TrainingError), explore_run(name="j", parent=None, config={}) as job:
            raise TrainingError("diverged")
        raise KeyboardInterrupt
    assert find_run(sweep.run_id).status == "KILLED"
    assert find_run(job.run_id).status == "FAILED"
    assert find_run(job.run_id).parent == sweep.run_id


def test_a_stage_stays_below_its_row_within_a_sweep(monkeypatch):
    monkeypatch.setenv("ASSAY_PARENT_RUN", "f" * 32)
    with ran("train") as tracked:
        pass
    assert find_run(tracked.run_id).parent == latest(kind="pipeline")[0].run_id


def test_what_cannot_be_found_is_told_with_what_there_is():
    with explore_run(name="mlp", parent=None, config={}) as tracked:
        pass
    other = "0" if tracked.run_id[0] != "0" else "1"
    with pytest.raises(TrackingError, match=rf"no run '{other}'; .*{tracked.run_id[:12]} \(mlp\)"):
        find_run(other, kinds=("run",))
    with pytest.raises(TrackingError, match=rf"no trial or run '{other}'; .*\(mlp\)"):
        find_run(other, kinds=("trial", "run"))
    with pytest.raises(TrackingError, match=r"expected a sweep, but .* is a run"):
        find_run(tracked.run_id, kinds=("sweep",))
    with pytest.raises(TrackingError, match="expected a run id"):
        find_run("best one")
    with pytest.raises(TrackingError, match=r"there is: config\.yaml"):
        find_run(tracked.run_id).text("weights")


def test_a_beginning_that_two_runs_share_is_told():
    ids = []
    while len({i[0] for i in ids}) == len(ids):
        with explore_run(name="r", parent=None, config={}) as tracked:
            ids.append(tracked.run_id)
    with pytest.raises(TrackingError, match="more than one"):
        find_run(ids[-1][0])
