"""The stage ``register``: what is kept, who becomes champion, and what is refused."""

import dataclasses
import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper
from tests.sealed import seal

from assay.artifacts.borrowed import borrowed
from assay.artifacts.files import digest, read_json, write_json, write_yaml
from assay.augmentation.knobs import Augmentation, OfSamples
from assay.data.prepared import Split
from assay.data.raw import Raw, Roles
from assay.data.spec import read_spec
from assay.data.splitting import Splitting
from assay.errors import ConfigError, ExportError, Terminated, TrackingError
from assay.gate.knobs import Gate
from assay.inference.feeds import split_feeds
from assay.inference.predictions import prediction_table, scores_of, with_targets
from assay.inference.session import Session
from assay.inference.signature import signature_of
from assay.metrics.scores import score
from assay.pipeline.composing.pin import pinned
from assay.split.prepare import prepare
from assay.stages import register
from assay.stages.register import Params
from assay.tracking import lend, registry
from assay.tracking.store import open_store

RECEIPT, CARD = Path("artifacts/register/receipt.json"), Path("artifacts/register/card.md")
_KNOBS = {"evaluate": {"confidence": 0.95}}
UNSET = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME", "DVC_ROOT")


@dataclasses.dataclass(frozen=True)
class Flowers:
    """A table whose target is the sign of ``size`` plus noise."""

    column: str = "size"
    words: tuple = ("no", "yes")
    kind = "table"
    split: Splitting = dataclasses.field(default_factory=Splitting)

    def read(self):
        rng = np.random.default_rng(0)
        size = rng.normal(size=400)
        label = np.where(size + rng.normal(scale=0.5, size=400) > 0, *reversed(self.words))
        colours = rng.choice(["red", "blue"], 400)
        frame = pd.DataFrame({self.column: size, "colour": colours, "y": label})
        return Raw(frame=frame, roles=Roles(target="y"), source="made here")


def graph(spec, weight):
    """The probability of the second class is that of a logistic regression on the number."""
    number, text = spec.columns[0].name, spec.columns[1].name
    signature = signature_of(spec)
    nodes = [
        helper.make_node(
            "LabelEncoder",
            [text],
            ["zero"],
            domain="ai.onnx.ml",
            keys_strings=["red"],
            values_floats=[0.0],
            default_float=0.0,
        ),
        helper.make_node("Cast", [number], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "weight"], ["scaled"]),
        helper.make_node("Add", ["scaled", "zero"], ["score"]),
        helper.make_node("Reshape", ["score", "column"], ["yes"]),
        helper.make_node("Neg", ["yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
        helper.make_node("ArgMax", ["probability"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "best"], ["prediction"]),
    ]
    words = [str(c).encode() for c in spec.classes]
    constants = [
        helper.make_tensor("weight", TensorProto.FLOAT, [1], [weight]),
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("classes", TensorProto.STRING, [2], words),
    ]
    ends = [
        [helper.make_tensor_value_info(number, TensorProto.DOUBLE, ["N"]),
         helper.make_tensor_value_info(text, TensorProto.STRING, ["N"])],
        [helper.make_tensor_value_info("prediction", TensorProto.STRING, ["N"]),
         helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 2])],
    ]  # fmt: skip
    made = helper.make_graph(nodes, "small", *ends, constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9), signature


