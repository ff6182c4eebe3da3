"""Read an ONNX file that is whole in itself: no tensor of it may lie in another file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message

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
