"""Judge a model: conditions with what was wanted, what was found, and whether that passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from assay.data.spec import Task
from assay.errors import ConfigError, nearest
from assay.gate.condition import Condition
from assay.gate.knobs import Gate, contradictions
from assay.metrics.objective import Objective, direction, objective

Alias: TypeAlias = Literal["champion", "challenger"]
Measured: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By a metric's name ``value``, ``low`` and ``high``, any of them None."""
_CALIBRATION_ERROR = "ece"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the earlier stages found on the test split.

    ``metrics`` and ``baselines`` hold value, low and high by name, ``beside`` those of the paired
    differences, model minus baseline, ``explanations`` a verdict in
    words by the method's name, where ``trustworthy`` is the good one, ``warnings`` the data checks
    that found something. ``latency_ms`` are the 95th percentile and its interval.
    """

    metrics: Measured
    baselines: Mapping[str, Measured]
    difference: float
    tolerance: float
    beside: Mapping[str, Measured] = field(default_factory=dict)
    explanations: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    latency_ms: tuple[float, float, float] | None = None
    size_bytes: int = 0


def metric_of(gate: Gate, *, task: Task) -> Objective:
    """Return the metric on which baselines and champion are met."""
    if gate.metric == "auto":
        return objective(task)
    return Objective(name=gate.metric, direction=direction(gate.metric))


def judge(gate: Gate, evidence: Evidence, *, goal: Objective) -> list[Condition]:
    """Return every condition but that on the champion.

    Raises ConfigError for a metric or a baseline that nobody measured.
    """
    _require_known(gate, evidence, goal)
    return [
        *_bounds(gate, evidence.metrics),
        *_baselines(gate, evidence, goal),
        *_calibration(gate, evidence.metrics),
        _parity(evidence),
        *_explanations(gate, evidence),
        *_checks(gate, evidence),
        *_budgets(gate, evidence),
    ]


def _require_known(gate: Gate, evidence: Evidence, goal: Objective) -> None:
    asked = {f"gate.minimum.{name}": name for name in gate.minimum}
    asked |= {f"gate.maximum.{name}": name for name in gate.maximum}
    asked["gate.metric"] = goal.name
    problems = [
        f"{key}: the evaluation has no metric '{name}'{nearest(name, evidence.metrics)}"
        for key, name in asked.items()
        if name not in evidence.metrics
    ]
    problems += [
        f"gate.baselines: there is no baseline '{name}'{nearest(name, evidence.baselines)}"
        for name in gate.baselines
        if name not in evidence.baselines
    ]
    problems += contradictions(gate.champion, margin=gate.margin)
    if problems:
        raise ConfigError(problems)


def _bounds(gate: Gate, metrics: Measured) -> Iterator[Condition]:
    for name, bound in gate.minimum.items():
        value = metrics[name]["value"]
        is_met = value is not None and value >= bound
        yield _bound(name, "at least", bound, metrics[name], is_met=is_met)
    for name, bound in gate.maximum.items():
        value = metrics[name]["value"]
        is_met = value is not None and value <= bound
        yield _bound(name, "at most", bound, metrics[name], is_met=is_met)


def _bound(
    name: str, wanted: str, bound: float, found: Mapping[str, Any], *, is_met: bool
) -> Condition:
    return Condition(
        name=name,
        wanted=f"{wanted} {bound:g}",
        found=_shown(found),
        passed=is_met,
        reason=str(found.get("reason", "")) if found["value"] is None else _across(found, bound),
    )


def _across(found: Mapping[str, Any], bound: float) -> str:
    """Say where chance alone may decide: a bound is held against the value, not against its interval."""
    low, high = found.get("low"), found.get("high")
    if low is None or high is None or not low < bound < high:
        return ""
    return "by its value; the interval reaches over the bound, so chance may decide"


def _baselines(gate: Gate, evidence: Evidence, goal: Objective) -> Iterator[Condition]:
    found = evidence.metrics[goal.name]
    for name in gate.baselines:
        theirs = evidence.baselines[name].get(goal.name, {"value": None})
        by = f" by {gate.baseline_gain:g} or more" if gate.baseline_gain else ""
        passed, verdict, reason = _met(
            gate, goal, found, theirs, evidence.beside.get(name, {}).get(goal.name, {})
        )
        yield Condition(
            name=f"beats the {name} baseline",
            wanted=f"{goal.name} {_better(goal)} {_shown(theirs)}{by}, beyond chance",
            found=_shown(found),
            passed=passed,
            verdict=verdict,
            reason=reason,
        )


def _met(
    gate: Gate,
    goal: Objective,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    difference: Mapping[str, Any],
) -> tuple[bool, str, str]:
    """Return whether a baseline is beaten, the verdict's word and the reason.

    The interval of the gain on the same rows must lie above the gain that was asked for. Where
    there is no interval the two numbers are all there is.
    """
    if ours["value"] is None:
        return False, "", str(ours.get("reason", ""))
    if theirs["value"] is None:
        return True, "", "the baseline has no such value"
    sign = 1 if goal.direction == "maximize" else -1
    gain = sign * (ours["value"] - theirs["value"])
    ends = [sign * difference[end] for end in ("low", "high") if difference.get(end) is not None]
    if len(ends) < 2:
        is_met = gain > 0 and gain >= gate.baseline_gain
        return is_met, "", "two numbers without an interval"
    low, high = sorted(ends)
    told = f"gain {gain:+.4g} ({low:+.4g} to {high:+.4g}), paired bootstrap"
    if low > 0 and low >= gate.baseline_gain:
        return True, "superior", told
    return False, "inferior" if high < 0 else "undecided", told


def _calibration(gate: Gate, metrics: Measured) -> Iterator[Condition]:
    found = metrics.get(_CALIBRATION_ERROR)
    if gate.calibration is not None and found is not None:
        value = found["value"]
        is_met = value is not None and value <= gate.calibration
        wanted = "an expected error of at most"
        yield _bound("calibration", wanted, gate.calibration, found, is_met=is_met)


def _parity(evidence: Evidence) -> Condition:
    return Condition(
        name="the graph says what the network said",
        wanted=f"a difference of at most {evidence.tolerance:.3g}",
        found=f"{evidence.difference:.3g}",
        passed=evidence.difference <= evidence.tolerance,
    )


def _explanations(gate: Gate, evidence: Evidence) -> Iterator[Condition]:
    if gate.faithfulness == "require":
        for method, verdict in evidence.explanations.items():
            yield Condition(
                name=f"explanations, {method}",
                wanted="trustworthy",
                found=verdict,
                passed=verdict == "trustworthy",
            )


def _checks(gate: Gate, evidence: Evidence) -> Iterator[Condition]:
    if gate.checks == "require":
        yield Condition(
            name="the checks of the data",
            wanted="no warning",
            found="; ".join(evidence.warnings) or "no warning",
            passed=not evidence.warnings,
        )


def _budgets(gate: Gate, evidence: Evidence) -> Iterator[Condition]:
    if gate.latency_ms is not None and evidence.latency_ms is not None:
        value, low, high = evidence.latency_ms
        taken = {"low": low, "high": high}
        yield Condition(
            name="latency of one row, 95th percentile",
            wanted=f"at most {gate.latency_ms:g} ms",
            found=f"{value:.3g} ms ({low:.3g} to {high:.3g})",
            passed=value <= gate.latency_ms,
            reason=_across(taken, gate.latency_ms),
        )
    if gate.size_mb is not None:
        size = evidence.size_bytes / 1e6
        yield Condition(
            name="size of the graph",
            wanted=f"at most {gate.size_mb:g} MB",
            found=f"{size:.3g} MB",
            passed=size <= gate.size_mb,
        )


def alias_for(
    gate: Gate, conditions: Sequence[Condition], *, experiment: str | None
) -> tuple[Alias, str]:
    """Return the alias and why; ``experiment`` is the name of the DVC experiment, if it is one."""
    if not all(condition.passed for condition in conditions):
        return "challenger", "challenger, because a condition failed"
    if experiment:
        return "challenger", f"challenger, because '{experiment}' is a DVC experiment"
    if gate.alias == "manual":
        return "challenger", "challenger, because gate.alias is manual"
    return "champion", "champion, because every condition passed"


def _better(goal: Objective) -> str:
    return "below" if goal.direction == "minimize" else "above"


def _shown(found: Mapping[str, Any]) -> str:
    value, low, high = (found.get(end) for end in ("value", "low", "high"))
    if value is None:
        return "an undefined value"
    return f"{value:.6g}" + ("" if low is None or high is None else f" ({low:.4g} to {high:.4g})")