def pipeline(data=None, *, weight=0.3, log_loss=None):
    """Write what the earlier stages would have written."""
    shutil.rmtree("artifacts", ignore_errors=True)
    folders = {
        n: Path("artifacts", n) for n in ("prepare", "train", "export", "evaluate", "explain")
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
    data = data or Flowers()
    prepared = prepare(data, folder=folders["prepare"])
    test = folders["prepare"] / "test"
    write_json(folders["prepare"] / "digests.json", {"data": prepared.digest, "test": digest(test)})
    choices = {"data": "flowers", "model": "logistic", "gate": "default"}
    write_yaml(
        Path("artifacts/config.yaml"), {"choices": choices, "name": "flowers", "seed": 0, **_KNOBS}
    )
    model = {"_target_": "assay.model.mlp.Mlp", "width": 8}
    effective = {"model": model, "training": {"lr": 0.01, "max_epochs": 3}, "seed": 0}
    write_yaml(folders["train"] / "effective.yaml", effective)
    (folders["train"] / "weights.safetensors").write_bytes(b"weights")
    spec = read_spec(folders["prepare"] / "spec.json")
    model, signature = graph(spec, weight)
    (folders["export"] / "model.onnx").write_bytes(model.SerializeToString())
    signature.write(folders["export"] / "signature.json")
    parity = {"largest_difference": 1e-7, "tolerance": 1e-4}
    write_json(folders["export"] / "parity.json", parity)
    evaluate(folders["evaluate"], Split(test), signature, model.SerializeToString())
    verdicts = {"shap": {"verdict": "trustworthy"}, "lime": {"verdict": "weak, because R²"}}
    write_json(folders["explain"] / "faithfulness.json", {**verdicts, "rows": 3})
    matters = "rank,feature,importance,low,high\n1,petal,0.25,0.2,0.3\n"
    (folders["explain"] / "importance.csv").write_text(matters)
    seal()


def evaluate(folder, test, signature, model):
    outputs = Session(model).stream(split_feeds(test, signature, batch_size=64))
    table = prediction_table(outputs, signature)
    rows = test.rows()
    table = with_targets(table, ids=rows["__id__"], target=rows["__target__"])
    table.to_parquet(folder / "predictions.parquet")
    found = score("classification", target=test.target, output=scores_of(outputs, signature))
    shape = {k: {"value": v, "low": v - 0.1, "high": v + 0.1} for k, v in found.items()}
    write_json(folder / "metrics.json", shape)
    base = {"log_loss": {"value": 0.69, "low": 0.6, "high": 0.8}}
    part = {"column": "region", "value": "north", "rows": 30, "metrics": shape}
    write_json(folder / "slices.json", [part])
    write_json(folder / "fairness.json", [])
    gap = found["log_loss"] - 0.69
    gaps = {"log_loss": {"value": gap, "low": gap - 0.05, "high": gap + 0.05}}
    trivial = {"metrics": base, "difference": gaps, "verdict": "the model wins"}
    write_json(folder / "baselines.json", {"trivial": trivial})
    write_json(folder / "verdict.json", {"baselines": {}, "fitting": "no sign of overfitting"})


@pytest.fixture
def project(empty_home, tmp_path, monkeypatch):
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    shutil.copytree(empty_home, tmp_path / "home")
    Path("params.yaml").write_text("data: flowers\n")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    return tmp_path


def reload_here(patch):
    """Load versions again in this process: a fresh one takes seconds."""
    here = lambda version, rows: registry.predict(version.uri, rows)  # noqa: E731
    patch.setattr(register, "reloaded_outputs", here)


def settle_in(folder, patch):
    """Go to a folder with a store of its own, where versions are loaded again in this process."""
    for name in UNSET:
        patch.delenv(name, raising=False)
    patch.setenv("ASSAY_HOME", str(folder / "home"))
    patch.chdir(folder)
    reload_here(patch)
    open_store()


@pytest.fixture
def reloads_here(monkeypatch):
    reload_here(monkeypatch)


def go(gate=None, **how):
    pipeline(**how)
    register.run(Params(gate=gate or Gate(), name="flowers"))
    return read_json(RECEIPT)


def versions():
    store = open_store()
    found = store.client.search_model_versions("name='flowers'")
    return {str(v.version): v for v in found}


def test_the_first_good_model_becomes_champion_and_all_is_kept_beside_it(project):
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".gitignore").write_text("artifacts/\nhome/\n")
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start"]
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(commit, check=True)
    Path("params.yaml").write_text("data: flowers\nmodel: logistic\n")
    receipt = go()
    run_id = read_json(Path("artifacts/register/run.json"))["run_id"]
    assert set(receipt) == {"name", "version", "alias", "accepted", "reasons", "run_id"}
    assert (receipt["name"], receipt["version"], receipt["alias"]) == ("flowers", "1", "champion")
    assert receipt["accepted"] is True
    assert receipt["run_id"] == run_id
    assert any("beats the trivial baseline" in reason for reason in receipt["reasons"])
    (version,) = versions().values()
    assert version.description == CARD.read_text()
    assert version.tags["graph_digest"] == digest(Path("artifacts/export/model.onnx"))
    assert version.tags["test_digest"] == digest(Path("artifacts/prepare/test"))
    assert version.tags["config_digest"] == digest(Path("artifacts/config.yaml"))
    assert version.tags["dvc_lock_digest"] == digest(Path("dvc.lock"))
    assert len(version.tags["git_commit"]) == 40
    assert version.tags["git_dirty"] == "true"
    folder = registry.fetch(registry.resolve("models:/flowers@champion"), Path("fetched"))
    origin = folder / "origin"
    assert (origin / "params.yaml").read_text() == Path("params.yaml").read_text()
    assert (origin / "dvc.lock").read_text() == Path("dvc.lock").read_text()
    assert "+model: logistic" in (origin / "changes.diff").read_text()
    assert (origin / "config.yaml").exists()
    assert {"weights.safetensors", "effective.yaml", "spec.json", "parity.json"} <= {
        file.name for file in origin.iterdir()
    }
    assert "git apply changes.diff" in CARD.read_text()
    store = open_store()
    run = store.client.get_run(run_id)
    parent = store.client.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.data.tags["verdict"].startswith("accepted; champion")
    assert parent.data.tags["model_version"] == "models:/flowers/1"
    assert float(version.tags["test_accuracy"]) > 0.5
    assert {a.path for a in store.client.list_artifacts(run_id)} >= {"card.md", "receipt.json"}


