"""Judge a model: conditions with what was wanted, what was found, and whether that passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from assay.data.spec import Task
from assay.errors import ConfigError, nearest
from assay.gate.knobs import Gate
from assay.metrics.objective import Objective, direction, objective

Alias: TypeAlias = Literal["champion", "challenger"]
Scores: TypeAlias = Mapping[str, float | None]
"""Values of metrics by name; None where a metric is undefined for these rows."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing that was demanded of a model."""

    name: str
    wanted: str
    found: str
    passed: bool

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "failed"
        return f"{self.name}: wanted {self.wanted}, found {self.found}: {verdict}"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the earlier stages found on the test split.

    ``baselines`` holds scores by the baseline's name, ``explanations`` a verdict in words by the
    method's name, where ``trustworthy`` is the good one.
    """

    metrics: Scores
    baselines: Mapping[str, Scores]
    difference: float
    tolerance: float
    explanations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The present champion on the same rows; ``value`` is None where it could not be run."""

    version: str
    value: float | None
    note: str = ""


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
        _parity(evidence),
        *_explanations(gate, evidence),
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
    if problems:
        raise ConfigError(problems)


def _bounds(gate: Gate, metrics: Scores) -> Iterator[Condition]:
    for name, bound in gate.minimum.items():
        value = metrics[name]
        yield Condition(
            name=name,
            wanted=f"at least {bound:g}",
            found=_shown(value),
            passed=value is not None and value >= bound,
        )
    for name, bound in gate.maximum.items():
        value = metrics[name]
        yield Condition(
            name=name,
            wanted=f"at most {bound:g}",
            found=_shown(value),
            passed=value is not None and value <= bound,
        )


def _baselines(gate: Gate, evidence: Evidence, goal: Objective) -> Iterator[Condition]:
    ours = evidence.metrics[goal.name]
    for name in gate.baselines:
        theirs = evidence.baselines[name].get(goal.name)
        yield Condition(
            name=f"beats the {name} baseline",
            wanted=f"{goal.name} {_better(goal)} {_shown(theirs)}",
            found=_shown(ours),
            passed=ours is not None and (theirs is None or goal.is_better(ours, theirs)),
        )


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


def against_champion(
    gate: Gate, *, value: float | None, champion: Champion | None, goal: Objective
) -> Condition:
    """Return the condition on the present champion; None says that there is none.

    A champion that cannot be run on the present test rows is kept or replaced as
    ``gate.incomparable`` says.
    """
    if champion is None:
        name = "better than the champion"
        return Condition(name=name, wanted="no champion", found="no champion", passed=True)
    name = f"better than the champion, version {champion.version}"
    if champion.value is None:
        return Condition(
            name=name,
            wanted=f"a champion that runs on these test rows (gate.incomparable: {gate.incomparable})",
            found=champion.note,
            passed=gate.incomparable == "replace",
        )
    margin = f" by more than {gate.margin:g}" if gate.margin else ""
    note = f" ({champion.note})" if champion.note else ""
    return Condition(
        name=name,
        wanted=f"{goal.name} {_better(goal)} {champion.value:.6g}{margin} on the same rows",
        found=f"{_shown(value)}{note}",
        passed=value is not None and _gain(goal, value, champion.value) > gate.margin,
    )


def _gain(goal: Objective, value: float, than: float) -> float:
    return than - value if goal.direction == "minimize" else value - than


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


def _shown(value: float | None) -> str:
    return "an undefined value" if value is None else f"{value:.6g}"
