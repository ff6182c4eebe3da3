"""Read an ONNX file that is whole in itself: no tensor of it may lie in another file; cut a graph in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto, TensorProto, helper
from onnx.utils import Extractor

from assay.errors import ArtifactError

_MAKE = "run 'dvc repro export' to make it"


def read_graph(path: Path) -> bytes:
    """Return the bytes of an ONNX file.

    Raises ArtifactError where it is missing, is no ONNX, or keeps tensors in other files: an
    address within a graph can name any file of the machine that loads it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing: {_MAKE}") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error
    require_whole(content, name=str(path))
    return content


def require_whole(content: bytes, *, name: str) -> None:
    """Raise ArtifactError for bytes that are no ONNX model, or not all of one."""
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{name} is damaged, not ONNX: {error}") from error
    if not model.graph.node:
        raise ArtifactError(f"{name} is damaged, not ONNX: it holds no graph")
    outside = [tensor.name for tensor in _tensors(model) if _is_outside(tensor)]
    if outside:
        raise ArtifactError(
            f"{name} keeps {len(outside)} tensors in other files, the first is '{outside[0]}': "
            "expected a graph that is one file; save it without external data"
        )


def _is_outside(tensor: onnx.TensorProto) -> bool:
    return tensor.data_location != onnx.TensorProto.DEFAULT or len(tensor.external_data) > 0


def _tensors(message: Message) -> Iterator[onnx.TensorProto]:
    """Yield every tensor of a model: initializers, attributes, those of subgraphs and functions."""
    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for _, value in message.ListFields():
        inner = [value] if isinstance(value, Message) else value
        if not isinstance(inner, (str, bytes, int, float)):
            yield from (t for m in inner if isinstance(m, Message) for t in _tensors(m))


_CUTS: Mapping[str, int] = {
    "assay/numeric": TensorProto.FLOAT,
    "assay/categorical": TensorProto.INT64,
}
"""Where exported graphs have put a table's columns side by side, (rows, columns)."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A table's graph in parts: ``encoders`` up to each cut, of which ``columns``, and the ``body`` behind."""

    encoders: Mapping[str, bytes]
    columns: Mapping[str, tuple[str, ...]]
    body: bytes


def cut(model: bytes, *, columns: Sequence[str], outputs: Sequence[str]) -> Parts | None:
    """Cut a graph where its ``columns`` lie side by side; None where it is not made like that."""
    graph = onnx.load_from_string(model)
    joined = {node.output[0]: node for node in graph.graph.node if node.output[0] in _CUTS}
    made_of = {
        name: tuple(_column_of(graph, tensor, columns) for tensor in node.input)
        for name, node in joined.items()
    }
    if sorted(name for names in made_of.values() for name in names) != sorted(columns):
        return None
    for name, node in joined.items():
        shape: list[str | int | None] = ["rows", len(node.input)]
        graph.graph.value_info.append(helper.make_tensor_value_info(name, _CUTS[name], shape))
    extractor = Extractor(graph)
    return Parts(
        encoders={
            name: extractor.extract_model(list(names), [name]).SerializeToString()
            for name, names in made_of.items()
        },
        columns=made_of,
        body=extractor.extract_model(list(joined), list(outputs)).SerializeToString(),
    )


def _column_of(graph: ModelProto, tensor: str, columns: Sequence[str]) -> str:
    """Follow a tensor back to the one column that it is made of; nothing where it is made of several."""
    made_by = {name: node for node in graph.graph.node for name in node.output}
    constants = {constant.name for constant in graph.graph.initializer}
    while tensor not in columns:
        node = made_by.get(tensor)
        given = [name for name in node.input if name not in constants] if node else []
        if len(given) != 1:
            return ""
        tensor = given[0]
    return tensor
