"""SHAP values of any model: permutations of the features, walked there and back.

Lundberg and Lee 2017 (arXiv:1705.07874); antithetic permutation sampling after Mitchell,
Cooper, Frank and Holmes 2022 (arXiv:2104.12199). What is hidden from the model takes
the values of background rows (the interventional game).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from shap.explainers import PermutationExplainer
from shap.utils import MaskedModel

from assay.explanation.sources import Predict, Sources


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


class Masker:
    """Hide features of a coded row by those of the background, a whole walk in one batch.

    SHAP's own masker compiles itself for five seconds in each process, longer than the work takes.
    """

    supports_delta_masking = True

    def __init__(self, background: np.ndarray) -> None:
        self._background = background
        self.shape = background.shape

    def invariants(self, x: np.ndarray) -> np.ndarray:
        """Tell where hiding changes nothing: (background rows, features)."""
        return np.asarray(self._background == x)

    def __call__(self, flips: np.ndarray, x: np.ndarray) -> tuple[tuple[np.ndarray], np.ndarray]:
        """Return the masked rows of each step, and which of them differ from the step before."""
        steps, (rows, features) = len(flips), self.shape
        flipped = np.zeros((steps, features), dtype=np.int64)
        changed = np.ones((steps, rows), dtype=bool)
        for step, feature in enumerate(flips):
            if feature != MaskedModel.delta_mask_noop_value:
                flipped[step, feature] = 1
                changed[step] = self._background[:, feature] != x[feature]
        changed[0] = True
        is_shown = np.cumsum(flipped, axis=0) % 2 == 1
        masked = np.where(is_shown[:, None, :], x, self._background)
        return (masked.reshape(-1, features),), changed


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
    masker = Masker(sources.codes[background])
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
        return np.asarray(self._predict(self._sources.feeds(codes)), dtype=np.float64)


def _values(
    model: _Counter, masker: Masker, codes: np.ndarray, *, permutations: int, seed: int
) -> np.ndarray:
    explainer: Any = PermutationExplainer(model, masker, seed=seed)
    walk = 2 * codes.shape[1] + 1
    found = np.asarray(explainer(codes, max_evals=permutations * walk, silent=True).values)
    return found.reshape(*codes.shape, -1)
