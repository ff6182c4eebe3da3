"""SHAP values of any model: permutations of the features, walked there and back.

Lundberg and Lee 2017 (arXiv:1705.07874); antithetic permutation sampling after Mitchell,
Cooper, Frank and Holmes 2022 (arXiv:2104.12199). What is hidden from the model takes
the values of background rows (the interventional game). Rows, orders and background share calls of
the model, and nothing is asked twice: a step that changes no value costs no evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.explanation.sources import Predict, Sources

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
    codes, hidden = sources.codes[rows], sources.codes[background]
    ends = _Ends(own=counter(codes), hidden=counter(hidden))
    first = _values(counter, codes, hidden, ends=ends, orders=half, seed=seed)
    second = (
        _values(counter, codes, hidden, ends=ends, orders=half, seed=seed + 1)
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
        self._predict, self._sources = predict, sources
        self.evaluations = 0

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        self.evaluations += len(codes)
        return np.asarray(
            self._predict(self._sources.feeds(codes.astype(np.int64, copy=False))), dtype=np.float64
        )


@dataclass(frozen=True, kw_only=True)
class _Ends:
    """Where walks end: answers for the rows themselves, and for the background (n, outputs)."""

    own: np.ndarray
    hidden: np.ndarray


@dataclass(frozen=True, kw_only=True)
class _Walks:
    """The walks of one row: ``last`` (orders, steps + 1, background) says which answer holds there.

    0 is the background's own answer, ``i`` the i-th of ``codes``, and -1 the row's own one.
    """

    orders: np.ndarray
    last: np.ndarray
    codes: np.ndarray


def _values(
    model: _Counter,
    codes: np.ndarray,
    hidden: np.ndarray,
    *,
    ends: _Ends,
    orders: int,
    seed: int,
) -> np.ndarray:
    """Walk each row's features in ``orders`` random orders and their reverses, many rows a call."""
    random = np.random.default_rng(seed)
    found, waiting, held = np.zeros((*codes.shape, ends.own.shape[1])), [], 0
    for row, own in enumerate(codes):
        forward = random.random((orders, len(own))).argsort(axis=1)
        waiting.append((row, _walks(own, hidden, np.concatenate([forward, forward[:, ::-1]]))))
        held += len(waiting[-1][1].codes)
        if held >= _TOGETHER or row == len(codes) - 1:
            answers = model(np.concatenate([w.codes for _, w in waiting])) if held else ends.own[:0]
            start = 0
            for place, walks in waiting:
                end = start + len(walks.codes)
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
    rank = np.argsort(orders, axis=1)
    codes = np.where(rank[order] <= step[:, None], own, hidden[place])
    number = np.zeros(differs.shape, np.int64)
    number[is_asked] = np.arange(1, len(order) + 1)
    number = np.maximum.accumulate(number, axis=1)
    number[count == count[:, -1:]] = -1
    start = np.zeros((len(orders), 1, len(hidden)), np.int64)
    return _Walks(orders=orders, last=np.concatenate([start, number], axis=1), codes=codes)


def _moved(walks: _Walks, answers: np.ndarray, *, ends: _Ends, row: int) -> np.ndarray:
    """Return how much each feature moves every output, (features, outputs), over orders and background."""
    known = np.concatenate([np.zeros((1, answers.shape[1])), answers, ends.own[row : row + 1]])
    at = known[walks.last]
    at = np.where((walks.last == 0)[..., None], ends.hidden, at)
    steps = np.diff(at, axis=1).mean(axis=2)
    rank = np.argsort(walks.orders, axis=1)
    return np.asarray(np.take_along_axis(steps, rank[..., None], axis=1).mean(axis=0))
