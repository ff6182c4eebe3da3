"""Booby-trapped files through every way in: each is refused, and nothing in them runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
from collections.abc import Callable
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
from tests.cli.small import TABLE, image_graph, table_graph
from tests.trust.canary import Trap, sprung, trap

from assay.data.prepared import Split
from assay.data.spec import Column, Spec
from assay.errors import ArtifactError, TrackingError
from assay.inference.session import Session
from assay.inference.signature import signature_of
from assay.layers.network import Network
from assay.model.mlp import Mlp
from assay.pipeline.fitting.network import load_network, write_weights
from assay.tracking import registry
from assay.tracking.contents import require_plain_flavour
from assay.tracking.explore import explore_run
from assay.tracking.store import open_store
from assay.training.checkpoint import Checkpoints
from assay.training.knobs import Checkpointing

SPEC = Spec(
    task="classification", kind="table", target="y", train_rows=4,
    columns=(Column(name="a", type="numeric"),), classes=("n", "y"), class_counts=(2, 2),
)  # fmt: skip
MODEL = Mlp(width=2, depth=1)


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
