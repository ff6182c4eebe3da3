"""Booby-trapped files through every way in: each is refused, and nothing in them runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from onnx import TensorProto, helper
from tests.bad_input.way import Place
from tests.cli.test_predict import TABLE, image_graph, table_graph
from tests.trust.canary import Trap, sprung, trap

from assay.artifacts.files import read_yaml
from assay.config.load import load
from assay.data.prepared import Split
from assay.data.spec import Column, Spec
from assay.errors import ArtifactError, AssayError, ConfigError, TrackingError
from assay.inference.session import Session
from assay.inference.signature import signature_of
from assay.layers.network import Network
from assay.model.mlp import Mlp
from assay.pipeline.effective import Effective
from assay.pipeline.network import load_network, write_weights
from assay.tracking import registry
from assay.tracking.contents import require_plain_flavour
from assay.tracking.explore import explore_run
from assay.tracking.store import open_store
from assay.training.checkpoint import Checkpoints
from assay.training.knobs import Checkpointing, Training

SPEC = Spec(
    task="classification", kind="table", target="y", train_rows=4,
    columns=(Column(name="a", type="numeric"),), classes=("n", "y"), class_counts=(2, 2),
)  # fmt: skip
MODEL = Mlp(width=2, depth=1)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def test_the_trap_works(mark: Path) -> None:
    """Or the tests below would show nothing."""
    pickle.loads(trap(mark))
    assert sprung(mark)


def _object_array(file: Path, mark: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, np.array([Trap(mark)], dtype=object), allow_pickle=True)


def _archive(file: Path, mark: Path) -> None:
    with file.open("wb") as opened:
        np.savez(opened, image=np.array([Trap(mark)], dtype=object))


def _pickle(file: Path, mark: Path) -> None:
    file.write_bytes(trap(mark))


def _checkpoint(file: Path, mark: Path) -> None:
    torch.save({"weights": Trap(mark)}, file)


WRITERS = {"pickle": _pickle, "objects": _object_array, "archive": _archive, "torch": _checkpoint}


@pytest.mark.parametrize("writer", WRITERS)
def test_an_array_of_a_prepared_split(tmp_path: Path, mark: Path, writer: str) -> None:
    WRITERS[writer](tmp_path / "target.npy", mark)
    with pytest.raises(ArtifactError, match=r"target\.npy is damaged"):
        np.asarray(Split(tmp_path).target)
    assert not sprung(mark)


@pytest.mark.parametrize("writer", WRITERS)
def test_weights(tmp_path: Path, mark: Path, writer: str) -> None:
    WRITERS[writer](tmp_path / "weights.safetensors", mark)
    with pytest.raises(ArtifactError, match=r"weights\.safetensors is damaged, not safetensors"):
        load_network(MODEL, SPEC, weights=tmp_path / "weights.safetensors")
    assert not sprung(mark)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_graph(tmp_path: Path, mark: Path, writer: str) -> None:
    WRITERS[writer](tmp_path / "model.onnx", mark)
    with pytest.raises(ArtifactError, match=r"model\.onnx is damaged, not ONNX"):
        Session(tmp_path / "model.onnx")
    assert not sprung(mark)


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_checkpoint(
    tmp_path: Path, mark: Path, writer: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One whose checksum fits: whoever writes the file can write that too."""
    checkpoints = Checkpoints(tmp_path / "fit", Checkpointing())
    checkpoints.write({"weights": torch.zeros(2)}, step=1)
    file, side = (next((tmp_path / "fit").glob(f"*{end}")) for end in (".ckpt", ".json"))
    WRITERS[writer](file, mark)
    facts = json.loads(side.read_text())
    content = file.read_bytes()
    facts |= {"bytes": len(content), "sha256": _sha256(content)}
    side.write_text(json.dumps(facts))
    assert Checkpoints(tmp_path / "fit", Checkpointing()).read() is None
    assert "cannot be read" in caplog.text
    assert not sprung(mark)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.csv.gz", "rows.parquet", "rows.pkl", "rows.npy"]
)
def test_a_table(place: Place, mark: Path, name: str) -> None:
    (place.root / name).write_bytes(trap(mark))
    for way in (
        f"assay add {name} --target y",
        f"assay run data=csv model=mlp data.path={name} data.target=y",
    ):
        ended = place.run(way)
        assert ended.status == 1, ended.said
        assert name in ended.said
        assert "Traceback" not in ended.said
    assert not sprung(mark)