def test_another_model_can_be_built_on_a_version(project, reloads_here, capsys):
    go()
    lend.main("models:/flowers@champion")
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["version"] == "models:/flowers/1"
    found = {file.name for file in borrowed(answer["digest"], of=answer["version"]).iterdir()}
    assert found == {"weights.safetensors", "effective.yaml", "spec.json"}
    samples = dataclasses.asdict(Augmentation(samples=OfSamples(source="models:/flowers/1")))
    with pytest.raises(ConfigError, match="models:/flowers/1 is no generator: it was trained for"):
        pinned({"model": {}, "training": {"augmentation": samples}})
    digits = {"_target_": "assay.data.digits.Digits"}
    with pytest.raises(ConfigError, match=r"classification of table data, this is .*image data"):
        members = {"versions": ["models:/flowers@champion"], "of": "mlp"}
        pinned({"model": members, "data": digits, "training": {}})


def test_the_card_tells_a_reviewer_what_they_ask(project, reloads_here):
    go(Gate(minimum={"accuracy": 0.999}))
    text = CARD.read_text()
    assert "| region | north | 30 |" in text
    for words in (
        "# flowers, version 1",
        "**challenger, because a condition failed**",
        "Predicts `y`",
        "| log_loss |",
        "0.69",
        "| accuracy | at least 0.999 |",
        "**no**",
        "- the model wins",
        "mean of |SHAP|: petal 0.25 (0.2 to 0.3)",
        "shap: trustworthy",
        "lime: weak",
        "outside any git repository",
        "assay predict models:/flowers/1",
        digest(Path("artifacts/export/model.onnx")),
    ):
        assert words in text
    assert len(text) < 5000


@pytest.mark.parametrize(
    ("weight", "alias", "words"),
    [(2.0, "champion", "passed"), (0.3, "challenger", "failed"), (-1.0, "challenger", "failed")],
    ids=["better", "the same again", "worse"],
)
def test_only_a_better_model_replaces_the_champion(project, reloads_here, weight, alias, words):
    go(weight=0.3)
    receipt = go(weight=weight)
    assert receipt["alias"] == alias
    assert receipt["accepted"] is (alias == "champion")
    (reason,) = [r for r in receipt["reasons"] if r.startswith("better than the champion")]
    assert "version 1" in reason
    assert reason.endswith(words)
    assert "look 2" in reason if weight != 0.3 else "look 1" in reason
    holder = registry.resolve("models:/flowers@champion").number
    assert holder == ("2" if alias == "champion" else "1")


def test_the_champion_is_measured_on_the_present_rows(project, reloads_here):
    go(weight=0.3)
    split = Splitting(seed=5)
    receipt = go(data=Flowers(split=split), weight=2.0)
    (reason,) = [r for r in receipt["reasons"] if r.startswith("better than the champion")]
    assert "may have learned from some of these rows" in reason
    test, spec = (
        Split(Path("artifacts/prepare/test")),
        read_spec(Path("artifacts/prepare/spec.json")),
    )
    model, signature = graph(spec, 0.3)
    session = Session(model.SerializeToString())
    outputs = session.stream(split_feeds(test, signature, batch_size=64))
    theirs = score("classification", target=test.target, output=scores_of(outputs, signature))
    ours = read_json(Path("artifacts/evaluate/metrics.json"))
    gain = theirs["log_loss"] - ours["log_loss"]["value"]
    assert f"gain {gain:+.4g} (" in reason
    assert "superior: passed" in reason


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Flowers(column="length"), "column 'size' is missing"),
        (Flowers(words=("a", "b")), "it predicts no, yes, the new version a, b"),
    ],
)
@pytest.mark.parametrize(("rule", "alias"), [("keep", "challenger"), ("replace", "champion")])
def test_a_champion_that_no_longer_fits_is_kept_unless_the_gate_says_so(
    project, reloads_here, data, words, rule, alias
):
    go(weight=0.3)
    receipt = go(Gate(incomparable=rule), data=data, weight=2.0)
    assert receipt["alias"] == alias
    assert any(words in reason for reason in receipt["reasons"])


