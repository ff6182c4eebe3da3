"""The knobs of the gate: what a model must show before it may become champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Conditions on what the test split showed.

    With ``alias: manual`` no model becomes champion by itself. ``minimum`` and ``maximum`` bound
    metrics by name. The model must beat each of ``baselines`` on ``metric`` (auto: the task's
    objective) by more than chance on the same rows, and by ``baseline_gain`` or more, and be
    ``superior`` to the present champion on the same rows, or ``not_inferior`` to it: to lose at
    most ``margin``, in the metric's unit. On no slice may it lose more than ``slice_margin`` beyond
    chance (null: slices are not compared). ``level`` bounds the chance that a model which is no
    better becomes champion at one test split, over all looks at it. ``incomparable`` says what
    happens when the champion cannot be run on the present test rows: ``keep`` it, or ``replace``
    it. ``checks`` and ``faithfulness`` demand data checks without a warning and trustworthy
    explanations. ``calibration`` bounds the expected calibration error where the task has one,
    ``latency_ms`` the 95th percentile of a request of one row, ``size_mb`` the graph; null sets no
    bound.
    """

    alias: Literal["auto", "manual"] = "auto"
    minimum: Mapping[str, float] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)
    metric: str = "auto"
    baselines: tuple[str, ...] = ("trivial",)
    baseline_gain: Annotated[float, Ge(0)] = 0.0
    champion: Literal["superior", "not_inferior"] = "superior"
    level: Annotated[float, Gt(0), Lt(0.5)] = 0.05
    margin: Annotated[float, Ge(0)] = 0.0
    slice_margin: Annotated[float, Ge(0)] | None = 0.0
    incomparable: Literal["keep", "replace"] = "keep"
    checks: Literal["report", "require"] = "report"
    faithfulness: Literal["report", "require"] = "report"
    calibration: Annotated[float, Ge(0)] | None = None
    latency_ms: Annotated[float, Gt(0)] | None = None
    size_mb: Annotated[float, Gt(0)] | None = None


def contradictions(champion: str, *, margin: float) -> list[str]:
    """Return what is wrong with the knobs that concern the champion."""
    if champion == "not_inferior" and margin == 0:
        return [
            "gate.margin: expected more than 0 with gate.champion not_inferior, but got 0: say how "
            "much of the metric may be lost, or ask for superior"
        ]
    return []
