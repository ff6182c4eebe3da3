"""The whole graph: the user's raw inputs, the network, the user's own classes.

Numbers are doubles, cast to float32. Text is encoded by ``LabelEncoder`` of ``ai.onnx.ml``, with
code 0 for a category that training did not have. Names of inner values begin with ``assay/``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from assay.data.spec import Column, Spec, Task, required
from assay.errors import ExportError
from assay.export.core import ANSWER
from assay.inference.signature import (
    ANOMALY,
    GIVEN,
    IMAGE,
    LIKELIHOOD,
    PREDICTION,
    PROBABILITY,
    RECONSTRUCTION,
    SCORE,
    Signature,
    Tensor,
)

_INNER = "assay/"
_ML_OPSET = 3
_TYPES = {
    "double": TensorProto.DOUBLE,
    "float": TensorProto.FLOAT,
    "string": TensorProto.STRING,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
}
_DTYPES = {"bool": np.bool_, "int64": np.int64, "string": np.object_}
_NodesOf = Callable[[Column, str], list[NodeProto]]
Tail: TypeAlias = tuple[list[NodeProto], list[TensorProto]]
"""Nodes from the network's answer to the graph's outputs, and the constants that they need."""

_ROWS, _COLUMN = _INNER + "rows", _INNER + "column"


def whole_graph(core: onnx.ModelProto, *, spec: Spec, signature: Signature) -> onnx.ModelProto:
    """Return ``core`` between raw inputs and outputs as the signature has them.

    Raises ExportError when a column is named like an output, or the graph is not valid.
    """
    _require_free_names(signature)
    _rename(core.graph)
    head = _table_head(spec) if spec.kind == "table" else _plain_head(signature)
    tail, labels = _TAILS[spec.task](spec, signature)
    graph = helper.make_graph(
        [*head, *core.graph.node, *tail],
        "assay",
        [_value(tensor) for tensor in signature.inputs],
        [_value(tensor) for tensor in signature.outputs],
        [*core.graph.initializer, *_shapes([*head, *tail]), *labels],
    )
    opsets = {**{o.domain: o.version for o in core.opset_import}, "ai.onnx.ml": _ML_OPSET}
    model = helper.make_model(
        graph,
        ir_version=core.ir_version,
        producer_name="assay",
        functions=list(core.functions),
        opset_imports=[helper.make_opsetid(domain, v) for domain, v in sorted(opsets.items())],
    )
    facts = {"task": spec.task, "target": spec.target, "classes": json.dumps(spec.classes)}
    helper.set_model_props(model, facts)
    return _checked(model)


def _require_free_names(signature: Signature) -> None:
    outputs = [tensor.name for tensor in signature.outputs]
    for tensor in signature.inputs:
        if tensor.name in outputs or tensor.name.startswith(_INNER):
            raise ExportError(
                f"column '{tensor.name}' has a name that the graph needs for itself "
                f"({', '.join(outputs)} and what begins with '{_INNER}'): rename the column"
            )


def _rename(graph: onnx.GraphProto) -> None:
    """Put every value of the core under ``assay/``, so that no column's name meets one."""
    for node in graph.node:
        node.name = _INNER + node.name
        node.input[:] = [_inner(name) for name in node.input]
        node.output[:] = [_inner(name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = _inner(initializer.name)


def _inner(name: str) -> str:
    return _INNER + name if name else name


def _value(tensor: Tensor) -> ValueInfoProto:
    free = "features" if tensor.holds == "output" else "steps"
    shape = ["batch", *(free if size < 0 else size for size in tensor.shape[1:])]
    return helper.make_tensor_value_info(tensor.name, _TYPES[tensor.type], shape)


def _shapes(nodes: Sequence[NodeProto]) -> list[TensorProto]:
    used = {name for node in nodes for name in node.input}
    shapes = {_ROWS: [-1], _COLUMN: [-1, 1]}
    return [
        numpy_helper.from_array(np.array(shape, np.int64), name)
        for name, shape in shapes.items()
        if name in used
    ]


def _plain_head(signature: Signature) -> list[NodeProto]:
    """Inputs that the network takes as they come."""
    names = [tensor.name for tensor in signature.inputs]
    return [helper.make_node("Identity", [n], [_inner(n)], name=_inner(f"head/{n}")) for n in names]


def _table_head(spec: Spec) -> list[NodeProto]:
    return [
        *_joined("numeric", spec.numeric, _number_nodes),
        *_joined("categorical", spec.categorical, _text_nodes),
    ]


def _joined(tensor: str, columns: Sequence[Column], nodes_of: _NodesOf) -> list[NodeProto]:
    if not columns:
        return []
    parts = [f"{_INNER}{tensor}/{i}" for i in range(len(columns))]
    nodes = [n for column, part in zip(columns, parts, strict=True) for n in nodes_of(column, part)]
    return [*nodes, helper.make_node("Concat", parts, [_inner(tensor)], axis=1)]


def _number_nodes(column: Column, result: str) -> list[NodeProto]:
    return [
        helper.make_node("Cast", [column.name], [result + "/float"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", [result + "/float", _COLUMN], [result]),
    ]


def _text_nodes(column: Column, result: str) -> list[NodeProto]:
    return [
        helper.make_node(
            "LabelEncoder",
            [column.name],
            [result + "/code"],
            domain="ai.onnx.ml",
            keys_strings=list(column.categories),
            values_int64s=list(range(1, len(column.categories) + 1)),
            default_int64=0,
        ),
        helper.make_node("Reshape", [result + "/code", _COLUMN], [result]),
    ]


def _value_tail(spec: Spec, signature: Signature) -> Tail:
    return [helper.make_node("Reshape", [_inner(ANSWER), _ROWS], [PREDICTION])], []


def _forecast_tail(spec: Spec, signature: Signature) -> Tail:
    return [helper.make_node("Identity", [_inner(ANSWER)], [PREDICTION])], []


def _class_tail(spec: Spec, signature: Signature) -> Tail:
    answer = _inner(ANSWER)
    dtype = _DTYPES[signature.outputs[0].type]
    labels = numpy_helper.from_array(np.array(spec.classes, dtype), _INNER + "classes")
    code, weights, weighed = (_inner(name) for name in ("code", "weights", "weighed"))
    decides = weighed if signature.weights else answer
    nodes = [
        helper.make_node("Identity", [answer], [PROBABILITY]),
        helper.make_node("ArgMax", [decides], [code], axis=1, keepdims=0),
        helper.make_node("Gather", [_INNER + "classes", code], [PREDICTION]),
    ]
    if not signature.weights:
        return nodes, [labels]
    constant = numpy_helper.from_array(np.array(signature.weights, np.float32), weights)
    return [helper.make_node("Mul", [answer, weights], [weighed]), *nodes], [labels, constant]


def _text_tail(spec: Spec, signature: Signature) -> Tail:
    """From log-likelihood and probabilities in one matrix to both, and the most probable token."""
    sizes, likelihood = _inner("sizes"), _inner("likelihood")
    parts = np.array([1, required(spec.text).vocabulary], np.int64)
    nodes = [
        helper.make_node("Split", [_inner(ANSWER), sizes], [likelihood, PROBABILITY], axis=1),
        helper.make_node("Reshape", [likelihood, _ROWS], [LIKELIHOOD]),
        helper.make_node("ArgMax", [PROBABILITY], [PREDICTION], axis=1, keepdims=0),
    ]
    return nodes, [numpy_helper.from_array(parts, sizes)]


def _tag_tail(spec: Spec, signature: Signature) -> Tail:
    """From probabilities (batch, steps, tags) to them and each step's most probable tag."""
    answer, code = _inner(ANSWER), _inner("code")
    tags = numpy_helper.from_array(np.array(spec.classes, object), _inner("classes"))
    nodes = [
        helper.make_node("Identity", [answer], [PROBABILITY]),
        helper.make_node("ArgMax", [answer], [code], axis=2, keepdims=0),
        helper.make_node("Gather", [_inner("classes"), code], [PREDICTION]),
    ]
    return nodes, [tags]


def _image_tail(spec: Spec, signature: Signature) -> Tail:
    return [helper.make_node("Identity", [_inner(ANSWER)], [IMAGE])], []


def _anomaly_tail(spec: Spec, signature: Signature) -> Tail:
    """From the pair (batch, 2, features) to both, the mean square of their difference, and a flag."""
    answer, first, second, axis = (_inner(n) for n in (ANSWER, "first", "second", "axis"))
    difference, threshold = _inner("difference"), _inner("threshold")
    constants = {first: np.int64(0), second: np.int64(1), axis: np.array([1], np.int64)}
    constants[threshold] = np.float32(required(signature.threshold))
    nodes = [
        helper.make_node("Gather", [answer, first], [RECONSTRUCTION], axis=1),
        helper.make_node("Gather", [answer, second], [GIVEN], axis=1),
        helper.make_node("Sub", [RECONSTRUCTION, GIVEN], [difference]),
        helper.make_node("Mul", [difference, difference], [difference + "/square"]),
        helper.make_node("ReduceMean", [difference + "/square", axis], [SCORE], keepdims=0),
        helper.make_node("Greater", [SCORE, threshold], [ANOMALY]),
    ]
    return nodes, [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]


def _label_tail(spec: Spec, signature: Signature) -> Tail:
    answer, thresholds, given = (_inner(n) for n in (ANSWER, "thresholds", "given"))
    nodes = [
        helper.make_node("Identity", [answer], [PROBABILITY]),
        helper.make_node("Greater", [answer, thresholds], [given]),
        helper.make_node("Cast", [given], [PREDICTION], to=TensorProto.INT64),
    ]
    limits = np.array(signature.thresholds, np.float32)
    return nodes, [numpy_helper.from_array(limits, thresholds)]


_TAILS: Mapping[Task, Callable[[Spec, Signature], Tail]] = {
    "language_modelling": _text_tail,
    "tagging": _tag_tail,
    "classification": _class_tail,
    "multilabel": _label_tail,
    "regression": _value_tail,
    "forecasting": _forecast_tail,
    "reconstruction": _anomaly_tail,
    "generation": _image_tail,
}


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        checker.check_model(model, full_check=True)
    except (checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the composed graph is not valid ONNX: {error}") from error
    return model
