"""What is watched of each kind of data, through a real graph."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from assay.data.spec import Column, Forecast, Image, Series, Spec, Text
from assay.data.tokenizer import Tokens, learn_tokenizer
from assay.drift.watched import joined, require_watchable, watch
from assay.errors import DataError
from assay.inference.session import Session
from assay.inference.signature import signature_of

TYPES = {
    "double": TensorProto.DOUBLE,
    "float": TensorProto.FLOAT,
    "string": TensorProto.STRING,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
}


def session_of(signature, looked_at):
    """Return a graph whose prediction is the mean of one of its inputs, by row."""
    inputs = [
        helper.make_tensor_value_info(
            t.name, TYPES[t.type], ["N", *(f"{t.name}_{i}" for i in t.shape[1:])]
        )
        for t in signature.inputs
    ]
    output = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["N"])
    nodes = [
        helper.make_node("Cast", [looked_at], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["number"], ["flat"], axis=1),
        helper.make_node("ReduceMean", ["flat", "last"], ["prediction"], keepdims=0),
    ]
    last = helper.make_tensor("last", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(nodes, "mean", inputs, [output], [last])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return Session(model.SerializeToString())


def seen(spec, batches, looked_at):
    signature = signature_of(spec)
    session = session_of(signature, looked_at)
    parts = [watch(batch, session.run(batch), signature) for batch in batches]
    return {w.name: w for w in joined(parts)}


def test_a_table_by_its_columns_and_what_is_said_of_it():
    spec = Spec(
        task="regression",
        kind="table",
        target="y",
        train_rows=4,
        columns=(
            Column(name="size", type="numeric"),
            Column(name="old", type="boolean"),
            Column(name="colour", type="categorical", categories=("blue", "red")),
        ),
    )
    batch = {
        "size": np.array([1.0, np.nan]),
        "old": np.array([1.0, np.nan]),
        "colour": np.array(["red", "pink"], object),
    }
    more = {"size": np.array([5.0]), "old": np.array([0.0]), "colour": np.array([""], object)}
    found = seen(spec, [batch, more], "size")
    np.testing.assert_array_equal(found["size"].values, [1.0, np.nan, 5.0])
    assert found["old"].values.tolist() == ["true", "(missing)", "false"]
    assert found["colour"].values.tolist() == ["red", "(never seen in training)", "(missing)"]
    assert (found["prediction"].of, found["size"].of) == ("output", "input")
    assert found["prediction"].values[2] == 5.0


def test_an_image_by_its_light_and_its_detail():
    image = Image(channels=1, height=2, width=2, mean=(0.0,), std=(1.0,))
    spec = Spec(task="regression", kind="image", target="y", train_rows=4, image=image)
    pictures = np.array([[[[0, 0], [0, 0]]], [[[0, 100], [0, 100]]]], np.uint8)
    found = seen(spec, [{"image": pictures}], "image")
    assert found["brightness"].values.tolist() == [0.0, 50.0]
    assert found["contrast"].values.tolist() == [0.0, 50.0]
    assert found["detail"].values.tolist() == [0.0, 50.0]


def test_a_sequence_by_its_length_and_its_channels_up_to_its_end():
    series = Series(channels=("t",), steps=3, shortest=1, mean=(0.0,), std=(1.0,))
    spec = Spec(task="regression", kind="sequence", target="y", train_rows=4, series=series)
    steps = np.array([[[1.0], [3.0], [99.0]], [[np.nan], [5.0], [5.0]], [[np.nan]] * 3], np.float32)
    batch = {"sequence": steps, "lengths": np.array([2, 3, 3])}
    found = seen(spec, [batch], "lengths")
    assert found["length"].values.tolist() == [2.0, 3.0, 3.0]
    np.testing.assert_array_equal(found["mean of t"].values, [2.0, 5.0, np.nan])
    np.testing.assert_array_equal(found["spread of t"].values, [1.0, 0.0, np.nan])


def test_a_text_by_its_length_and_by_what_training_did_not_have():
    words = learn_tokenizer(["dull", "fine"], Tokens())
    text = Text(column="said", tokenizer=words, vocabulary=4, steps=3)
    spec = Spec(task="regression", kind="text", target="y", train_rows=4, text=text)
    batch = {"tokens": np.array([[1, 2, 0], [3, 0, 0]]), "lengths": np.array([2, 1])}
    found = seen(spec, [batch], "tokens")
    assert found["length in tokens"].values.tolist() == [2.0, 1.0]
    assert found["share of unknown tokens"].values.tolist() == [0.5, 0.0]


def test_what_cannot_be_watched_is_said():
    series = Series(channels=("t",), steps=3, shortest=3, mean=(0.0,), std=(1.0,))
    ahead = Forecast(
        horizon=1,
        window=3,
        series=("t",),
        level="last",
        mean=(0.0,),
        std=(1.0,),
        season=1,
        naive=(1.0,),
    )
    forecast = Spec(
        task="forecasting", kind="sequence", target="", train_rows=4, series=series, forecast=ahead
    )
    with pytest.raises(DataError, match="overlap"):
        require_watchable(signature_of(forecast))
