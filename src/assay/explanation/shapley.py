"""SHAP values of any model: permutations of the features, walked there and back.

Lundberg and Lee 2017 (arXiv:1705.07874); antithetic permutation sampling after Mitchell,
Cooper, Frank and Holmes 2022 (arXiv:2104.12199). What is hidden from the model takes
the values of background rows (the interventional game). Rows, orders and background share calls of
the model, and nothing is asked twice: a step that changes no value costs no evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.explanation.sources import Predict, Sources, mixed

_TOGETHER = 8192


@dataclass(frozen=True, kw_only=True)
class Shapley:
    """SHAP values (rows, features, outputs) around ``base`` (outputs,), the background's mean.

    ``halves``, (2, rows, features, outputs), are two independent estimates of ``values``, of which
    it is the mean. ``evaluations`` counts the rows that the model was asked for.
    """

    values: np.ndarray
    base: np.ndarray
    halves: np.ndarray
    evaluations: int


def explain(
    predict: Predict,
    sources: Sources,
    *,
    rows: np.ndarray,
    background: np.ndarray,
    permutations: int,
    seed: int,
) -> Shapley:
    """Explain the source rows ``rows`` against the source rows ``background``, all outputs at once.

    ``predict`` maps feeds to (n, outputs). ``permutations`` is the number of feature orders a
    row, of which each half goes into one of two independent estimates; 1 makes both the same.
    """
    counter = _Counter(predict, sources)
    half = max(1, permutations // 2)
    ends = _Ends(own=counter.whole(rows), hidden=counter.whole(background))
    first = _values(counter, rows, background, ends=ends, orders=half, seed=seed)
    second = (
        _values(counter, rows, background, ends=ends, orders=half, seed=seed + 1)
        if permutations > 1
        else first
    )
    return Shapley(
        values=(first + second) / 2,
        base=ends.hidden.mean(axis=0),
        halves=np.stack([first, second]),
        evaluations=counter.evaluations,
    )


class _Counter:
    def __init__(self, predict: Predict, sources: Sources) -> None:
        self._predict, self.sources = predict, sources
        self.evaluations = 0

    def whole(self, rows: np.ndarray) -> np.ndarray:
        return self(rows, rows, np.ones((len(rows), len(self.sources.names)), bool))

    def __call__(self, own: np.ndarray, hidden: np.ndarray, shown: np.ndarray) -> np.ndarray:
        self.evaluations += len(own)
        feeds = mixed(self.sources, own, hidden, shown)
        return np.asarray(self._predict(feeds), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class _Ends:
    """Where walks end: answers for the rows themselves, and for the background (n, outputs)."""

    own: np.ndarray
    hidden: np.ndarray


@dataclass(frozen=True, kw_only=True)
class _Walks:
    """The walks of one row: ``last`` (orders, steps + 1, background) says which answer holds there.

    0 is the background's own answer, ``i`` that to the i-th question, and -1 the row's own one. A
    question is what is ``shown`` of the row, bool (questions, features), over the background row at
    ``place`` (questions,).
    """

    orders: np.ndarray
    last: np.ndarray
    shown: np.ndarray
    place: np.ndarray


def _values(
    model: _Counter,
    rows: np.ndarray,
    background: np.ndarray,
    *,
    ends: _Ends,
    orders: int,
    seed: int,
) -> np.ndarray:
    """Walk each row's features in ``orders`` random orders and their reverses, many rows a call."""
    random = np.random.default_rng(seed)
    codes, hidden = model.sources.codes[rows], model.sources.codes[background]
    found, waiting, held = np.zeros((*codes.shape, ends.own.shape[1])), [], 0
    for row, own in enumerate(codes):
        forward = random.random((orders, len(own))).argsort(axis=1)
        waiting.append((row, _walks(own, hidden, np.concatenate([forward, forward[:, ::-1]]))))
        held += len(waiting[-1][1].place)
        if held >= _TOGETHER or row == len(codes) - 1:
            answers = (
                model(
                    np.concatenate([np.full(len(w.place), rows[r]) for r, w in waiting]),
                    background[np.concatenate([w.place for _, w in waiting])],
                    np.concatenate([w.shown for _, w in waiting]),
                )
                if held
                else ends.own[:0]
            )
            start = 0
            for place, walks in waiting:
                end = start + len(walks.place)
                found[place] = _moved(walks, answers[start:end], ends=ends, row=place)
                start = end
            waiting, held = [], 0
    return found


def _walks(own: np.ndarray, hidden: np.ndarray, orders: np.ndarray) -> _Walks:
    """Find out what must be asked: the steps that change a value, but for the last of a walk."""
    differs = (own != hidden).T[orders]  # (orders, steps, background)
    count = np.cumsum(differs, axis=1)
    is_asked = differs & (count < count[:, -1:])
    order, step, place = np.nonzero(is_asked)
    rank = np.argsort(orders, axis=1).astype(np.int32)
    shown = rank[order] <= step.astype(np.int32)[:, None]
    number = np.zeros(differs.shape, np.int64)
    number[is_asked] = np.arange(1, len(order) + 1)
    number = np.maximum.accumulate(number, axis=1)
    number[count == count[:, -1:]] = -1
    start = np.zeros((len(orders), 1, len(hidden)), np.int64)
    return _Walks(
        orders=orders, last=np.concatenate([start, number], axis=1), shown=shown, place=place
    )


def _moved(walks: _Walks, answers: np.ndarray, *, ends: _Ends, row: int) -> np.ndarray:
    """Return how much each feature moves every output, (features, outputs), over orders and background."""
    known = np.concatenate([np.zeros((1, answers.shape[1])), answers, ends.own[row : row + 1]])
    at = known[walks.last]
    at = np.where((walks.last == 0)[..., None], ends.hidden, at)
    steps = np.diff(at, axis=1).mean(axis=2)
    rank = np.argsort(walks.orders, axis=1)
    return np.asarray(np.take_along_axis(steps, rank[..., None], axis=1).mean(axis=0))
