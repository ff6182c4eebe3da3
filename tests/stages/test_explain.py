import dataclasses
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file
from tests.sealed import seal

from assay.artifacts.files import digest
from assay.data.prepared import Split
from assay.data.spec import Column, Image, Spec
from assay.errors import ArtifactError
from assay.explanation.faithfulness import ADDITIVITY, TRUSTWORTHY
from assay.explanation.knobs import Explain
from assay.inference.signature import signature_of
from assay.pipeline.explaining.version import of_version
from assay.stages import explain as stage
from assay.tracking.registry import GRAPH, SIGNATURE

KNOBS = Explain(rows=4, global_rows=20, background=10, samples=20_000, lime_samples=400)
TABLE = Spec(
    task="classification",
    kind="table",
    target="y",
    train_rows=120,
    columns=(
        Column(name="size", type="numeric", missing=1),
        Column(name="is new", type="boolean"),
        Column(name="colour", type="categorical", categories=("blue", "red")),
        Column(name="idle", type="numeric"),
    ),
    classes=("no", "yes"),
)
IMAGES = Spec(
    task="classification",
    kind="image",
    target="y",
    train_rows=120,
    image=Image(channels=1, height=4, width=4, mean=(8.0,), std=(4.0,)),
    classes=(0, 1, 2),
)
RETURNED = Spec(
    task="reconstruction",
    kind="table",
    target="y",
    train_rows=120,
    columns=(Column(name="size", type="numeric"), Column(name="idle", type="numeric")),
)
VALUES = Spec(task="regression", kind="table", target="y", train_rows=120, columns=TABLE.columns)


class Recorder:
    """Stands for an open run and keeps what it is told."""

    def __init__(self):
        self.metrics, self.tags, self.artifacts = {}, {}, []

    def log_metrics(self, values, *, step=None):
        self.metrics.update(values)

    def set_tags(self, values):
        self.tags.update(values)

    def log_artifact(self, path, folder=None):
        assert path.is_file()
        self.artifacts.append(path.name)


@pytest.fixture
def recorder(tmp_path, monkeypatch):
    found = Recorder()

    @contextmanager
    def stage_run(name, *, folder):
        yield found

    monkeypatch.setattr(stage, "stage_run", stage_run)
    monkeypatch.chdir(tmp_path)
    return found


def table_graph(spec):
    """2 size + is_new + 3 [red], a missing number being 0; through a logistic for classes."""
    inputs = [
        h.make_tensor_value_info(c.name, T.STRING if c.type == "categorical" else T.DOUBLE, [None])
        for c in spec.columns
    ]
    nodes = [
        h.make_node(
            "LabelEncoder",
            ["colour"],
            ["red"],
            domain="ai.onnx.ml",
            keys_strings=["red"],
            values_floats=[3.0],
            default_float=0.0,
        )
    ]
    for name, weight in (("size", "two"), ("is new", "one"), ("idle", "none")):
        nodes += [
            h.make_node("IsNaN", [name], [f"{name}?"]),
            h.make_node("Where", [f"{name}?", "zero", name], [f"{name}!"]),
            h.make_node("Cast", [f"{name}!"], [f"{name}f"], to=T.FLOAT),
            h.make_node("Mul", [f"{name}f", weight], [f"{name}w"]),
        ]
    nodes.append(h.make_node("Sum", ["red", "sizew", "is neww", "idlew"], ["total"]))
    constants = {"two": 2.0, "one": 1.0, "none": 0.0}
    initial = [numpy_helper.from_array(np.float32(v), k) for k, v in constants.items()]
    initial.append(numpy_helper.from_array(np.float64(0), "zero"))
    if spec.task == "regression":
        nodes.append(h.make_node("Identity", ["total"], ["prediction"]))
        outputs = [h.make_tensor_value_info("prediction", T.FLOAT, [None])]
        return graph(nodes, inputs, outputs, initial)
    initial.append(numpy_helper.from_array(np.array([1]), "axis"))
    nodes += [
        h.make_node("Sigmoid", ["total"], ["p"]),
        h.make_node("Sub", ["one", "p"], ["q"]),
        h.make_node("Unsqueeze", ["p", "axis"], ["p2"]),
        h.make_node("Unsqueeze", ["q", "axis"], ["q2"]),
        h.make_node("Concat", ["q2", "p2"], ["probability"], axis=1),
    ]
    return graph(
        nodes, inputs, [h.make_tensor_value_info("probability", T.FLOAT, [None, 2])], initial
    )


