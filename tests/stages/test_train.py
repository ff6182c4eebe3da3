"""The stage ``train``: what it writes, what it tracks, and that it repeats itself."""

import dataclasses
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from tests.sealed import seal
from tests.synthetic import write_inputs

from assay.artifacts.files import digest, read_json, read_yaml, write_json
from assay.config.load import load
from assay.errors import ConfigError, Terminated, TrainingError
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.network import load_network, predict
from assay.stages import train
from assay.training.knobs import Training
from assay.training.repeats import Repeats

MODEL = {
    "_target_": "assay.model.mlp.Mlp",
    "width": 8,
    "depth": 1,
    "activation": "relu",
    "normalisation": "none",
    "dropout": 0.1,
    "residual": False,
}
FOLDER = Path("artifacts/train")
VOLATILE = ("run.json", "manifest")


@pytest.fixture
def inputs(empty_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(empty_home, tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_json(Path("artifacts/search/best.json"), {})
    inputs = write_inputs(Path("artifacts/prepare"), kind="table", task="classification")
    seal()
    return inputs


def _params(**knobs):
    training = dataclasses.asdict(Training(max_epochs=3, batch_size=16))
    return train.Params(model=MODEL, training={**training, **knobs}, seed=0)


def _client():
    return mlflow.MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")


def _run():
    client = _client()
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    (run,) = [run for run in found if run.data.tags.get("stage") == "train"]
    return run


def test_it_writes_weights_what_rebuilds_them_and_the_history(inputs):
    write_json(Path("artifacts/search/best.json"), {"training.lr": 0.02, "model.width": 12})
    seal("search")
    train.run(_params())
    assert read_json(FOLDER / "beside/list.json") == []
    effective = load(Effective, FOLDER / "effective.yaml")
    assert (effective.model.width, effective.training.lr, effective.seed) == (12, 0.02, 0)
    network = load_network(effective.model, inputs.spec, weights=FOLDER / "weights.safetensors")
    assert predict(network, inputs.valid).shape == (len(inputs.valid), 2)
    history = pd.read_csv(FOLDER / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert {"train_loss", "valid_loss", "valid_log_loss", "valid_accuracy", "lr"} < set(history)


def test_it_is_tracked_epoch_by_epoch(inputs):
    train.run(_params())
    run = _run()
    assert run.info.status == "FINISHED"
    assert run.data.params["model.width"] == "8"
    assert run.data.params["training.max_epochs"] == "3"
    assert {"best_epoch", "best_valid_log_loss", "best_valid_roc_auc"} < set(run.data.metrics)
    client = _client()
    losses = client.get_metric_history(run.info.run_id, "valid_log_loss")
    history = pd.read_csv(FOLDER / "history.csv")
    assert [m.step for m in losses] == [1, 2, 3]
    assert [m.value for m in losses] == pytest.approx(history["valid_log_loss"].tolist())
    assert [f.path for f in client.list_artifacts(run.info.run_id, "plots")] == [
        "plots/learning_curves.png"
    ]


def test_the_same_seed_gives_the_same_bytes(inputs):
    digests = []
    for _ in range(2):
        train.run(_params())
        digests.append([digest(p) for p in sorted(FOLDER.iterdir()) if p.name not in VOLATILE])
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("knobs", "kind"),
    [
        ({"loss": "mse"}, ConfigError),
        ({"optimizer": "sgd", "lr": 1e30, "gradient_clip": None, "warmup": 0.0}, TrainingError),
    ],
)
def test_a_failed_fit_writes_nothing_and_says_so(inputs, knobs, kind):
    with pytest.raises(kind):
        train.run(_params(**knobs))
    assert not FOLDER.exists()
    assert _run().info.status == "FAILED"


def test_a_terminated_fit_is_killed(inputs, monkeypatch):
    def terminated(*args, **kwargs):
        raise Terminated

    monkeypatch.setattr(train, "try_candidate", terminated)
    with pytest.raises(Terminated):
        train.run(_params())
    assert not FOLDER.exists()
    assert _run().info.status == "KILLED"


def test_effective_yaml_is_the_composed_nodes_where_nothing_was_searched(inputs):
    params = _params()
    train.run(params)
    expected = {"model": params.model, "training": params.training, "seed": 0}
    assert read_yaml(FOLDER / "effective.yaml") == expected


def test_an_early_end_is_said(inputs, caplog):
    caplog.set_level("INFO", logger="assay")
    train.run(_params(max_epochs=9, lr=1e-12, early_stopping={"patience": 1, "min_delta": 1.0}))
    assert "stopped after epoch 2 of 9, no gain since 1; the weights kept are of" in caplog.text
    assert ": valid log_loss 0." in caplog.text


def test_seeds_and_parts_of_the_rows_are_fitted_beside_the_network_of_record(inputs):
    train.run(_params())
    alone = digest(FOLDER / "weights.safetensors")
    assert pd.read_csv(FOLDER / "repeats.csv").empty
    repeats = Repeats(seeds=1, shares=(0.5,))
    train.run(dataclasses.replace(_params(), repeats=repeats))
    assert digest(FOLDER / "weights.safetensors") == alone
    fits = pd.read_csv(FOLDER / "repeats.csv")
    whole = len(inputs.train)
    assert fits[["rows", "seed"]].to_numpy().tolist() == [
        [whole, 0],
        [whole, 1],
        [whole // 2, 0],
        [whole // 2, 1],
    ]
    assert fits["value"].nunique() == 4 and fits["valid_accuracy"].notna().all()
    runs = [run for run in _client().search_runs(["1"]) if run.data.tags.get("stage") == "train"]
    newest = max(runs, key=lambda run: run.info.start_time)
    mean = newest.data.metrics["repeats_valid_log_loss_mean"]
    assert mean == pytest.approx(fits["value"].iloc[:2].mean())
