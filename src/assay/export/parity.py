"""Does the graph say what the network said? Measured on validation rows, through raw inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.data.prepared import Split
from assay.data.spec import Spec, Task, required
from assay.errors import ExportError
from assay.export.scorer import Scorer, answers, errors_of
from assay.inference.feeds import split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.inference.signature import Signature

_BATCH = 256
Unit: TypeAlias = Literal[
    "probability",
    "standard deviations of the target",
    "standard deviations of the series",
    "variances of the features",
    "nats a token",
    "share of pixels that differ",
]
_UNITS: Mapping[Task, Callable[[Spec], tuple[Unit, float | np.ndarray]]] = {
    "language_modelling": lambda spec: ("nats a token", 1.0),
    "tagging": lambda spec: ("probability", 1.0),
    "classification": lambda spec: ("probability", 1.0),
    "multilabel": lambda spec: ("probability", 1.0),
    "regression": lambda spec: ("standard deviations of the target", spec.target_std),
    "forecasting": lambda spec: (
        "standard deviations of the series",
        np.array(required(spec.forecast).std),
    ),
    "reconstruction": lambda spec: ("variances of the features", 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest difference in ``unit``, over how many rows, and the share of equal classes."""

    largest_difference: float
    unit: Unit
    rows: int
    tolerance: float
    equal_labels: float | None = None


def measure_parity(
    model: bytes,
    scorer: Scorer,
    *,
    spec: Spec,
    signature: Signature,
    valid: Split,
    tolerance: float,
) -> Parity:
    """Return how far graph and network are apart; ExportError above the tolerance."""
    expected = answers(scorer, valid).astype(np.float64)
    if scorer.network.is_paired:
        expected = errors_of(expected)
    feeds = split_feeds(valid, signature, batch_size=_BATCH)
    found = scores_of(Session(model).stream(feeds), signature)
    if scorer.network.is_language:
        tokens = np.maximum(valid.lengths - 1, 1)
        expected, found = expected[:, 0] / tokens, found / tokens
    found = found[..., 0] if found.ndim > expected.ndim else found
    unit, scale = _UNITS[spec.task](spec)
    difference = np.abs(found - expected) / scale
    parity = Parity(
        largest_difference=float(difference.max(initial=0.0)),
        unit=unit,
        rows=len(valid),
        tolerance=tolerance,
        equal_labels=_equal_labels(found, expected) if spec.task == "classification" else None,
    )
    _require(parity, worst=int(difference.reshape(len(valid), -1).max(1).argmax()))
    return parity


def _equal_labels(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.mean(found.argmax(1) == expected.argmax(1)))


def _require(parity: Parity, *, worst: int) -> None:
    if not parity.largest_difference <= parity.tolerance:
        raise ExportError(
            f"the graph differs from the network by {parity.largest_difference:.3g} "
            f"({parity.unit}) in validation row {worst}, and export.tolerance allows "
            f"{parity.tolerance:.3g}: an operation of the model is exported wrongly, or the "
            "tolerance is too strict for this model"
        )
