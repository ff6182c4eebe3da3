"""Three small graphs, made by hand: of tables, of images, and of texts."""

from __future__ import annotations

from onnx import TensorProto, helper

from assay.data.spec import Column, Image, Spec, Text
from assay.data.tokenizer import Tokens, learn_tokenizer
from assay.inference.signature import signature_of

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
WORDS = ("dull", "fine", "great")
TEXTS = Spec(
    task="regression",
    kind="text",
    target="y",
    train_rows=4,
    text=Text(
        column="review",
        tokenizer=learn_tokenizer(WORDS, Tokens()),
        vocabulary=2 + len(WORDS),
        steps=4,
    ),
)


def save(file, nodes, constants, spec):
    types = {
        "double": TensorProto.DOUBLE,
        "float": TensorProto.FLOAT,
        "string": TensorProto.STRING,
        "uint8": TensorProto.UINT8,
        "int64": TensorProto.INT64,
    }
    signature = signature_of(spec)
    inputs, outputs = (
        [
            helper.make_tensor_value_info(
                t.name, types[t.type], ["N", *(None if n == -1 else n for n in t.shape[1:])]
            )
            for t in ends
        ]
        for ends in (signature.inputs, signature.outputs)
    )
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    file.write_bytes(model.SerializeToString())
    return signature


def table_graph(file):
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
        helper.make_node("Add", ["float", "code"], ["score"]),
        helper.make_node("Reshape", ["score", "column"], ["yes"]),
        helper.make_node("Neg", ["yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
        helper.make_node("ArgMax", ["probability"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "best"], ["prediction"]),
    ]
    constants = [
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("classes", TensorProto.STRING, [2], [b"no", b"yes"]),
    ]
    return save(file, nodes, constants, TABLE)


def image_graph(file):
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["float", "axes"], ["prediction"], keepdims=0),
    ]
    constants = [helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])]
    return save(file, nodes, constants, IMAGES)


def text_graph(file):
    """The sum of a text's ids, a hundred for each token."""
    nodes = [
        helper.make_node("ReduceSum", ["tokens", "steps"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["lengths", "hundred"], ["hundreds"]),
        helper.make_node("Add", ["sum", "hundreds"], ["both"]),
        helper.make_node("Cast", ["both"], ["prediction"], to=TensorProto.FLOAT),
    ]
    constants = [
        helper.make_tensor("steps", TensorProto.INT64, [1], [1]),
        helper.make_tensor("hundred", TensorProto.INT64, [1], [100]),
    ]
    return save(file, nodes, constants, TEXTS)
