"""The registry: what is stored, who is champion, what is said when something is not there."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper

from assay.data.spec import Column, Image, Spec
from assay.errors import TrackingError
from assay.inference.signature import signature_of
from assay.tracking import registry
from assay.tracking.difference import difference
from assay.tracking.reload import reloaded_outputs
from assay.tracking.run import stage_run
from assay.tracking.store import open_store

TABLE = Spec(
    task="classification",
    kind="table",
    target="y",
    train_rows=4,
    columns=(
        Column(name="size", type="numeric"),
        Column(name="colour", type="categorical", categories=("blue", "red")),
    ),
    classes=("no", "yes"),
    class_counts=(2, 2),
)
IMAGES = Spec(
    task="regression",
    kind="image",
    target="y",
    train_rows=4,
    image=Image(channels=1, height=2, width=2, mean=(0.0,), std=(1.0,)),
)
FRAME = pd.DataFrame({"size": [1.0, -2.0, 3.0], "colour": ["red", "green", "blue"]})
PICTURES = np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)


def table_graph(weight=1.0):
    """The probability of "yes" grows with size, and with the code of colour."""
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["colour"],
            ["code"],
            domain="ai.onnx.ml",
            keys_strings=["blue", "red"],
            values_floats=[1.0, 2.0],
            default_float=0.0,
        ),
        helper.make_node("Cast", ["size"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["float", "code"], ["sum"]),
        helper.make_node("Mul", ["sum", "weight"], ["score"]),
        helper.make_node("Reshape", ["score", "column"], ["yes"]),
        helper.make_node("Neg", ["yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
        helper.make_node("ArgMax", ["probability"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "best"], ["prediction"]),
    ]
    constants = [
        helper.make_tensor("weight", TensorProto.FLOAT, [1], [weight]),
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("classes", TensorProto.STRING, [2], [b"no", b"yes"]),
    ]
    return _model(nodes, constants, signature_of(TABLE))


def image_graph():
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["float", "axes"], ["prediction"], keepdims=0),
    ]
    constants = [helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])]
    return _model(nodes, constants, signature_of(IMAGES))


def _model(nodes, constants, signature):
    types = {
        "double": TensorProto.DOUBLE,
        "float": TensorProto.FLOAT,
        "string": TensorProto.STRING,
        "uint8": TensorProto.UINT8,
    }
    ends = [
        [helper.make_tensor_value_info(t.name, types[t.type], ["N", *t.shape[1:]]) for t in tensors]
        for tensors in (signature.inputs, signature.outputs)
    ]
    graph = helper.make_graph(nodes, "small", *ends, constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def put(name="small", *, graph=None, spec=TABLE, example=FRAME, beside=(), **tags):
    file = Path("graph.onnx")
    file.write_bytes(graph or table_graph())
    with stage_run("register", folder=Path("artifacts")) as tracked:
        return registry.register(
            name,
            run_id=tracked.run_id,
            graph=file,
            signature=signature_of(spec),
            example=example,
            tags=tags,
            beside=beside,
        )


@pytest.fixture
def stored(home):
    """A version, in a store that is there already."""
    note = Path("params.yaml")
    note.write_text("data: digits\n")
    return put(beside=[note], data_digest="abc")


def test_what_lies_in_the_registry_is_the_graph_itself_without_pickle(stored, tmp_path):
    folder = registry.fetch(stored, tmp_path)
    assert (folder / "model.onnx").read_bytes() == table_graph()
    assert (folder / "origin" / "params.yaml").read_text() == "data: digits\n"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith((".pkl", ".pickle", ".pt", ".data"))}
    described = mlflow.models.Model.load(str(folder))
    assert set(described.flavors) == {"onnx", "python_function"}
    assert described.flavors["onnx"]["providers"] == ["CPUExecutionProvider"]
    assert described.signature.inputs.input_names() == ["size", "colour"]
    assert [i.shape for i in described.signature.inputs.inputs] == [(-1,), (-1,)]
    assert described.saved_input_example_info is not None
    requirements = (folder / "requirements.txt").read_text()
    assert "onnxruntime==" in requirements
    assert "torch" not in requirements


def _kept(name):
    (path,) = (p for p in Path("home").rglob(name) if "models" in p.parts)
    return path


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda: _flip(_kept("model.onnx")), "model.onnx was changed: its content is not what"),
        (lambda: os.truncate(_kept("signature.json"), 9), "signature.json was changed: it has 9 b"),
        (lambda: _kept("MLmodel").unlink(), "MLmodel is missing"),
        (lambda: _kept("params.yaml").unlink(), "origin/params.yaml is missing"),
        (lambda: _kept("model.onnx").with_name("more.py").touch(), "more.py was added"),
        (lambda: _flip(_kept("manifest.json")), "manifest.json was changed: the registry has"),
        (lambda: _kept("manifest.json").unlink(), "manifest.json is missing"),
    ],
)
def test_a_version_whose_files_were_changed_is_refused_by_name(stored, tmp_path, harm, words):
    registry.fetch(stored, tmp_path / "before")
    harm()
    with pytest.raises(TrackingError) as refused:
        registry.fetch(stored, tmp_path / "after")
    assert str(refused.value).startswith(f"{stored.uri}: {words}")
    assert "dvc repro -f -s register" in str(refused.value)
    with pytest.raises(TrackingError, match="model"):
        registry.predict(stored.uri, FRAME)


def test_a_version_without_a_digest_cannot_be_checked(stored, tmp_path):
    client = open_store().client
    client.delete_model_version_tag(stored.name, stored.number, "manifest_digest")
    with pytest.raises(TrackingError, match="has no tag 'manifest_digest', so it cannot be chec"):
        registry.fetch(registry.resolve(stored.uri), tmp_path / "fetched")


def test_a_version_names_its_run_and_what_it_was_made_from(stored):
    store = open_store()
    version = store.client.get_model_version(stored.name, stored.number)
    assert version.tags["data_digest"] == "abc"
    run = store.client.get_run(version.run_id)
    assert run.data.tags["stage"] == "register"
    model = store.client.get_logged_model(stored.model_id)
    assert model.source_run_id == version.run_id


def test_versions_count_on(stored):
    assert (stored.number, put().number) == ("1", "2")


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.astype({"colour": object}),
        FRAME.assign(size=[1, -2, 3]),
        FRAME.assign(other=1)[["colour", "other", "size"]],
    ],
    ids=["as prepared", "object text", "whole numbers", "another order and more"],
)
def test_a_users_own_columns_predict_through_pyfunc(stored, frame):
    found = registry.predict(stored.uri, frame)
    assert list(found["prediction"]) == ["yes", "no", "yes"]
    assert found["probability"].shape == (3, 2)
    assert found["probability"][0, 1] == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-6)


def test_missing_values_are_the_graphs_to_judge(stored):
    frame = FRAME.assign(colour=["red", None, "blue"])
    assert list(registry.predict(stored.uri, frame)["prediction"]) == ["yes", "no", "yes"]


def test_the_signature_is_enforced(stored):
    with pytest.raises(TrackingError, match=r"missing inputs.*colour"):
        registry.predict(stored.uri, FRAME[["size"]])
    with pytest.raises(TrackingError, match="could not convert"):
        registry.predict(stored.uri, FRAME.assign(size=["a", "b", "c"]))


def test_images_predict_too_and_their_size_is_enforced(home):
    version = put("pictures", graph=image_graph(), spec=IMAGES, example=PICTURES[:1])
    found = registry.predict(version.uri, PICTURES)
    assert list(found["prediction"]) == [6, 22, 38]
    with pytest.raises(TrackingError, match="does not match expected shape"):
        registry.predict(version.uri, np.zeros((1, 1, 3, 2), np.uint8))


def test_a_fresh_process_gives_the_same_outputs(stored):
    found = reloaded_outputs(stored, FRAME)
    here = registry.predict(stored.uri, FRAME)
    assert list(found["prediction"]) == list(here["prediction"])
    np.testing.assert_array_equal(found["probability"], here["probability"])


def test_a_version_that_cannot_be_loaded_is_found_out(stored):
    model = open_store().client.get_logged_model(stored.model_id)
    file = Path(model.artifact_location.removeprefix("file://"), "model.onnx")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(TrackingError, match="a fresh process cannot load and run it"):
        reloaded_outputs(stored, FRAME)


def test_the_champion_is_one_version_and_no_challenger(stored):
    assert registry.champion_of("small") is None
    assert registry.set_alias(stored, "challenger")
    assert registry.set_alias(stored, "champion")
    assert registry.champion_of("small").uri == stored.uri
    with pytest.raises(TrackingError, match="has no alias 'challenger'"):
        registry.resolve("models:/small@challenger")
    second = put()
    registry.set_alias(second, "champion")
    assert registry.resolve("models:/small@champion").uri == second.uri


def test_a_rejected_version_is_gone_and_its_number_is_not_given_again(stored):
    second = put()
    registry.reject(second)
    with pytest.raises(TrackingError, match="has no version 2; it has version 1 and no alias"):
        registry.resolve("models:/small/2")
    assert put().number != "1"


def test_a_description_and_tags(stored):
    registry.describe(stored, text="# card\n" + "line\n" * 2000, tags={"accuracy": "0.9"})
    found = open_store().client.get_model_version("small", "1")
    assert found.description.startswith("# card\nline\n")
    assert found.description.endswith(
        "line\n\nThe rest is in card.md, among the run's artifacts.\n"
    )
    assert len(found.description) <= 5000
    assert found.tags["accuracy"] == "0.9"
    assert found.tags["data_digest"] == "abc"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("small", "expected models:/NAME@champion or models:/NAME/VERSION.*registered are: small"),
        ("models:/smal@champion", "no registered model 'smal'; did you mean 'small'"),
        ("models:/small@champio", "no alias 'champio'; it has version 1 and @champion"),
        ("models:/small/7", "no version 7; it has version 1 and"),
        ("models:/zzz/7", "registered are: small"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(stored, uri, message):
    registry.set_alias(stored, "champion")
    with pytest.raises(TrackingError, match=message):
        registry.resolve(uri)


def test_an_empty_registry_says_how_to_fill_it(home):
    with pytest.raises(TrackingError, match="nothing is registered yet: run 'dvc repro'"):
        registry.resolve("models:/small@champion")


def _count_up(path, order):
    with registry.alone_with("small"):
        before = int(path.read_text())
        order.append(before)
        path.write_text(str(before + 1))


def test_registrations_take_turns(home):
    path = home / "count"
    path.write_text("0")
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        order = manager.list()
        jobs = [context.Process(target=_count_up, args=(path, order)) for _ in range(3)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert sorted(order) == [0, 1, 2]


def git(*words, cwd="."):
    return subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_difference_rebuilds_the_work_tree(project, monkeypatch, tmp_path):
    assert difference() == ""
    git("init", "-q")
    assert difference() == ""
    Path("kept.txt").write_text("one\n")
    Path("gone.txt").write_text("two\n")
    Path(".gitignore").write_text("artifacts/\n*.tmp\nclone/\n")
    git("add", "-A")
    git("commit", "-qm", "start")
    assert difference() == ""
    Path("kept.txt").write_text("one\nmore ü\n")
    Path("gone.txt").unlink()
    Path("new.bin").write_bytes(bytes(range(256)))
    Path("staged.txt").write_text("three\n")
    git("add", "staged.txt")
    Path("ignored.tmp").write_text("x")
    Path("big.csv").write_bytes(b"0" * (2 << 20))
    status = git("status", "--porcelain")
    patch = difference()
    assert git("status", "--porcelain") == status
    assert patch.startswith("# left out, a new file above 1 MiB: big.csv\n")
    git("clone", "-q", ".", "clone")
    Path("patch.diff").write_text(patch)
    git("apply", str(Path("patch.diff").resolve()), cwd="clone")
    assert Path("clone/kept.txt").read_text() == "one\nmore ü\n"
    assert Path("clone/new.bin").read_bytes() == bytes(range(256))
    assert Path("clone/staged.txt").read_text() == "three\n"
    assert not Path("clone/gone.txt").exists()
    assert not Path("clone/ignored.tmp").exists()


def test_the_registry_imports_neither_torch_nor_lightning():
    code = (
        "import sys, json, assay.tracking.reload\n"
        "print(json.dumps([m for m in ('torch', 'pytorch_lightning') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
