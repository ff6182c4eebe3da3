"""Share a budget of model evaluations between the global and the single explanations."""

from __future__ import annotations

from dataclasses import dataclass

from assay.explanation.knobs import Explain

_SMALLEST_BACKGROUND = 8
_SMALLEST_SAMPLE = 10
_GOOD_PERMUTATIONS = 8
_MOST_PERMUTATIONS = 32


@dataclass(frozen=True, kw_only=True)
class Plan:
    """SHAP's sizes: rows that hide features, rows explained, and feature orders for each.

    ``permutations`` is even and at least 2, so that two independent halves can be compared.
    """

    background: int
    rows: int
    permutations: int
    global_rows: int


def plan(knobs: Explain, *, features: int, test_rows: int, train_rows: int) -> Plan:
    """Spend half of ``knobs.samples`` on the chosen rows and half on the random sample.

    One order of the features, walked there and back, costs 2 ``features`` + 1 evaluations for
    each background row. The background shrinks, to 8 rows at the least, until 8 orders can be paid:
    at the same price more orders with fewer background rows came closer to the true values.
    """
    half, walk = knobs.samples // 2, 2 * features + 1
    rows = min(knobs.rows, test_rows)
    affordable = half // (walk * max(_GOOD_PERMUTATIONS * rows, _SMALLEST_SAMPLE))
    background = min(knobs.background, train_rows, max(affordable, _SMALLEST_BACKGROUND))
    permutations = half // (walk * background * rows)
    return Plan(
        background=background,
        rows=rows,
        permutations=2 * max(1, min(permutations, _MOST_PERMUTATIONS) // 2),
        global_rows=_between(
            half // (walk * background), _SMALLEST_SAMPLE, min(knobs.global_rows, test_rows)
        ),
    )


def _between(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
