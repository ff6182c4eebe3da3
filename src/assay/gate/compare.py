"""Whether a model is better than the champion, beyond chance, on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.data.spec import Task
from assay.gate.condition import Condition
from assay.gate.knobs import Gate
from assay.gate.looks import spent_level
from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective
from assay.metrics.paired import Estimate, estimate
from assay.metrics.repeated import holm

Verdict = Literal["superior", "not inferior", "inferior", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The present champion; ``output`` is what it says of the same rows, None where it cannot."""

    version: str
    output: np.ndarray | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Candidate and champion on the same rows.

    ``slices`` are masks (N,) of rows by name, ``looks`` how many graphs were measured on this
    test split, this one included; ``classes`` are in the order of their codes, ``naive`` is the scale
    of each series that is forecast, ``costs`` are those of a wrong class, and ``dependence`` says which
    rows tell less than as many of their own.
    """

    task: Task
    target: np.ndarray
    ours: np.ndarray
    champion: Champion | None
    goal: Objective
    looks: int
    slices: Mapping[str, np.ndarray]
    knobs: Evaluate
    classes: tuple[object, ...] = ()
    naive: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()
    dependence: Dependence = ONE_BY_ONE


def verdict_of(found: Estimate, *, level: float, margin: float) -> Verdict:
    """Return superior, not inferior, inferior or undecided, each at ``level`` one-sided.

    Superior: a gain beyond chance. Not inferior: a loss of more than ``margin`` is excluded.
    Inferior: a loss beyond chance, that may exceed the margin.
    """
    if not found.is_defined:
        return "undecided"
    if found.p_better() <= level:
        return "superior"
    low, high = found.interval(level)
    if margin > 0 and low >= -margin:
        return "not inferior"
    return "inferior" if high < 0 else "undecided"


def against_champion(gate: Gate, contest: Contest) -> list[Condition]:
    """Return the condition on the champion, and one on the slices where those are compared.

    A champion that cannot be run on the present test rows is kept or replaced as
    ``gate.incomparable`` says. Test rows of a single class fail whatever was found on them.
    """
    champion, told = contest.champion, _one_class(contest)
    if champion is None:
        name = "better than the champion"
        return [*told, Condition(name=name, wanted="no champion", found="no champion", passed=True)]
    if champion.output is None:
        return [*told, _cannot_run(gate, champion)]
    level = spent_level(gate.level, looks=contest.looks)
    whole = _whole(gate, contest, champion, champion.output, level=level)
    return [*told, whole, *_slices(gate, contest, champion.output, level=level)]


def _one_class(contest: Contest) -> list[Condition]:
    """Return a condition that fails where the test rows hold one class: whoever always says it wins."""
    present = np.unique(contest.target)
    if contest.task != "classification" or len(present) != 1 or not contest.classes:
        return []
    return [
        Condition(
            name="the test rows tell models apart",
            wanted="rows of two or more classes",
            found=f"{len(contest.target)} rows, all of {contest.classes[int(present[0])]}",
            passed=False,
            reason="a model that always says so would seem perfect",
        )
    ]


def _cannot_run(gate: Gate, champion: Champion) -> Condition:
    return Condition(
        name=f"better than the champion, version {champion.version}",
        wanted=f"a champion that runs on these test rows (gate.incomparable: {gate.incomparable})",
        found=champion.note,
        passed=gate.incomparable == "replace",
    )


def _whole(
    gate: Gate, contest: Contest, champion: Champion, theirs: np.ndarray, *, level: float
) -> Condition:
    found = _estimate(contest, theirs, np.ones(len(contest.target), bool))
    verdict = verdict_of(found, level=level, margin=gate.margin)
    accepted = ("superior", "not inferior") if gate.champion == "not_inferior" else ("superior",)
    aim = "superior" if gate.champion == "superior" else f"not inferior by {gate.margin:g}"
    wanted = f"{contest.goal.name} {aim} to version {champion.version} on the same rows"
    return Condition(
        name=f"better than the champion, version {champion.version}",
        wanted=f"{wanted}, at level {level:.2g} ({_spent(gate, contest)})",
        found=_told(found, level) + (f"; {champion.note}" if champion.note else ""),
        passed=verdict in accepted,
        verdict=verdict,
        reason=_reason(found, verdict, level=level, margin=gate.margin),
    )


def _estimate(contest: Contest, theirs: np.ndarray, here: np.ndarray) -> Estimate:
    return estimate(
        contest.task,
        target=contest.target[here],
        ours=contest.ours[here],
        theirs=theirs[here],
        goal=contest.goal,
        knobs=contest.knobs,
        classes=contest.classes,
        naive=contest.naive,
        costs=contest.costs,
        dependence=contest.dependence.of(here),
    )


def _spent(gate: Gate, contest: Contest) -> str:
    return f"{gate.level:g} spent over looks at this test split, this is look {contest.looks}"


def _told(found: Estimate, level: float) -> str:
    if not found.is_defined:
        return f"no gain that can be told from {found.rows} rows"
    gain, low, high = (value + 0.0 for value in (found.gain, *found.interval(level)))  # no -0
    return f"gain {gain:+.4g} ({low:+.4g} to {high:+.4g}) on {found.rows} rows"


def _reason(found: Estimate, verdict: Verdict, *, level: float, margin: float) -> str:
    if not found.is_defined:
        return "the metric is undefined on these rows or in most resamples of them"
    said = f"{found.test}, p {found.p_better():.2g}"
    if verdict != "undecided":
        return said
    rows = found.rows_to_settle(level, margin=margin)
    return f"{said}; {f'about {rows} rows would settle it' if rows else 'the two do not differ'}"


def _slices(gate: Gate, contest: Contest, theirs: np.ndarray, *, level: float) -> list[Condition]:
    """Return one condition on all slices: the worst of them, after Holm's correction."""
    if gate.slice_margin is None or not contest.slices:
        return []
    margin = gate.slice_margin
    found = {name: _estimate(contest, theirs, here) for name, here in contest.slices.items()}
    tested = {n: e for n, e in found.items() if e.is_defined}
    adjusted = dict(zip(tested, holm([e.p_worse(margin) for e in tested.values()]), strict=True))
    wanted = f"on none {contest.goal.name} worse than the champion's by more than {margin:g}"
    name = f"no slice falls behind ({len(found)} compared)"
    if not tested:
        why = f"too few rows: {_sizes(contest.slices)}"
        return [Condition(name=name, wanted=wanted, found="nothing", passed=True, reason=why)]
    worst = min(tested, key=lambda n: (adjusted[n], tested[n].gain))
    return [
        Condition(
            name=name,
            wanted=f"{wanted}, at level {level:.2g}",
            found=f"the worst, {worst}: {_told(tested[worst], level)}",
            passed=adjusted[worst] > level,
            reason=f"Holm's p {adjusted[worst]:.2g} over {len(tested)} slices",
        )
    ]


def _sizes(slices: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name} has {int(here.sum())}" for name, here in slices.items())
