"""Names of what evaluating holds a network against, trained and exported beside it."""

from __future__ import annotations

BESIDE, LIST = "beside", "list.json"
"""The folder of their weights in the output of ``train``, and the list of what a folder holds."""

WITH_SAMPLES = "with_samples"
"""A judge that learned from training rows and as many samples of a generator."""


def graph_of(name: str) -> str:
    """Return the file of an instrument's graph."""
    return f"{name}.onnx"