def test_a_table_whose_columns_say_that_they_are_pickles(place: Place, mark: Path) -> None:
    note = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": trap(mark),
    }
    field = pa.field("a", pa.binary(), metadata=note)
    schema = pa.schema([field, pa.field("y", pa.int64())])
    pq.write_table(
        pa.table([[trap(mark)] * 40, [0, 1] * 20], schema=schema), place.root / "rows.parquet"
    )
    ended = place.run("assay add rows.parquet --target y")
    assert ended.status == 1
    assert "column 'a' holds bytes that are no text" in ended.said
    assert not sprung(mark)


@pytest.mark.parametrize("writer", ["objects", "archive", "pickle"])
def test_images_to_score(registered: Place, mark: Path, writer: str) -> None:
    WRITERS[writer](registered.root / "in.npy", mark)
    ended = registered.run("assay predict models:/pictures/1 in.npy -o out.csv")
    assert ended.status == 1, ended.said
    assert "in.npy cannot be read as a NumPy array" in ended.said
    assert not sprung(mark)
    assert not (registered.root / "out.csv").exists()


# --- graphs that name other files


def _external(location: str) -> onnx.ModelProto:
    tensor = helper.make_tensor(
        "w", TensorProto.FLOAT, [4], np.arange(4, dtype=np.float32).tobytes(), raw=True
    )
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "16"}.items():
        tensor.external_data.add(key=key, value=value)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [tensor]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _within_an_attribute(location: str) -> onnx.ModelProto:
    model = _external(location)
    tensor = model.graph.initializer.pop()
    model.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
    return model


@pytest.mark.parametrize("make", [_external, _within_an_attribute])
@pytest.mark.parametrize("location", ["w.bin", "../w.bin", "/etc/hostname", "*/_ORT_MEM_ADDR_/*"])
@pytest.mark.parametrize("form", ["file", "bytes"])
def test_a_graph_with_tensors_in_other_files(
    tmp_path: Path, make: Callable[[str], onnx.ModelProto], location: str, form: str
) -> None:
    """Inside its folder as outside of it: a graph is one file."""
    folder = tmp_path / "model"
    folder.mkdir()
    for place in (folder, tmp_path):
        np.arange(4, dtype=np.float32).tofile(place / "w.bin")
    content = make(location).SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"keeps 1 tensors in other files, the first is 'w'"):
        Session(folder / "model.onnx" if form == "file" else content)


# --- safetensors with a false header


def _header(change: Callable[[dict[str, dict[str, object]]], None]) -> Callable[[bytes], bytes]:
    def rewrite(content: bytes) -> bytes:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        change({k: v for k, v in header.items() if k != "__metadata__"})
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return rewrite


def _set(key: str, value: object) -> Callable[[bytes], bytes]:
    return _header(lambda tensors: next(iter(tensors.values())).update({key: value}))


def _overlap(tensors: dict[str, dict[str, object]]) -> None:
    for entry in tensors.values():
        entry["data_offsets"] = [0, 8]


