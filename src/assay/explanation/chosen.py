"""Choose the few predictions that are worth a look, and say why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

import numpy as np

_SURENESS = (
    (0.0, "surest and right"),
    (0.5, "typical and right"),
    (0.9, "less sure, but right"),
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A row by its position, and the reason it was chosen for."""

    row: int
    reason: str


def choose_classified(
    probability: np.ndarray, target: np.ndarray, *, classes: Sequence[object], count: int
) -> list[Chosen]:
    """Choose rows by probability (n, classes) and target class codes (n,).

    A quarter are the surest mistakes, a quarter the least sure ones, the rest right ones
    of each class in turn, the surest first and then typical ones; where there are fewer mistakes, more of the others.
    """
    sure = probability.max(axis=1)
    is_right = probability.argmax(axis=1) == target
    surest = np.argsort(-sure, kind="stable")
    quarter = max(1, count // 4)
    wrong = [Chosen(row=int(i), reason="surest mistake") for i in surest[~is_right[surest]]]
    unsure = [Chosen(row=int(i), reason="least sure") for i in surest[::-1]]
    right = list(_in_turn(surest[is_right[surest]], target, classes))
    return _first_of(
        [*wrong[:quarter], *_without(unsure, wrong)[:quarter], *right, *wrong, *unsure], count
    )


def choose_labelled(
    probability: np.ndarray, target: np.ndarray, *, names: Sequence[object], count: int
) -> list[Chosen]:
    """Choose rows by probability and target of several labels, both (n, labels).

    As for classes, by each row's most probable label, which is right where the row has it.
    """
    top = probability.argmax(axis=1)
    has_it = target[np.arange(len(target)), top] == 1
    return choose_classified(probability, np.where(has_it, top, -1), classes=names, count=count)


def choose_estimated(prediction: np.ndarray, target: np.ndarray, *, count: int) -> list[Chosen]:
    """Choose rows by predicted and true values, both (n,), in the target's unit.

    The largest errors either way, the highest and lowest predictions, the closest hits, and
    then rows spread evenly over the predictions.
    """
    error = prediction - target
    named = {
        "largest overestimate": np.argsort(-error, kind="stable"),
        "largest underestimate": np.argsort(error, kind="stable"),
        "highest prediction": np.argsort(-prediction, kind="stable"),
        "lowest prediction": np.argsort(prediction, kind="stable"),
        "closest hit": np.argsort(np.abs(error), kind="stable"),
    }
    found = [Chosen(row=int(order[0]), reason=reason) for reason, order in named.items()]
    ascending = np.argsort(prediction, kind="stable")
    shares = np.linspace(0, 1, count + 2)[1:-1]
    spread = [
        Chosen(
            row=int(ascending[round(s * (len(ascending) - 1))]),
            reason=f"prediction above {s:.0%} of the others",
        )
        for s in shares
    ]
    rest = [Chosen(row=int(i), reason="next highest prediction") for i in ascending[::-1]]
    return _first_of([*found, *spread, *rest], count)


def choose_scored(score: np.ndarray, target: np.ndarray, *, count: int) -> list[Chosen]:
    """Choose rows by score (n,) and target (n,): 1 for an anomaly, 0 for a normal row, -1 unknown.

    By turns anomalies that are missed first, rows that come back worst without being known
    anomalies, the clearest anomalies and typical rows.
    """
    order = np.argsort(-score, kind="stable")
    anomalies, others = order[target[order] == 1], order[target[order] != 1]
    middle = others[np.argsort(np.abs(score[others] - np.median(score)), kind="stable")]
    kinds = {
        "anomaly of low score": anomalies[::-1],
        "highest score without being a known anomaly": others,
        "anomaly of high score": anomalies,
        "typical score": middle,
    }
    named = [[Chosen(row=int(i), reason=reason) for i in rows] for reason, rows in kinds.items()]
    turns = [chosen for turn in zip_longest(*named) for chosen in turn if chosen is not None]
    return _first_of(turns, count)


def choose_by_sureness(sureness: np.ndarray, *, count: int) -> list[Chosen]:
    """Choose rows by how sure the model is, (n,): by turns the surest, the least sure and typical ones."""
    surest = np.argsort(-sureness, kind="stable")
    middle = np.argsort(np.abs(sureness - np.median(sureness)), kind="stable")
    kinds = {"surest": surest, "least sure": surest[::-1], "typical": middle}
    named = [[Chosen(row=int(i), reason=reason) for i in rows] for reason, rows in kinds.items()]
    return _first_of([chosen for turn in zip(*named, strict=True) for chosen in turn], count)


def _in_turn(rows: np.ndarray, target: np.ndarray, classes: Sequence[object]) -> Iterator[Chosen]:
    """Take from each class in turn; ``rows`` are right ones, the surest first."""
    own = [rows[target[rows] == code].tolist() for code in range(len(classes))]
    for share, words in _SURENESS:
        for of_class, name in zip(own, classes, strict=True):
            if of_class:
                row = of_class[int(share * (len(of_class) - 1))]
                yield Chosen(row=row, reason=f"{words} for {name}")
    yield from (Chosen(row=int(row), reason="sure and right") for row in rows)


def _without(rows: Sequence[Chosen], others: Sequence[Chosen]) -> list[Chosen]:
    taken = {c.row for c in others}
    return [c for c in rows if c.row not in taken]


def _first_of(rows: Sequence[Chosen], count: int) -> list[Chosen]:
    unique: dict[int, Chosen] = {}
    for chosen in rows:
        unique.setdefault(chosen.row, chosen)
    return list(islice(unique.values(), count))