def test_in_an_experiment_or_by_hand_it_is_always_a_challenger(project, reloads_here, monkeypatch):
    assert go(Gate(alias="manual"))["alias"] == "challenger"
    monkeypatch.setenv("DVC_EXP_NAME", "busty-lav")
    receipt = go()
    assert receipt["alias"] == "challenger"
    assert receipt["accepted"] is True
    assert "busty-lav" in receipt["reasons"][0]
    assert registry.champion_of("flowers") is None
    assert registry.resolve("models:/flowers@challenger").number == "2"


def test_a_version_that_predicts_otherwise_does_not_count(project, reloads_here):
    go(weight=0.3)
    pipeline(weight=2.0)
    file = Path("artifacts/evaluate/predictions.parquet")
    table = pd.read_parquet(file)
    table.loc[3, "probability_yes"] += 1e-3
    table.to_parquet(file)
    seal("evaluate")
    before = RECEIPT.exists()
    with pytest.raises(ExportError, match=r"in 1 of \d+ test rows: the version is deleted"):
        register.run(Params(gate=Gate(), name="flowers"))
    assert not before
    assert not RECEIPT.exists()
    assert list(versions()) == ["1"]
    assert registry.champion_of("flowers").number == "1"
    store = open_store()
    (run, *_) = store.client.search_runs([store.experiment_id], "tags.stage = 'register'")
    assert run.info.status == "FAILED"


@pytest.mark.parametrize("failure", [Terminated, OSError(28, "No space left on device")])
def test_what_interrupts_it_leaves_neither_version_nor_champion(
    project, reloads_here, monkeypatch, failure
):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(register, "write_text", fail)
    with pytest.raises((Terminated, Exception)):
        go()
    assert versions() == {}
    assert registry.champion_of("flowers") is None


def test_a_version_that_is_always_overtaken_says_so(project, reloads_here, monkeypatch):
    monkeypatch.setattr(register, "_WAIT_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(register, "claimed", lambda version, than: nullcontext(False))
    receipt = go()
    assert receipt["alias"] == "challenger"
    assert "others were about to become champion" in receipt["reasons"][0]
    assert "others were about to become champion" in CARD.read_text()
    assert registry.champion_of("flowers") is None


def test_one_that_was_overtaken_once_meets_the_new_champion(project, reloads_here, monkeypatch):
    monkeypatch.setattr(register, "_WAIT_SECONDS", (0.0, 0.0))
    go()
    first = registry.champion_of("flowers")
    asked = [None, first]
    monkeypatch.setattr(registry, "champion_of", lambda name: asked.pop(0) if asked else first)
    receipt = go()
    assert receipt["alias"] == "challenger"
    assert any("better than the champion, version 1" in said for said in receipt["reasons"])


def test_a_gate_that_names_what_nobody_measured_registers_nothing(project):
    with pytest.raises(ConfigError, match=r"gate\.minimum\.acuracy.*did you mean 'accuracy'"):
        go(Gate(minimum={"acuracy": 0.9}))
    with pytest.raises(TrackingError, match="nothing is registered yet"):
        registry.resolve("models:/flowers@champion")


def test_anyone_can_load_it_with_pyfunc(project, reloads_here):
    go()
    mlflow.set_tracking_uri(open_store().uri)
    rows = pd.DataFrame({"size": [2, -2], "colour": ["red", "never seen"]})
    found = mlflow.pyfunc.load_model("models:/flowers@champion").predict(rows)
    assert list(found["prediction"]) == ["yes", "no"]


def test_the_stage_imports_neither_torch_nor_lightning():
    code = (
        "import sys, json, assay.stages.register, assay.config.load\n"
        "print(json.dumps([m for m in ('torch', 'pytorch_lightning') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
