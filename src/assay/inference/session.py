"""Run an ONNX graph on the CPU in batches of bounded size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

# Found when it is imported; else it reports its use to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as state

from assay.data.ragged import of_one_width
from assay.errors import ArtifactError
from assay.inference.graph import read_graph, require_whole
from assay.inference.signature import Signature

_FATAL_ONLY = 4  # what is refused is said once, by us
_SHOWN = 5
# ONNX Runtime's errors have no common base class.
_REFUSALS: tuple[type[Exception], ...] = (
    *(e for e in vars(state).values() if isinstance(e, type) and issubclass(e, Exception)),
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
Feeds = Mapping[str, np.ndarray]
Ends = dict[str, tuple[str, int]]


class Session:
    """A loaded graph, from a file or from its bytes.

    Raises ArtifactError for a graph that is not one whole file, or that ONNX Runtime cannot load.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 2, batch_size: int = 1024) -> None:
        self._batch_size = batch_size
        self._session, self._ends = _load(model, threads)
        self.outputs = tuple(self._ends[1])

    def require(self, signature: Signature) -> None:
        """Raise ArtifactError where the graph takes or gives other tensors than the signature says."""
        told = (signature.inputs, signature.outputs)
        for found, tensors in zip(self._ends, told, strict=True):
            expected = {t.name: (f"tensor({t.type})", len(t.shape)) for t in tensors}
            if found != expected or not found:
                raise ArtifactError(
                    "the graph and its signature do not belong together: expected "
                    f"{_listed(expected)}, but the graph has {_listed(found)}"
                )

    def run(self, feeds: Feeds, *, only: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
        """Return every output, or ``only`` these, for all rows of ``feeds``, which share their first axis."""
        return self.stream(_slices(feeds, self._batch_size), only=only)

    def stream(
        self, batches: Iterable[Feeds], *, only: tuple[str, ...] = ()
    ) -> dict[str, np.ndarray]:
        """Return every output, or ``only`` these, for batches that are made while they are consumed."""
        names = only or self.outputs
        parts = [self._run(batch, names) for batch in batches]
        return {
            name: np.concatenate(of_one_width([np.asarray(part[i]) for part in parts]))
            for i, name in enumerate(names)
        }

    def _run(self, feeds: Feeds, names: tuple[str, ...]) -> list[np.ndarray]:
        try:
            return list(self._session.run(list(names), dict(feeds)))
        except _REFUSALS as error:
            raise ArtifactError(f"the graph refuses these inputs: {error}") from error


def _listed(ends: Mapping[str, tuple[str, int]]) -> str:
    names = [f"'{name}' ({kind}, {axes} axes)" for name, (kind, axes) in sorted(ends.items())]
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") or "nothing"


def _load(model: Path | bytes, threads: int) -> tuple[ort.InferenceSession, tuple[Ends, Ends]]:
    """Return a session, and type and number of axes of its inputs and outputs by name."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if isinstance(model, Path):
        model = read_graph(model)
    else:
        require_whole(model, name="the graph")
    try:
        session = ort.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
        return session, (_ends(session.get_inputs()), _ends(session.get_outputs()))
    except _REFUSALS as error:
        raise ArtifactError(f"the graph cannot be loaded by ONNX Runtime: {error}") from error


def _ends(nodes: Iterable[ort.NodeArg]) -> Ends:
    return {str(node.name): (str(node.type), len(node.shape)) for node in nodes}


def _slices(feeds: Feeds, size: int) -> Iterator[Feeds]:
    arrays = dict(feeds.items())
    rows = len(next(iter(arrays.values())))
    for start in range(0, max(1, rows), size):
        yield {name: array[start : start + size] for name, array in arrays.items()}
