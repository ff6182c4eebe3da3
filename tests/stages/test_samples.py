"""What samples of a generator bring a classifier is in its report, and nothing of them in its graph."""

import shutil
from dataclasses import asdict

import numpy as np
import onnx
import pytest
from tests.sealed import seal
from tests.tiny import a_generator, kept

from assay.artifacts.files import read_json
from assay.artifacts.paths import stage_folder
from assay.augmentation.knobs import Augmentation, OfSamples
from assay.data.digits import Digits
from assay.data.spec import read_spec
from assay.export.knobs import Export
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.metrics.knobs import Evaluate
from assay.split.prepare import prepare
from assay.stages import evaluate, export, train
from assay.training.knobs import Training

MODEL = {"_target_": "assay.model.mlp.Mlp", "width": 16, "depth": 1}
SETTINGS = {"max_epochs": 2, "limit_batches": 8, "threads": 1}


@pytest.fixture
def evaluated(empty_home, tmp_path, monkeypatch):
    shutil.copytree(empty_home, tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (folder := stage_folder("prepare")).mkdir(parents=True)
    prepare(Digits(), folder=folder)
    stage_folder("search").mkdir()
    (stage_folder("search") / "best.json").write_text("{}")
    seal()
    digest = kept(a_generator(tmp_path / "made", read_spec(folder / "spec.json")))
    samples = OfSamples(source="models:/made/1", digest=digest, share=1.0)
    training = asdict(Training(augmentation=Augmentation(samples=samples)))
    train.run(train.Params(model=MODEL, training={**training, **SETTINGS}, seed=0))
    export.run(export.Params(export=Export()))
    evaluate.run(evaluate.Params(evaluate=Evaluate(resamples=50)))


def test_the_report_holds_the_classifier_against_the_same_without_samples(evaluated):
    assert read_json(stage_folder("train") / "beside/list.json") == ["without_samples"]
    baselines = read_json(stage_folder("evaluate") / "baselines.json")
    ours = read_json(stage_folder("evaluate") / "metrics.json")["accuracy"]["value"]
    found = baselines["without_samples"]
    gain = found["difference"]["accuracy"]
    assert gain["value"] == pytest.approx(ours - found["metrics"]["accuracy"]["value"])
    assert gain["low"] < gain["high"]
    said = read_json(stage_folder("evaluate") / "verdict.json")["samples"]
    assert said.startswith("1 samples of models:/made/1 a training row: ")
    assert f"({gain['value']:+.3f}, {gain['low']:+.3f} to {gain['high']:+.3f})" in said
    graphs = stage_folder("export")
    without = graphs / "instruments/without_samples.onnx"
    Session(without).require(read_signature(graphs / "signature.json"))
    sizes = [
        [(w.name, w.dims) for w in onnx.load(file).graph.initializer if np.prod(w.dims) > 64]
        for file in (graphs / "model.onnx", without)
    ]
    assert sizes[0] == sizes[1] != []
