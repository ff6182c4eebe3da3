"""Knobs of the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt


@dataclass(frozen=True, kw_only=True)
class Export:
    """How the graph is made and how closely it must agree with the network.

    ``tolerance`` is the largest difference allowed on the validation rows: of a probability, or
    of a predicted value in units of the target's standard deviation. ``calibrate: temperature``
    divides the logits by one number fitted on validation rows, where that lowers the log loss of
    rows that it was not fitted on. ``false_alarms`` is the share of validation rows that a
    reconstruction flags as anomalies where none of them is known to be one. ``decide`` says where a
    probability is enough to give a row one of several labels: above one half, or above the threshold
    of the label's highest F1 on validation rows. ``costs`` says by class, by default 1, what it costs to
    take a row of it for another: of two classes the threshold of least cost on validation rows decides,
    of more the calibrated probabilities times the costs. Empty: the most probable class.
    """

    tolerance: Annotated[float, Gt(0)] = 1e-4
    opset: Annotated[int, Ge(18), Le(23)] = 20
    decide: Literal["half", "f1"] = "f1"
    calibrate: Literal["none", "temperature"] = "temperature"
    costs: Mapping[str, Annotated[float, Gt(0)]] = field(default_factory=dict)
    false_alarms: Annotated[float, Gt(0), Lt(1)] = 0.01