def image_graph():
    """A softmax over three sums of pixels: the upper rows, the lower rows, the left columns."""
    masks = np.zeros((3, 4, 4), dtype=np.float32)
    masks[0, :2], masks[1, 2:], masks[2, :, :2] = 0.05, 0.05, 0.05
    nodes = [
        h.make_node("Cast", ["image"], ["f"], to=T.FLOAT),
        h.make_node("Flatten", ["f"], ["flat"]),
        h.make_node("MatMul", ["flat", "w"], ["logits"]),
        h.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    return graph(
        nodes,
        [h.make_tensor_value_info("image", T.UINT8, [None, 1, 4, 4])],
        [h.make_tensor_value_info("probability", T.FLOAT, [None, 3])],
        [numpy_helper.from_array(masks.reshape(3, 16).T.copy(), "w")],
    )


def return_graph():
    """Give ``size`` back as nothing and ``idle`` as it is, so that the score is half of size squared."""
    inputs = [h.make_tensor_value_info(c.name, T.DOUBLE, [None]) for c in RETURNED.columns]
    nodes = [
        h.make_node("IsNaN", ["size"], ["missing"]),
        h.make_node("Where", ["missing", "zero", "size"], ["known"]),
        h.make_node("Unsqueeze", ["known", "axis"], ["s"]),
        h.make_node("Unsqueeze", ["idle", "axis"], ["i"]),
        h.make_node("Sub", ["s", "s"], ["0"]),
        h.make_node("Concat", ["s", "i"], ["g"], axis=1),
        h.make_node("Concat", ["0", "i"], ["r"], axis=1),
        h.make_node("Cast", ["g"], ["given"], to=T.FLOAT),
        h.make_node("Cast", ["r"], ["reconstruction"], to=T.FLOAT),
        h.make_node("Sub", ["given", "reconstruction"], ["difference"]),
        h.make_node("Mul", ["difference", "difference"], ["square"]),
        h.make_node("ReduceMean", ["square", "axis"], ["score"], keepdims=0),
        h.make_node("Greater", ["score", "threshold"], ["anomaly"]),
    ]
    found = signature_of(RETURNED, threshold=1.0).outputs
    types = {"float": T.FLOAT, "bool": T.BOOL}
    outputs = [h.make_tensor_value_info(o.name, types[o.type], [None, *o.shape[1:]]) for o in found]
    initial = [
        numpy_helper.from_array(np.array([1]), "axis"),
        numpy_helper.from_array(np.float32(1), "threshold"),
        numpy_helper.from_array(np.float64(0), "zero"),
    ]
    return graph(nodes, inputs, outputs, initial)


def graph(nodes, inputs, outputs, initial):
    opsets = [h.make_opsetid("", 20), h.make_opsetid("ai.onnx.ml", 4)]
    model = h.make_model(
        h.make_graph(nodes, "g", inputs, outputs, initial), opset_imports=opsets, ir_version=10
    )
    onnx.checker.check_model(model)
    return model


def write_project(spec, model, *, threshold=None):
    export = Path("artifacts/export")
    export.mkdir(parents=True, exist_ok=True)
    onnx.save(model, export / "model.onnx")
    signature_of(spec, threshold=threshold).write(export / "signature.json")
    for seed, (name, count) in enumerate((("train", 120), ("test", 40))):
        folder = Path("artifacts/prepare") / name
        folder.mkdir(parents=True, exist_ok=True)
        write_split(folder, spec, np.random.default_rng(seed), count)
    spec.write(Path("artifacts/prepare/spec.json"))
    seal()


def write_split(folder, spec, random, count):
    rows = pd.DataFrame({"__id__": [f"r{i}" for i in range(count)]})
    if spec.kind == "image":
        np.save(
            folder / "image-00000.npy", random.integers(0, 16, (count, 1, 4, 4), dtype=np.uint8)
        )
        codes = random.integers(0, 3, count)
    else:
        rows["size"] = np.where(random.random(count) < 0.2, np.nan, random.normal(size=count))
        rows["is new"] = random.random(count) < 0.5
        colours = np.array(["red", "blue", "unseen", None], dtype=object)
        rows["colour"] = pd.Series(colours[random.integers(0, 4, count)], dtype="str")
        rows["idle"] = random.normal(size=count)
        codes = (random.random(count) < 0.5).astype(int)
    if spec.task == "regression":
        rows["__target__"] = target = random.normal(size=count).astype(np.float32)
    else:
        target = codes
        names = spec.classes or ("normal", "anomaly")
        rows["__target__"] = [str(names[c]) for c in codes]
    np.save(folder / "target.npy", target)
    rows.to_parquet(folder / "rows.parquet")


def run():
    stage.run(stage.Params(explain=KNOBS))
    return Path("artifacts/explain")


def test_a_table_is_explained_by_its_raw_columns(recorder):
    write_project(TABLE, table_graph(TABLE))
    folder = run()
    importance = pd.read_csv(folder / "importance.csv")
    assert set(importance["feature"]) == {"size", "is new", "colour", "idle"}
    assert importance["feature"].iloc[-1] == "idle"
    assert importance["importance"].iloc[-1] == pytest.approx(0, abs=1e-6)
    attributions = pd.read_parquet(folder / "attributions.parquet")
    chosen = attributions[attributions["reason"] != "random sample"]
    assert chosen["lime"].notna().all()
    assert chosen["id"].nunique() == KNOBS.rows
    assert {"missing", "red", "unseen"} <= set(attributions["value"])
    pictures = sorted(p.name for p in (folder / "pictures").iterdir())
    whole = {p for p in pictures if not p.startswith("row-")}
    assert len(pictures) == KNOBS.rows + len(whole)
    assert {"importance.png", "summary.png", "dependence.png", "interactions.png"} <= whole
    pairs = pd.read_csv(folder / "interactions.csv")
    assert len(pairs) == 6
    idle = pairs[(pairs["feature"] == "idle") | (pairs["other"] == "idle")]
    assert idle["interaction"].abs().max() < 1e-6, "what does nothing works with nothing"
    assert {*pictures, "faithfulness.json"} <= set(recorder.artifacts)


def test_scores_say_how_far_an_explanation_can_be_believed(recorder):
    write_project(TABLE, table_graph(TABLE))
    folder = run()
    found = json.loads((folder / "faithfulness.json").read_text())
    assert found["shap"]["additivity_error"]["relative"] < 1e-5
    assert found["shap"]["verdict"] == TRUSTWORTHY
    assert 0 < found["lime"]["r2"]["median"] <= 1
    assert len(found["rows"]) == KNOBS.rows
    for row in found["rows"].values():
        assert (row["lime_verdict"] == TRUSTWORTHY) == (row["lime_r2"] >= 0.5)
    assert recorder.metrics["model_evaluations"] > 1000
    assert "shap_seconds" in recorder.metrics
    assert "seconds" not in json.dumps(found), "times differ from run to run"
    assert recorder.tags["explanation_shap"] == TRUSTWORTHY


def test_images_are_explained_pixel_by_pixel(recorder):
    write_project(IMAGES, image_graph())
    folder = run()
    importance = pd.read_csv(folder / "importance.csv")
    assert len(importance) == 16
    assert {"row", "column"} <= set(importance.columns)
    assert (folder / "pictures" / "classes.png").is_file()
    assert pd.read_csv(folder / "interactions.csv").empty, "for tables alone"
    found = json.loads((folder / "faithfulness.json").read_text())
    assert found["shap"]["additivity_error"]["relative"] < 1e-5


def test_a_linear_regression_is_told_exactly(recorder):
    write_project(VALUES, table_graph(VALUES))
    folder = run()
    found = json.loads((folder / "faithfulness.json").read_text())
    assert found["shap"]["repeatability"]["min"] > 0.999
    assert found["shap"]["additivity_error"]["relative"] < 1e-5
    assert max(row["lime_r2"] for row in found["rows"].values()) > 0.99
    assert found["lime"]["r2"]["min"] > 0.5, "'not blue' is two things: red and the rest"
    assert found["agreement"]["median"] > 0.6
    attributions = pd.read_parquet(folder / "attributions.parquet")
    red = attributions[(attributions["feature"] == "colour") & (attributions["value"] == "red")]
    assert red["shap"].std() < 1e-5
    assert red["shap"].iloc[0] > 0


def test_the_error_of_each_feature_explains_a_reconstruction(recorder):
    write_project(RETURNED, return_graph(), threshold=1.0)
    folder = run()
    importance = pd.read_csv(folder / "importance.csv").set_index("feature")
    assert importance.loc["idle", "error"] == 0
    ends = importance.loc["size", ["error_low", "error", "error_high"]].tolist()
    assert 0 < ends[0] < ends[1] < ends[2]
    attributions = pd.read_parquet(folder / "attributions.parquet")
    chosen = attributions[attributions["reason"] != "random sample"]
    found = chosen.pivot_table(index="id", columns="feature", values="reconstruction_error")
    size = chosen[chosen["feature"] == "size"].set_index("id")["value"]
    parts = found["size"] - size.replace("missing", "0").astype(float) ** 2 / 2
    assert parts.std() < 1e-4, "half of size squared, less what is usual"
    scores = json.loads((folder / "faithfulness.json").read_text())["reconstruction_error"]
    assert scores["completeness"]["relative"] < 1e-5
    assert scores["against_random"]["gain"] > 0
    assert (folder / "pictures" / "errors.png").is_file()
    assert "Reconstruction error" in (folder / "explanations.html").read_text()


@pytest.mark.parametrize(("spec", "model"), [(TABLE, table_graph(TABLE)), (IMAGES, image_graph())])
def test_the_same_seed_writes_the_same_bytes(recorder, spec, model):
    write_project(spec, model)
    first = digest(run())
    assert digest(run()) == first


def test_without_a_graph_the_message_says_what_makes_it(recorder):
    write_project(TABLE, table_graph(TABLE))
    Path("artifacts/export/model.onnx").unlink()
    with pytest.raises(ArtifactError, match="dvc repro"):
        run()
    assert not Path("artifacts/explain").exists()


@pytest.fixture
def network(recorder, exported, enter_copy):
    """An exported network with its weights, and a recorder for what is logged about it."""
    enter_copy(exported, "export")
    return recorder


def test_every_method_is_scored_where_the_network_is_at_hand(network):
    knobs = Explain(rows=4, global_rows=10, background=8, samples=20_000, lime_samples=300)
    methods = (
        *("occlusion", "kernel_shap", "partition_shap"),
        *("integrated_gradients", "saliency", "gradient_shap"),
    )
    asked = (*methods, "deep_shap", "attention_rollout")
    stage.run(stage.Params(explain=dataclasses.replace(knobs, methods=asked)))
    found = json.loads(Path("artifacts/explain/faithfulness.json").read_text())
    for name in ("shap", "lime", *methods):
        scores = found[name]
        against = scores["against_random"]
        assert against["low"] <= against["gain"] <= against["high"]
        assert 0 <= scores["infidelity"]["median"] <= 1
        assert scores["sensitivity"]["median"] >= 0
        assert -1 <= scores["randomisation"]["median"] <= 1
        assert scores["reason"]
    assert found["integrated_gradients"]["completeness"]["relative"] < 0.05
    assert found["shap"]["against_random"]["low"] > 0, "the right explanation beats a random one"
    left_out = found["left_out"].get("deep_shap")
    assert left_out is None or left_out["completeness"]["relative"] > ADDITIVITY
    used = {"lime", *methods, *(["deep_shap"] if left_out is None else [])}
    assert set(found["agreement"]["between"]["shap"]) == used, (
        "a network without attention has none"
    )
    assert found["kernel_shap"]["completeness"]["relative"] < 1e-5
    assert found["partition_shap"]["completeness"]["relative"] < 1e-5
    table = pd.read_parquet("artifacts/explain/attributions.parquet")
    chosen = table["reason"] != "random sample"
    assert table.loc[chosen, list(used)].notna().all(axis=None), "every method has its column"
    assert table.loc[~chosen, list(used)].isna().all(axis=None)
    told = found["shap"]["tells_apart"]
    assert told["times"] > told["needed"] > 1


def test_a_version_is_explained_by_its_network_only_where_that_answers_as_the_graph(
    network, tmp_path
):
    folder = tmp_path / "version"
    (folder / "origin").mkdir(parents=True)
    artifacts, splits = Path("artifacts"), Path("artifacts/prepare")
    shutil.copy(artifacts / "export/model.onnx", folder / GRAPH)
    shutil.copy(artifacts / "export/signature.json", folder / SIGNATURE)
    kept = ("train/weights.safetensors", "train/effective.yaml", "prepare/spec.json")
    for name in (*kept, "export/parity.json"):
        shutil.copy(artifacts / name, folder / "origin" / Path(name).name)
    rows = {"train": Split(splits / "train"), "test": Split(splits / "test")}
    assert of_version(folder, **rows).network is not None
    weights = load_file(folder / "origin/weights.safetensors")
    other = {
        name: -values if values.dtype.kind == "f" and values.ndim > 1 else values
        for name, values in weights.items()
    }
    save_file(other, folder / "origin/weights.safetensors")
    assert of_version(folder, **rows).network is None, "another network"
    (folder / "origin/weights.safetensors").write_bytes(b"no weights")
    assert of_version(folder, **rows).network is None
    (folder / "origin/parity.json").unlink()
    assert of_version(folder, **rows).network is None, "versions of before do not have it"
