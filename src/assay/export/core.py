"""The torch part of the graph: from the network's inputs to its answer, rows and steps free."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from assay.errors import ExportError

ANSWER = "answer"
_BATCH, _STEPS = torch.export.Dim("batch"), torch.export.Dim("steps")
_STEPPED = frozenset({"sequence", "tokens"})


def core_graph(module: nn.Module, *, example: Mapping[str, Tensor], opset: int) -> onnx.ModelProto:
    """Return a module as an ONNX model with one output.

    Its inputs come by position in the order of ``example``, by whose names the graph has them.

    Raises ExportError when an operation of the model has no ONNX counterpart.
    """
    free = tuple(_free_axes(name) for name in example)
    try:
        with _quiet():
            program: Any = torch.onnx.export(
                module,
                tuple(example.values()),
                dynamo=True,
                dynamic_shapes={"tensors": free},
                input_names=list(example),
                output_names=[ANSWER],
                opset_version=opset,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        cause = str(error.__cause__ or error).strip().splitlines()
        raise ExportError(
            f"the model cannot be written as an ONNX graph: {cause[0] if cause else error}; "
            "use operations that torch.onnx.export knows, with a free batch size"
        ) from error
    return _bare(program.model_proto)


def _free_axes(name: str) -> dict[int, torch.export.Dim]:
    """Return the axes of an input whose size is the caller's: rows, and steps where there are some."""
    return {0: _BATCH, 1: _STEPS} if name in _STEPPED else {0: _BATCH}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter, which prints and warns about its own insides."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes, which hold source lines and paths of the machine at work."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer, graph, model):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.value_info[:]
    return model
