"""The stage ``evaluate``: what it writes for each task, what it says, what it does not import."""

import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score
from tests.sealed import seal

from assay.artifacts.files import read_json, write_json
from assay.data.prepared import Split
from assay.errors import ArtifactError, ConfigError
from assay.metrics.knobs import Evaluate
from assay.stages import evaluate
from assay.tracking.store import open_store

OUTPUTS = {
    "baselines.json",
    "errors.csv",
    "errors.html",
    "fairness.json",
    "manifest",
    "metrics.json",
    "pictures",
    "plots",
    "predictions.parquet",
    "run.json",
    "slices.json",
    "verdict.json",
}
PLOTS = {
    "calibration.csv",
    "confusion.csv",
    "horizon.csv",
    "labels.csv",
    "pr.csv",
    "residuals.csv",
    "roc.csv",
}


def _run(**knobs):
    evaluate.run(evaluate.Params(evaluate=Evaluate(resamples=100, **knobs)))


def _rows(evaluated):
    return len(Split(evaluated.parent / "prepare/test"))


@pytest.fixture
def project(exported, enter_copy):
    return enter_copy(exported, "export")


@pytest.fixture(scope="module")
def evaluated(exported):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(exported)
        patch.setenv("ASSAY_HOME", str(exported / "home"))
        _run(slices=("mean radius",))
    return exported / "artifacts/evaluate"


def test_what_it_writes_for_classes(evaluated):
    assert {p.name for p in evaluated.iterdir()} == OUTPUTS
    assert {p.name for p in (evaluated / "plots").iterdir()} == PLOTS
    assert {p.stem for p in (evaluated / "pictures").iterdir()} == {
        "baselines",
        "calibration",
        "confusion",
        "precision_recall",
        "roc",
        "slices",
    }
    assert pd.read_csv(evaluated / "plots/residuals.csv").empty
    assert len(pd.read_csv(evaluated / "plots/confusion.csv")) == _rows(evaluated)


def test_metrics_are_those_of_the_predictions(evaluated):
    table = pd.read_parquet(evaluated / "predictions.parquet")
    assert list(table) == [
        "__id__",
        "target",
        "prediction",
        "probability_benign",
        "probability_malignant",
    ]
    metrics = read_json(evaluated / "metrics.json")
    right = accuracy_score(table["target"], table["prediction"])
    assert metrics["accuracy"]["value"] == pytest.approx(right)
    loss = log_loss(table["target"], table["probability_malignant"])
    assert metrics["log_loss"]["value"] == pytest.approx(loss, rel=1e-4)
    for interval in metrics.values():
        assert interval["low"] <= interval["value"] <= interval["high"]


def test_baselines_stand_beside_with_intervals_and_words(evaluated):
    baselines = read_json(evaluated / "baselines.json")
    assert set(baselines) == {"trivial", "linear", "boosting"}
    metrics = read_json(evaluated / "metrics.json")
    for name, found in baselines.items():
        assert set(found["metrics"]) == set(found["difference"]) == set(metrics)
        of_loss = found["difference"]["log_loss"]
        theirs = found["metrics"]["log_loss"]["value"]
        assert of_loss["value"] == pytest.approx(metrics["log_loss"]["value"] - theirs)
        assert of_loss["low"] <= of_loss["value"] <= of_loss["high"]
        assert f"the {name} baseline" in found["verdict"]
    assert "wins on" in baselines["trivial"]["verdict"]
    verdict = read_json(evaluated / "verdict.json")
    assert verdict["baselines"]["linear"] == baselines["linear"]["verdict"]
    assert "too few" in verdict["fitting"]


def test_slices_are_reported(evaluated):
    slices = read_json(evaluated / "slices.json")
    assert sum(part["rows"] for part in slices) == _rows(evaluated)
    assert {part["column"] for part in slices} == {"mean radius"}


def test_mlflow_has_metrics_and_pictures(evaluated, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(evaluated.parents[1] / "home"))
    origin = read_json(evaluated / "run.json")
    open_store()
    client = mlflow.MlflowClient(tracking_uri=origin["tracking_uri"])
    run = client.get_run(origin["run_id"])
    metrics = read_json(evaluated / "metrics.json")
    assert run.data.metrics["accuracy"] == pytest.approx(metrics["accuracy"]["value"])
    assert "linear_log_loss" in run.data.metrics and run.info.status == "FINISHED"
    pictures = {a.path for a in client.list_artifacts(run.info.run_id, "plots")}
    assert "plots/confusion.png" in pictures
    parent = client.get_run(origin["parent_run_id"])
    assert parent.data.metrics["accuracy"] == run.data.metrics["accuracy"]
    assert run.data.tags["test_looks"] == "1"
    assert "errors.html" in {a.path for a in client.list_artifacts(run.info.run_id)}


