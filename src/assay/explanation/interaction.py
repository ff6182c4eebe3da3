"""Which pairs of a table's columns do more together than each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from assay.explanation.curves import Asked
from assay.explanation.sources import Predict, Sources

COLUMNS = ("rank", "feature", "other", "interaction", "low", "high", "verdict")
FOUND, NONE = "beyond chance", "not beyond chance"
_DRAWS = 16
_RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Pairs of features (positions), and two independent estimates of each row's interaction.

    ``halves`` is (2, rows, pairs), in the unit of the explained output.
    """

    pairs: tuple[tuple[int, int], ...]
    halves: np.ndarray


def interactions(
    predict: Predict,
    sources: Sources,
    *,
    asked: Asked,
    background: np.ndarray,
    features: Sequence[int],
    seed: int,
) -> Interactions:
    """Estimate the Shapley interaction index of all pairs of ``features`` for the rows asked about.

    f(S, i, j) - f(S, i) - f(S, j) + f(S), averaged over subsets S of the other features, every size
    equally often, and over background rows (Grabisch and Roubens 1999, doi:10.1007/s001820050125).
    """
    pairs = tuple(combinations(sorted(features), 2))
    random = np.random.default_rng(seed)
    found = np.zeros((len(asked.rows), len(pairs), _DRAWS))
    for place, (row, output) in enumerate(zip(asked.rows, asked.outputs, strict=True)):
        codes = _corners(random, sources.codes[row], sources.codes[background], pairs=pairs)
        flat = codes.reshape(-1, codes.shape[-1])
        answers = np.asarray(predict(sources.feeds(flat)), np.float64)[:, output]
        corner = answers.reshape(len(pairs), _DRAWS, 4)
        found[place] = corner[..., 3] - corner[..., 2] - corner[..., 1] + corner[..., 0]
    halves = found.reshape(*found.shape[:2], 2, _DRAWS // 2).mean(axis=3)
    return Interactions(pairs=pairs, halves=np.moveaxis(halves, 2, 0))


def _corners(
    random: np.random.Generator,
    own: np.ndarray,
    hidden: np.ndarray,
    *,
    pairs: Sequence[tuple[int, int]],
) -> np.ndarray:
    """Return codes (pairs, draws, 4, features): neither, the second, the first, both shown."""
    shape = (len(pairs), _DRAWS)
    order = random.random((*shape, len(own))).argsort(axis=2).argsort(axis=2)
    shown = order < random.integers(0, len(own) - 1, shape)[..., None]
    around = hidden[random.integers(0, len(hidden), shape)]
    codes = np.where(shown, own, around)[:, :, None].repeat(4, axis=2)
    for place, pair in enumerate(pairs):
        for bit, feature in zip((2, 1), pair, strict=True):
            for corner in range(4):
                is_shown = bool(corner & bit)
                codes[place, :, corner, feature] = (
                    own[feature] if is_shown else around[place, :, feature]
                )
    return codes


def interaction_table(found: Interactions, *, names: Sequence[str], seed: int) -> pd.DataFrame:
    """Return a line a pair: the root mean square of its interaction, and the 95 % interval of it.

    The product of two independent estimates has the square as its mean, so that noise alone gives
    nil and not an interaction; where the mean product is negative, so is what is returned.
    """
    products = found.halves[0] * found.halves[1]
    rows = len(products)
    drawn = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(drawn @ products / rows, [tail, 1 - tail], axis=0)
    table = pd.DataFrame(
        {
            "feature": [names[i] for i, _ in found.pairs],
            "other": [names[j] for _, j in found.pairs],
            "interaction": _root(products.mean(axis=0)),
            "low": _root(low),
            "high": _root(high),
            "verdict": np.where(low > 0, FOUND, NONE),
        }
    ).sort_values("interaction", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _root(square: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(square) * np.sqrt(np.abs(square)))
