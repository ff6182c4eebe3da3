"""An autoencoder and a generative adversarial network through the whole pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import yaml
from tests.conftest import Project

pytestmark = pytest.mark.xdist_group("unlabelled")
STAGES = [
    "compose",
    "prepare",
    "search",
    "train",
    "export",
    "evaluate",
    "explain",
    "register",
]
SMALL = {
    "training": {"max_epochs": 3, "threads": 1, "lr": 0.01},
    "evaluate": {"resamples": 20, "samples": 200},
    "explain": {"rows": 2, "global_rows": 10, "lime_samples": 100, "samples": 2000},
}


def _repro(project: Project, model: str, settings: dict[str, Any]) -> list[str]:
    groups = {"data": "digits", "model": model, "training": "default", "search": "none"}
    params = {**groups, "gate": "default", "set": {**SMALL, **settings}}
    (project.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return project.repro()


def _read(project: Project, file: str) -> Any:
    return json.loads((project.root / "artifacts" / file).read_text())


def _graph(project: Project, name: str = "model.onnx") -> ort.InferenceSession:
    path = project.root / "artifacts/export" / name
    return ort.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    return new_project("unlabelled")


@pytest.fixture(scope="module")
def detector(project: Project) -> list[str]:
    settings = {"name": "odd", "data": {"task": "reconstruction", "anomalies": [9]}}
    return _repro(project, "autoencoder", settings)


def test_an_autoencoder_ends_as_a_registered_detector(
    project: Project, detector: list[str]
) -> None:
    assert detector == STAGES
    metrics = _read(project, "evaluate/metrics.json")
    assert {"auroc", "average_precision", "f1", "reconstruction_mse"} <= set(metrics)
    flagged = {part["value"]: part["metrics"] for part in _read(project, "evaluate/slices.json")}
    assert set(flagged) == set("0123456789")
    assert set(_read(project, "evaluate/baselines.json")) == {"trivial", "pca", "neighbours"}
    assert _read(project, "register/receipt.json")["name"] == "odd"
    card = (project.root / "artifacts/register/card.md").read_text()
    assert "can be reconstructed" in card and "auroc" in card


def test_its_graph_gives_score_and_flag_for_any_number_of_rows(
    project: Project, detector: list[str]
) -> None:
    threshold = _read(project, "export/signature.json")["threshold"]
    images = np.load(next((project.root / "artifacts/prepare/test").glob("image-*.npy")))
    for rows in (1, 7):
        names = ["score", "anomaly", "reconstruction", "given"]
        found = dict(zip(names, _graph(project).run(names, {"image": images[:rows]}), strict=True))
        error = np.square(found["reconstruction"] - found["given"]).mean(axis=1)
        np.testing.assert_allclose(found["score"], error, rtol=1e-5)
        assert np.array_equal(found["anomaly"], found["score"] > np.float32(threshold))


def test_predict_adds_score_and_flag(project: Project, detector: list[str]) -> None:
    version = _read(project, "register/receipt.json")["version"]
    np.save(project.root / "rows.npy", np.zeros((3, 1, 8, 8), np.uint8))
    project("assay", "predict", f"models:/odd/{version}", "rows.npy", "-o", "out.csv")
    scored = pd.read_csv(project.root / "out.csv")
    assert list(scored.columns) == ["score", "anomaly"] and len(scored) == 3


@pytest.fixture(scope="module")
def generator(project: Project, detector: list[str]) -> list[str]:
    return _repro(project, "gan", {"name": "digits-gan", "data": {"task": "generation"}})


def test_a_gan_ends_as_a_registered_generator(project: Project, generator: list[str]) -> None:
    assert generator == STAGES
    metrics = _read(project, "evaluate/metrics.json")
    assert {"frechet", "coverage", "density", "missing_classes", "copied"} <= set(metrics)
    ceiling = _read(project, "evaluate/baselines.json")["training_rows"]["metrics"]
    assert ceiling["coverage"]["value"] > 0.8 > metrics["coverage"]["value"]
    assert (
        0 <= ceiling["frechet"]["low"] <= ceiling["frechet"]["value"] <= ceiling["frechet"]["high"]
    )
    said = _read(project, "evaluate/verdict.json")["fitting"]
    assert "mode collapse" in said
    assert "with as many samples beside the training rows it is right on" in said
    gain = metrics["gain_of_samples"]
    assert -1 <= gain["low"] <= gain["value"] <= gain["high"] <= 1
    assert _read(project, "register/receipt.json")["name"] == "digits-gan"
    pictures = project.root / "artifacts"
    assert {p.stem for p in (pictures / "explain/pictures").iterdir()} == {"directions", "walks"}
    assert (pictures / "evaluate/pictures/samples.png").is_file()


def test_its_graph_makes_images_of_noise_and_its_judge_knows_digits(
    project: Project, generator: list[str]
) -> None:
    (noise,) = _graph(project).get_inputs()
    for rows in (1, 7):
        drawn = np.random.default_rng(0).normal(size=(rows, noise.shape[1])).astype(np.float32)
        (images,) = _graph(project).run(None, {"noise": drawn})
        assert images.shape == (rows, 1, 8, 8) and images.dtype == np.uint8
        assert images.max() <= 16
    test = project.root / "artifacts/prepare/test"
    images = np.load(next(test.glob("image-*.npy")))
    (found,) = _graph(project, "instruments/judge.onnx").run(None, {"image": images})
    assert np.mean(found[:, -10:].argmax(1) == np.load(test / "target.npy")) > 0.9