HEADERS: dict[str, Callable[[bytes], bytes]] = {
    "a huge length": lambda c: struct.pack("<Q", 2**63) + c[8:],
    "a length beyond the file": lambda c: struct.pack("<Q", len(c)) + c[8:],
    "no length": lambda c: struct.pack("<Q", 0) + c[8:],
    "no JSON": lambda c: c[:8] + b"!" + c[9:],
    "offsets below 0": _set("data_offsets", [-8, 0]),
    "offsets beyond the file": _set("data_offsets", [0, 2**40]),
    "offsets backwards": _set("data_offsets", [8, 0]),
    "tensors that overlap": _header(_overlap),
    "a huge shape": _set("shape", [2**40, 2**40]),
    "a shape below 0": _set("shape", [-1]),
    "an unknown type": _set("dtype", "PICKLE"),
    "a tail": lambda c: c + trap(Path("canary")),
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_safetensors_file_with_a_false_header(tmp_path: Path, header: str) -> None:
    file = tmp_path / "weights.safetensors"
    write_weights(file, Network(spec=SPEC, model=MODEL).state_dict())
    load_network(MODEL, SPEC, weights=file)
    file.write_bytes(HEADERS[header](file.read_bytes()))
    with pytest.raises(
        ArtifactError, match=r"weights\.safetensors (is damaged|holds other tensors)"
    ):
        load_network(MODEL, SPEC, weights=file)


# --- YAML with tags

TAGS = {
    "a call": "!!python/object/apply:os.system ['touch {mark}']",
    "an object": "!!python/object/new:os.system ['touch {mark}']",
    "a name": "!!python/name:os.system",
    "a module": "!!python/module:os",
    "an object with state": "!!python/object:subprocess.Popen {{args: 'touch {mark}'}}",
}


@pytest.mark.parametrize("tag", TAGS)
def test_tags_in_files_of_the_configuration(place: Place, mark: Path, tag: str) -> None:
    hostile = TAGS[tag].format(mark=mark)
    good = (place.root / "params.yaml").read_text()
    option = (place.root / "conf/training/default.yaml").read_text()
    for way, name, text in (
        ("stage compose", "params.yaml", f"data: digits\nset: {hostile}\n"),
        ("assay run", "params.yaml", f"data: digits\nset: {hostile}\n"),
        ("assay use digits-mlp", "params.yaml", f"data: {hostile}\n"),
        ("stage compose", "conf/training/default.yaml", f"lr: {hostile}\n"),
        ("assay run", "conf/training/default.yaml", f"lr: {hostile}\n"),
        ("assay use digits-mlp", "experiments/digits-mlp.yaml", f"data: {hostile}\n"),
        ("assay run --from digits-mlp", "experiments/digits-mlp.yaml", f"data: {hostile}\n"),
    ):
        place.put({"params.yaml": good, "conf/training/default.yaml": option, name: text})
        ended = place.run(way)
        assert ended.status == 1, f"{way}: {ended.said}"
        assert "Traceback" not in ended.said
        assert not sprung(mark)


@pytest.mark.parametrize("tag", TAGS)
def test_tags_in_what_stages_read(tmp_path: Path, mark: Path, tag: str) -> None:
    file = tmp_path / "effective.yaml"
    file.write_text(f"model: {TAGS[tag].format(mark=mark)}\ntraining: {{}}\nseed: 0\n")
    with pytest.raises(ArtifactError, match="is damaged, not YAML"):
        read_yaml(file)
    with pytest.raises(AssayError):
        load(Effective, file)
    assert not sprung(mark)


# --- hostile models in the registry


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two models; the store is its own, since it names its artifacts' place."""
    folder = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store()
        for name, make, example in (
            ("pictures", image_graph, np.zeros((1, 1, 2, 2), np.uint8)),
            ("flowers", table_graph, pd.DataFrame({"size": [1.0], "colour": ["red"]})),
        ):
            file = folder / f"{name}.onnx"
            with explore_run(name=name, parent=None, config={}) as tracked:
                registry.register(
                    name,
                    run_id=tracked.run_id,
                    graph=file,
                    signature=make(file),
                    example=example,
                    tags={},
                )
    return folder


@pytest.fixture
def registered(place: Place, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A project whose home holds models."""
    monkeypatch.setenv("ASSAY_HOME", str(pictures))
    return place


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "MLmodel"])
def test_a_registered_file_that_was_exchanged_for_a_pickle(
    registered: Place, pictures: Path, mark: Path, name: str
) -> None:
    registered.put({"in.csv": "size,colour\n1,red\n"})
    assert registered.run("assay predict models:/flowers/1 in.csv -o good.csv").status == 0
    files = {file: file.read_bytes() for file in pictures.rglob(name)}
    assert len(files) == 2
    try:
        for file in files:
            file.write_bytes(trap(mark))
        ended = registered.run("assay predict models:/flowers/1 in.csv -o out.csv")
    finally:
        for file, content in files.items():
            file.write_bytes(content)
    assert ended.status == 1, ended.said
    assert name in ended.said
    assert not (registered.root / "out.csv").exists()
    assert not sprung(mark)


FLAVOURS: dict[str, object] = {
    "a pickled model": {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"},
    "a module of its own": {"loader_module": "evil", "code": "code"},
    "ours with code": {"loader_module": "mlflow.onnx", "code": "code"},
    "scikit-learn's": {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"},
    "none": None,
    "a word": "mlflow.onnx",
}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_model_of_another_flavour_is_not_loaded(tmp_path: Path, flavour: str) -> None:
    (tmp_path / "MLmodel").write_text(
        yaml.safe_dump({"flavors": {"python_function": FLAVOURS[flavour]}})
    )
    with pytest.raises(TrackingError, match=r"asks for other code than mlflow\.onnx"):
        require_plain_flavour(tmp_path, uri="models:/x/1")


def test_a_graph_with_another_signature(tmp_path: Path) -> None:
    table_graph(tmp_path / "model.onnx")
    Session(tmp_path / "model.onnx").require(signature_of(TABLE))
    with pytest.raises(ArtifactError, match="do not belong together"):
        Session(tmp_path / "model.onnx").require(signature_of(SPEC))


# --- hostile targets

TARGETS = {
    "a shell": "os.system",
    "eval": "builtins.eval",
    "a process": "subprocess.Popen",
    "a builtin through our module": "assay.data.csv.__builtins__",
    "an import through our module": "assay.model.mlp.__import__",
    "a module that ours imports": "assay.data.csv.gzip.os.system",
    "torch through our module": "assay.model.mlp.nn.Module",
    "a method": "assay.model.mlp.Mlp.build",
    "a decorator": "assay.model.mlp.dataclass",
    "another room": "assay.cli.main.main",
    "no dots": "os",
    "dots alone": "...",
    "nothing": "",
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("node", ["model", "data"])
def test_hostile_targets(place: Place, mark: Path, target: str, node: str) -> None:
    name, command = TARGETS[target], f"touch {mark}"
    settings = {node: {"_target_": name, "command": command, "args": command}}
    place.put({"params.yaml": yaml.safe_dump({"data": "digits", "model": "mlp", "set": settings})})
    ended = place.run("stage compose")
    assert ended.status == 1
    assert f"{node}._target_: " in ended.said
    effective = {"model": settings[node], "training": asdict(Training()), "seed": 0}
    (place.root / "effective.yaml").write_text(yaml.safe_dump(effective))
    with pytest.raises(ConfigError, match=r"model\._target_: "):
        load(Effective, place.root / "effective.yaml")
    assert not sprung(mark)


NESTED = {
    "in a model": {"model": {"width": {"_target_": "os.system", "command": "touch {mark}"}}},
    "in a split": {"data": {"split": {"_target_": "os.system", "command": "touch {mark}"}}},
    "in training": {"training": {"_target_": "os.system", "command": "touch {mark}"}},
    "in a list": {"data": {"ignore": [{"_target_": "os.system", "command": "touch {mark}"}]}},
    "in the space": {
        "search": {"space": {"model": {"_target_": "os.system", "_args_": ["touch {mark}"]}}}
    },
    "a partial one": {"model": {"_partial_": True}},
    "arguments by place": {"model": {"_args_": ["touch {mark}"]}},
    "recursion": {"model": {"_recursive_": True}},
    "its own whitelist": {"model": {"_target_": "os.system", "_execution_whitelist_": ["os.*"]}},
    "Hydra's launcher": {"hydra": {"launcher": {"_target_": "os.system"}}},
    "a defaults list": {"defaults": [{"hydra/launcher": "evil"}]},
}


@pytest.mark.parametrize("nested", NESTED)
def test_targets_within_other_nodes(place: Place, mark: Path, nested: str) -> None:
    text = yaml.safe_dump(
        {"data": "digits", "model": "mlp", "search": "tpe", "set": NESTED[nested]}, width=1000
    ).replace("{mark}", str(mark))
    place.put({"params.yaml": text})
    for way in ("stage compose", "assay run"):
        ended = place.run(way)
        assert ended.status == 1, ended.said
        assert "the configuration has" in ended.said
        assert "Traceback" not in ended.said
    assert not sprung(mark)


COMMANDS = {
    "a model's target": "model._target_=os.system",
    "a new target": "++model.inner._target_=os.system",
    "a launcher": "-m hydra.launcher._target_=os.system",
    "a launcher's node": "-m 'hydra.launcher={_target_:os.system}'",
    "a sweeper": "-m hydra.sweeper._target_=os.system",
    "a callback": "+hydra.callbacks.x._target_=os.system '+hydra.callbacks.x.command=touch MARK'",
    "a handler of logs": "hydra.job_logging.handlers.console.class=os.system",
    "a factory of logs": "'+hydra.job_logging.handlers.x={\\(\\):os.system}'",
    "Hydra's own logs": "hydra.hydra_logging.handlers.console.class=os.system",
    "another place to search": "'hydra.searchpath=[file:///tmp]'",
    "another folder": "--config-dir /tmp",
    "the environment": "name='${oc.env:HOME}'",
    "the environment by a detour": "name='${oc.decode:${oc.env:HOME}}'",
    "a function that decodes": "name='${oc.decode:x}'",
    "a function that creates": "name='${oc.create:x}'",
    "the clock": "name='${now:%Y}'",
    "Hydra's function": "name='${hydra:runtime.cwd}'",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_words_on_the_command_line(place: Place, mark: Path, command: str) -> None:
    ended = place.run("assay run " + COMMANDS[command].replace("MARK", str(mark)))
    assert ended.status == 1, ended.said
    assert "the configuration has" in ended.said
    assert "Traceback" not in ended.said
    assert not sprung(mark)


FUNCTIONS = {
    "the environment": "${oc.env:HOME}",
    "the environment by a detour": "${oc.${export.a}:HOME}",
    "within another": "${oc.select:x,${oc.env:HOME}}",
    "decoded": "${oc.decode:'3'}",
    "created": "${oc.create:{a: 1}}",
    "in a list": ["${oc.env:HOME}"],
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_in_params(place: Place, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "a-secret-place")
    settings = {"evaluate": {"slices": FUNCTIONS[function]}, "export": {"a": "env"}}
    place.put({"params.yaml": yaml.safe_dump({"data": "digits", "model": "mlp", "set": settings})})
    ended = place.run("stage compose")
    assert ended.status == 1
    assert "evaluate.slices: " in ended.said
    assert "a-secret-place" not in ended.said


def test_what_a_hostile_run_holds_is_not_put_into_params(place: Place, mark: Path) -> None:
    before = (place.root / "params.yaml").read_text()
    config = {
        "choices": {"data": "digits", "model": "mlp"},
        "data": {"_target_": "assay.data.digits.Digits"},
        "model": {"_target_": "os.system", "command": f"touch {mark}"},
    }
    with explore_run(name="hostile", parent=None, config=config) as tracked:
        run = tracked.run_id
    ended = place.run(f"assay use run:{run}")
    assert ended.status == 1, ended.said
    assert "model._target_: 'os.system'" in ended.said
    assert (place.root / "params.yaml").read_text() == before
    assert not sprung(mark)
