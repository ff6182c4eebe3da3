"""The trials of several objectives that no other beats in all of them."""

from __future__ import annotations

from collections.abc import Sequence

from assay.tuning.trial import Direction, Trial


def front(trials: Sequence[Trial], *, directions: Sequence[Direction]) -> list[Trial]:
    """Return the Pareto front of the complete trials, in the order of their numbers."""
    signs = [1 if direction == "minimize" else -1 for direction in directions]
    costs = {
        t.number: tuple(s * v for s, v in zip(signs, (t.value, *t.more), strict=True))
        for t in trials
        if t.value is not None
    }
    return [
        t
        for t in trials
        if t.number in costs
        and not any(_dominates(other, costs[t.number]) for other in costs.values())
    ]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
