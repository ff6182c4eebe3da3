"""Whatever the bytes: a good outcome or one message of ours, and nothing half-written.

A small, always equal number of examples runs with the other tests; ``ASSAY_EXAMPLES=5000`` runs more,
and others each time.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.small import TABLE, table_graph

from assay.artifacts.files import read_json, read_yaml
from assay.cli.rows import _images
from assay.config.compose import read_params
from assay.config.load import load
from assay.data.csv import Csv
from assay.data.prepared import Split
from assay.data.spec import Column, Spec, read_spec
from assay.errors import AssayError
from assay.inference.session import Session
from assay.inference.signature import Signature, Tensor, read_signature, signature_of
from assay.layers.network import Network
from assay.model.mlp import Mlp
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.network import load_network, write_weights
from assay.split.prepare import prepare

MANY = os.environ.get("ASSAY_EXAMPLES")
PACE = settings(
    max_examples=int(MANY or 60),
    derandomize=MANY is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ROWS = "".join(f"{i % 11},{'abc'[i % 3]},{'yes' if i % 2 else 'no'}\n" for i in range(40))
CSV = f"age,plan,y\n{ROWS}".encode()
YAML = b"data: digits\nmodel: {_target_: assay.model.mlp.Mlp, width: 3}\ntraining: {lr: 0.1}\nseed: 1\nset: {}\n"
SPEC = Spec(
    task="classification", kind="table", target="y", train_rows=4,
    columns=(Column(name="a", type="numeric"), Column(name="c", type="categorical", categories=("x",))),
    classes=("n", "y"), class_counts=(2, 2),
)  # fmt: skip
MODEL = Mlp(width=2, depth=1)
IMAGES = Signature(
    task="regression", kind="image", outputs=(),
    inputs=(Tensor(name="image", type="uint8", shape=(-1, 1, 2, 2), holds="image"),),
)  # fmt: skip
PIECES = (
    b"", b"\0", b"\xff", b"\n", b",", b'"', b"'", b"\r", b"\t", b"nan", b"inf", b"1e999", b"9" * 30, b"-1", b"[", b"]",
    b"{", b"}", b": ", b"- ", b"&a ", b"*a", b"!!int x", b"!!python/name:os.system", b"${", b"PK\x03\x04", b"\x80\x04",
    b"(1,)", b"'|O'", b"null", b"true", b"\xef\xbb\xbf", b"\xff\xff\xff\xff\xff\xff\xff\x7f",
)  # fmt: skip


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Bytes at random, or ``content`` with some pieces put in, put over, cut out or doubled."""
    piece = st.one_of(st.sampled_from(PIECES), st.binary(max_size=4))
    kinds = st.sampled_from(("in", "over", "out", "twice"))
    edit = st.tuples(kinds, st.floats(0, 1), piece, st.integers(1, 64))
    edited = st.lists(edit, min_size=1, max_size=8).map(lambda edits: _edited(content, edits))
    return st.one_of(edited, edited, edited, st.binary(max_size=200))


def _edited(content: bytes, edits: list[tuple[str, float, bytes, int]]) -> bytes:
    for kind, where, piece, count in edits:
        at = int(where * len(content))
        if kind == "in":
            content = content[:at] + piece + content[at:]
        elif kind == "over":
            content = content[:at] + piece + content[at + len(piece) :]
        elif kind == "out":
            content = content[:at] + content[at + count :]
        else:
            content = content[:at] + content[at : at + count] + content[at:]
    return content


def _good_or_ours(use: Callable[[], object]) -> None:
    """Anything but an AssayError comes out and fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            use()
        except AssayError as error:
            assert str(error).strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


def _written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@PACE
@given(
    content=damaged(CSV),
    knobs=st.fixed_dictionaries(
        {"target": st.sampled_from(["y", "y", "age", "plan"])},
        optional={
            "task": st.sampled_from(["classification", "regression"]),
            "id": st.sampled_from(["age", "plan"]),
            "time": st.just("age"),
            "group": st.just("plan"),
            "numeric": st.just(("age",)),
            "categorical": st.just(("age",)),
        },
    ),
)
def test_a_csv(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, content: bytes, knobs: dict[str, str]
) -> None:
    data = Csv(path=str(_written(folder, "t.csv", content)), **knobs)  # type: ignore[arg-type]
    _good_or_ours(lambda: prepare(data, folder=tmp_path_factory.mktemp("prepared")))


def _parquet() -> bytes:
    file = io.BytesIO()
    pd.read_csv(io.BytesIO(CSV)).to_parquet(file)
    return file.getvalue()


@PACE
@given(content=damaged(_parquet()))
def test_a_parquet_file(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    data = Csv(path=str(_written(folder, "t.parquet", content)), target="y")
    _good_or_ours(lambda: prepare(data, folder=tmp_path_factory.mktemp("prepared")))


def _array(*, archive: bool) -> bytes:
    file, image = io.BytesIO(), np.zeros((3, 1, 2, 2), np.uint8)
    if archive:
        np.savez_compressed(file, image=image)
    else:
        np.save(file, image)
    return file.getvalue()


@PACE
@given(content=st.one_of(damaged(_array(archive=False)), damaged(_array(archive=True))))
def test_an_image_array(folder: Path, content: bytes) -> None:
    file = _written(folder, "target.npy", content)
    _good_or_ours(lambda: _images(file, IMAGES))
    _good_or_ours(lambda: len(Split(folder)))


@PACE
@given(content=damaged(YAML))
def test_a_yaml(folder: Path, content: bytes) -> None:
    file = _written(folder, "x.yaml", content)
    _good_or_ours(lambda: read_yaml(file))
    _good_or_ours(lambda: read_params(file))
    _good_or_ours(lambda: load(Effective, file))


def _json(folder: Path) -> bytes:
    SPEC.write(folder / "spec.json")
    signature_of(SPEC).write(folder / "signature.json")
    return (folder / "spec.json").read_bytes()


@PACE
@given(data=st.data())
def test_a_specification_and_a_signature(folder: Path, data: st.DataObject) -> None:
    _json(folder)
    for name, read in (("spec.json", read_spec), ("signature.json", read_signature)):
        content = data.draw(damaged((folder / name).read_bytes()))
        file = _written(folder, f"damaged-{name}", content)
        _good_or_ours(lambda file=file: read_json(file))  # type: ignore[misc]
        _good_or_ours(lambda file=file, read=read: read(file))  # type: ignore[misc]


@PACE
@given(data=st.data())
def test_a_graph(folder: Path, data: st.DataObject) -> None:
    table_graph(folder / "good.onnx")
    content = data.draw(damaged((folder / "good.onnx").read_bytes()))
    file, feeds = (
        _written(folder, "m.onnx", content),
        {"size": np.zeros(2), "colour": np.array(["red", "x"], object)},
    )

    def use() -> None:
        session = Session(file)
        session.require(signature_of(TABLE))
        session.run(feeds)

    _good_or_ours(use)


@PACE
@given(data=st.data())
def test_weights(folder: Path, data: st.DataObject) -> None:
    good = folder / "good.safetensors"
    if not good.exists():
        write_weights(good, Network(spec=SPEC, model=MODEL).state_dict())
    file = _written(folder, "w.safetensors", data.draw(damaged(good.read_bytes())))
    _good_or_ours(lambda: load_network(MODEL, SPEC, weights=file))
