"""Run an ONNX graph on the CPU in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as state

from assay.errors import ArtifactError

_ERRORS_ONLY = 3
_REFUSALS: tuple[type[Exception], ...] = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
    RuntimeError,
    ValueError,
)

Feeds = Mapping[str, np.ndarray]


class Session:
    """A loaded graph, from a file or from its bytes.

    Raises ArtifactError when ONNX Runtime cannot load it.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 2, batch_size: int = 1024) -> None:
        self._batch_size = batch_size
        self._session = _load(model, threads)
        self.outputs = tuple(node.name for node in self._session.get_outputs())

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Return every output for all rows of ``feeds``, which share their first axis."""
        return self.stream(_slices(feeds, self._batch_size))

    def stream(self, batches: Iterable[Feeds]) -> dict[str, np.ndarray]:
        """Return every output for batches that are made while they are consumed."""
        parts = [self._run(batch) for batch in batches]
        return {
            name: np.concatenate([np.asarray(part[i]) for part in parts])
            for i, name in enumerate(self.outputs)
        }

    def _run(self, feeds: Feeds) -> list[np.ndarray]:
        try:
            return list(self._session.run(list(self.outputs), dict(feeds)))
        except _REFUSALS as error:
            raise ArtifactError(f"the graph refuses these inputs: {error}") from error


def _load(model: Path | bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    source = model if isinstance(model, bytes) else str(model)
    if isinstance(model, Path) and not model.is_file():
        raise ArtifactError(f"{model} is missing: run 'dvc repro export' to make it")
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        raise ArtifactError(f"the graph cannot be loaded by ONNX Runtime: {error}") from error


def _slices(feeds: Feeds, size: int) -> Iterator[Feeds]:
    rows = len(next(iter(feeds.values())))
    for start in range(0, max(1, rows), size):
        yield {name: array[start : start + size] for name, array in feeds.items()}