def test_errors_are_reviewed_row_by_row(evaluated):
    table = pd.read_csv(evaluated / "errors.csv")
    worst = table[table["which"] == "worst"]
    assert len(worst) == 100 and worst["loss"].is_monotonic_decreasing
    wrong = table[table["which"] == "confidently wrong"]
    assert (wrong["actual"] != wrong["predicted"]).all() and "mean radius" in wrong
    assert wrong["confidence"].is_monotonic_decreasing
    predictions = pd.read_parquet(evaluated / "predictions.parquet")
    assert len(wrong) == (predictions["target"] != predictions["prediction"]).sum()
    assert predictions["__id__"].iloc[wrong["row"]].tolist() == wrong["__id__"].tolist()
    page = (evaluated / "errors.html").read_text()
    assert "most confidently wrong" in page and "mean radius" in page
    assert "taken for" in read_json(evaluated / "verdict.json")["confusion"]


def test_what_it_writes_for_numbers(exported_regression, enter_copy):
    regression = enter_copy(exported_regression, "export")
    _run()
    folder = regression / "artifacts/evaluate"
    assert {p.name for p in folder.iterdir()} == OUTPUTS
    assert {p.name for p in (folder / "plots").iterdir()} == PLOTS
    table = pd.read_parquet(folder / "predictions.parquet")
    assert list(table) == ["__id__", "target", "prediction"]
    metrics = read_json(folder / "metrics.json")
    expected = r2_score(table["target"], table["prediction"])
    assert metrics["r2"]["value"] == pytest.approx(expected, abs=1e-4)
    assert pd.read_csv(folder / "plots/confusion.csv").empty
    assert read_json(folder / "slices.json") == []


def test_a_test_split_of_one_class_gives_null_with_a_reason(project):
    _only_benign(project)
    _run()
    metrics = read_json(project / "artifacts/evaluate/metrics.json")
    assert metrics["roc_auc"]["value"] is None
    assert metrics["roc_auc"]["reason"] == "these rows hold only 1 of the 2 classes"
    assert metrics["accuracy"]["value"] > 0


def _only_benign(project):
    source = project / "artifacts/prepare/test"
    split = Split(source)
    kept = np.flatnonzero(np.asarray(split.target) == 0)
    rows, arrays = split.rows().iloc[kept], split.batch(kept)
    source.unlink()
    source.mkdir()
    rows.to_parquet(source / "rows.parquet", index=False)
    np.save(source / "numeric.npy", arrays["numeric"])
    np.save(source / "target.npy", np.zeros(len(kept), np.int64))
    seal("prepare")


def test_an_unknown_slice_and_a_missing_graph_are_named(project):
    with pytest.raises(ConfigError, match="no column 'mean radios'; did you mean 'mean radius'"):
        _run(slices=("mean radios",))
    (project / "artifacts/export/model.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"model\.onnx is missing: run 'dvc repro export'"):
        _run()
    assert not (project / "artifacts/evaluate").exists()


def test_neither_torch_nor_lightning_is_imported(exported):
    code = (
        "import sys; from assay.stages import evaluate; from assay.metrics.knobs import Evaluate\n"
        "evaluate.ask(Evaluate()); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=exported, check=True
    )
    assert "onnxruntime" in done.stdout.split()
    assert not {"torch", "pytorch_lightning", "optuna"} & set(done.stdout.split())


def test_sensitive_columns_are_sliced_unasked(project):
    path = project / "artifacts/prepare/spec.json"
    spec = read_json(path)
    path.unlink()
    write_json(path, {**spec, "sensitive": ["mean texture"]})
    seal("prepare")
    _run()
    slices = read_json(project / "artifacts/evaluate/slices.json")
    assert {part["column"] for part in slices} == {"mean texture"}
    (treated,) = read_json(project / "artifacts/evaluate/fairness.json")
    assert (treated["column"], treated["positive"]) == ("mean texture", "malignant")
    assert len(treated["groups"]) == 4 and treated["difference"]["selection_rate"]["value"] > 0
    verdict = read_json(project / "artifacts/evaluate/verdict.json")
    assert "worse than the other rows" in verdict["slices"] or "no slice does" in verdict["slices"]
    assert "selection rate" in verdict["fairness"]
    assert (project / "artifacts/evaluate/pictures/fairness.png").is_file()
