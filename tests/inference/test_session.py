"""Batches are bounded and put together in order; a broken graph is one clear error."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from assay.errors import ArtifactError
from assay.inference.session import Session


@pytest.fixture(scope="module")
def model():
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["batch"])
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["batch"])
    rows = helper.make_tensor_value_info("rows", TensorProto.INT64, [1])
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["rows"])]
    graph = helper.make_graph(nodes, "g", [x], [y, rows])
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()


def test_rows_are_run_in_bounded_batches_and_stay_in_order(model):
    found = Session(model, batch_size=4).run({"x": np.arange(10.0)})
    assert found["y"].tolist() == (-np.arange(10.0)).tolist()
    assert found["rows"].tolist() == [4, 4, 2]


def test_no_rows_give_empty_outputs(model):
    assert Session(model).run({"x": np.empty(0)})["y"].shape == (0,)


def test_a_file_and_its_bytes_are_alike(model, tmp_path):
    (tmp_path / "model.onnx").write_bytes(model)
    found = Session(tmp_path / "model.onnx").run({"x": np.ones(2)})
    assert found["y"].tolist() == [-1, -1]


def test_missing_damaged_and_misfed_graphs(model, tmp_path):
    with pytest.raises(ArtifactError, match="is missing: run 'dvc repro export'"):
        Session(tmp_path / "none.onnx")
    with pytest.raises(ArtifactError, match="is damaged, not ONNX"):
        Session(model[:20])
    with pytest.raises(ArtifactError, match="refuses these inputs"):
        Session(model).run({"x": np.ones((2, 2))})
    assert onnx.load_from_string(model).graph.name == "g"


@pytest.mark.parametrize("first", ["assay.inference.session", "assay.tracking.environment"])
def test_onnxruntime_reports_nothing(first, tmp_path):
    """It marks the folder for scratch files, and gives the user a number, where it reports."""
    env = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", f"import {first}, onnxruntime"], env=env, check=True)
    assert not list(tmp_path.iterdir())
