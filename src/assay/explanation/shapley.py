"""SHAP values of any model: permutations of the features, walked there and back.

Lundberg and Lee 2017 (arXiv:1705.07874); antithetic permutation sampling after Mitchell,
Cooper, Frank and Holmes 2022 (arXiv:2104.12199). What is hidden from the model takes
the values of background rows (the interventional game).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from assay.explanation.sources import Predict, Sources

# Each process would compile SHAP's loops anew, for four seconds; as plain Python they take 0.1.
_NUMBA: Any = numba.config
_WAS_DISABLED = _NUMBA.DISABLE_JIT
_NUMBA.DISABLE_JIT = True
from shap.explainers import PermutationExplainer  # noqa: E402 - after the switch
from shap.maskers import Independent  # noqa: E402 - after the switch

_NUMBA.DISABLE_JIT = _WAS_DISABLED


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
    masker = Independent(sources.codes[background], max_samples=len(background))
    half = max(1, permutations // 2)
    first = _values(counter, masker, sources.codes[rows], permutations=half, seed=seed)
    again = permutations > 1
    second = (
        _values(counter, masker, sources.codes[rows], permutations=half, seed=seed + 1)
        if again
        else first
    )
    return Shapley(
        values=(first + second) / 2,
        base=counter(sources.codes[background]).mean(axis=0),
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
            self._predict(self._sources.feeds(codes.astype(np.int64))), dtype=np.float64
        )


def _values(
    model: _Counter, masker: Independent, codes: np.ndarray, *, permutations: int, seed: int
) -> np.ndarray:
    explainer: Any = PermutationExplainer(model, masker, seed=seed)
    walk = 2 * codes.shape[1] + 1
    found = np.asarray(explainer(codes, max_evals=permutations * walk, silent=True).values)
    return found.reshape(*codes.shape, -1)
