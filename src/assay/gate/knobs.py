"""The knobs of the gate: what a model must show before it may become champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Conditions on the metrics of the test split.

    With ``alias: manual`` no model becomes champion by itself. ``minimum`` and ``maximum`` bound
    metrics by name. The model must beat each of ``baselines`` on ``metric`` (auto: the task's
    objective), and the present champion on the same rows by more than ``margin``, in the metric's
    unit. ``incomparable`` says what happens when the champion cannot be run on the present test
    rows: ``keep`` it, or ``replace`` it. ``faithfulness: require`` demands trustworthy
    explanations.
    """

    alias: Literal["auto", "manual"] = "auto"
    minimum: Mapping[str, float] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)
    metric: str = "auto"
    baselines: tuple[str, ...] = ("trivial",)
    margin: Annotated[float, Ge(0)] = 0.0
    incomparable: Literal["keep", "replace"] = "keep"
    faithfulness: Literal["report", "require"] = "report"
