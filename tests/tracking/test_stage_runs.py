from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tests.tracking.recorded import ran, rows, runs

from assay.errors import DataError, Terminated
from assay.tracking.limits import LARGEST, cut
from assay.tracking.resume import child_run
from assay.tracking.store import open_store
from assay.tracking.tracked import opened

pytestmark = pytest.mark.usefixtures("home", "dvc")


def stage(name: str):
    return runs(f"tags.stage = '{name}'")[-1]


def test_a_stage_is_a_child_of_a_row_that_says_what_was_chosen(monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bold-fish")
    with ran("train"):
        pass
    (row,) = rows()
    assert row.info.run_name == "digits · cnn · bold-fish"
    assert row.data.params == {
        "data": "digits",
        "model": "cnn",
        "gate": "none",
        "name": "digits",
        "seed": "7",
    }
    assert row.data.tags["model"] == "cnn"
    assert stage("train").data.tags["mlflow.parentRunId"] == row.info.run_id
    files = open_store().client.list_artifacts(row.info.run_id)
    assert [file.path for file in files] == ["config.yaml"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError("no rows"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (Terminated(), "KILLED"),
        (SystemExit(143), "KILLED"),
        (SystemExit(130), "KILLED"),
        (SystemExit(1), "FAILED"),
        (SystemExit(0), "FINISHED"),
    ],
)
def test_status_is_true_of_stage_and_row(error, status):
    with pytest.raises(type(error)), ran("train"):
        raise error
    assert stage("train").info.status == status
    assert rows()[0].info.status == status
    assert stage("train").info.end_time is not None


def test_the_stage_and_its_row_are_running_while_it_runs():
    with ran("train"):
        assert stage("train").info.status == "RUNNING"
        assert rows()[0].info.status == "RUNNING"
        assert rows()[0].data.tags["pipeline"].startswith("running train")


def test_the_reason_of_a_failure_is_on_the_run():
    with pytest.raises(DataError), ran("prepare"):
        raise DataError("the target 'y' is not there")
    assert stage("prepare").data.tags["error"] == "DataError: the target 'y' is not there"


def test_metrics_that_are_no_number_do_not_break_a_run():
    with ran("train") as tracked:
        tracked.log_metrics({"nan": math.nan, "up": math.inf, "down": -math.inf, "good": 1}, step=2)
    metrics = stage("train").data.metrics
    assert math.isnan(metrics["nan"])
    assert (metrics["up"], metrics["down"], metrics["good"]) == (LARGEST, -LARGEST, 1.0)


def test_names_and_texts_are_brought_within_mlflow_limits():
    with ran("train") as tracked:
        tracked.log_metrics({"recall[ä&b]": 0.5, "m" * 400: 1.0})
        tracked.log_params({f"p{i}": i for i in range(250)} | {"long": "x" * 10_000})
        tracked.log_params({"nested": {"lr": 0.1, "empty": {}}})
        tracked.set_tags({"note": "y" * 10_000})
    data = stage("train").data
    assert data.metrics == {"recall_ä_b_": 0.5, "m" * 250: 1.0}
    assert len(data.params) == 253
    assert data.params["nested.lr"] == "0.1"
    assert data.params["long"] == cut("x" * 10_000, 6000)
    assert data.tags["note"].endswith("(cut, 10000 characters)")


def test_more_metrics_than_a_batch_holds_arrive_in_order():
    with ran("train") as tracked:
        for step in range(700):
            tracked.log_metrics({"loss": 1 / (step + 1), "lr": 0.1}, step=step)
    store = open_store()
    history = store.client.get_metric_history(stage("train").info.run_id, "loss")
    assert [m.step for m in history] == list(range(700))
    assert history[-1].value == pytest.approx(1 / 700)


def test_a_data_set_is_an_input_of_the_stage_and_of_the_row():
    digest = "ab" * 32
    with ran("prepare") as tracked:
        tracked.log_dataset(
            name="digits-train",
            digest=digest,
            source="sklearn",
            context="training",
            rows=1437,
            columns=[("age", "double")],
        )
    for run in (stage("prepare"), rows()[0]):
        (found,) = run.inputs.dataset_inputs
        assert (found.dataset.name, found.dataset.digest) == ("digits-train", digest[:36])
        tags = {tag.key: tag.value for tag in found.tags}
        assert tags == {"mlflow.data.context": "training", "digest": digest}
        assert json.loads(found.dataset.profile) == {"num_rows": 1437}


def test_artifacts_are_files_and_folders(project):
    (project / "plots").mkdir()
    (project / "plots" / "roc.csv").write_text("a,b\n")
    with ran("evaluate") as tracked:
        tracked.log_artifact(project / "plots")
        tracked.log_artifact(project / "plots" / "roc.csv", "tables")
        tracked.log_parent(artifacts=[project / "plots" / "roc.csv"], folder="evaluate")
        with pytest.raises(FileNotFoundError):
            tracked.log_artifact(project / "nowhere.png")
    client = open_store().client
    of_stage = stage("evaluate").info.run_id
    assert [f.path for f in client.list_artifacts(of_stage, "plots")] == ["plots/roc.csv"]
    assert [f.path for f in client.list_artifacts(of_stage, "tables")] == ["tables/roc.csv"]
    of_row = client.list_artifacts(rows()[0].info.run_id, "evaluate")
    assert [f.path for f in of_row] == ["evaluate/roc.csv"]


def test_children_end_each_in_their_own_way():
    class Pruned(Exception):
        pass

    with ran("search") as tracked:
        with opened(lambda: tracked.new_child("trial 0", tags={"number": "0"})) as trial:
            trial.log_metrics({"log_loss": 0.5})
        (done,) = runs("attributes.run_name = 'trial 0'")
        assert done.data.metrics == {"log_loss": 0.5}, "a trial that has ended shows its metrics"
        with pytest.raises(Pruned), child_run(tracked, "trial 1", pruned_by=(Pruned,)):
            raise Pruned
        with pytest.raises(ValueError, match="diverged"), child_run(tracked, "trial 2"):
            raise ValueError("diverged")
    trials = runs(f"tags.`mlflow.parentRunId` = '{stage('search').info.run_id}'")
    ends = {t.info.run_name: (t.info.status, t.data.tags.get("pruned")) for t in trials}
    assert ends == {
        "trial 0": ("FINISHED", None),
        "trial 1": ("FINISHED", "true"),
        "trial 2": ("FAILED", None),
    }
    assert stage("search").info.status == "FINISHED"


def test_run_json_links_to_the_run():
    with ran("train") as tracked:
        tracked.log_parent(metrics={"accuracy": 0.9}, tags={"verdict": "accepted"})
    origin = json.loads(Path("artifacts/train/run.json").read_text())
    assert origin["run_id"] == stage("train").info.run_id
    assert origin["parent_run_id"] == rows()[0].info.run_id
    assert origin["tracking_uri"] == open_store().uri
    assert rows()[0].data.metrics == {"accuracy": 0.9}
    assert rows()[0].data.tags["verdict"] == "accepted"


def test_a_failed_stage_writes_no_run_json():
    with pytest.raises(DataError), ran("train"):
        raise DataError("x")
    assert not Path("artifacts/train/run.json").exists()


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="compose"), ran("compose"):
        pass


def test_a_run_id_in_the_environment_does_not_take_over(monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with ran("train") as tracked:
        assert tracked.run_id != "0" * 32
    assert stage("train").data.tags["mlflow.parentRunId"] == rows()[0].info.run_id
