"""SHAP values from coalitions: weighted least squares, and halves of halves of what lies together."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from assay.explanation.curves import Probe

Halves = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Splits features (positions) into two parts that lie together."""
_DRAWS_A_FEATURE, _DRAWS = 4, 256


def kernel_shap(probe: Probe, *, seed: int) -> np.ndarray:
    """Return SHAP values (rows, features) as the solution of a weighted regression on coalitions.

    Lundberg and Lee 2017 (arXiv:1705.07874); coalitions are drawn with their complements (Covert
    and Lee 2021, arXiv:2012.01536), the same for every row, or all taken where there are few.
    """
    features = len(probe.sources.names)
    shown, weight = _coalitions(features, seed=seed)
    ends = np.stack([np.zeros(features, bool), np.ones(features, bool)])
    masks = np.concatenate([ends, shown])
    answers = probe.answers(np.broadcast_to(masks, (len(probe.asked.rows), *masks.shape)))
    none, whole, inside = answers[:, 0], answers[:, 1], answers[:, 2:]
    if features == 1:
        return np.asarray((whole - none)[:, None])
    # the last feature takes what is left, so that values add up exactly
    table = shown[:, :-1].astype(np.float64) - shown[:, -1:]
    wanted = inside - none[:, None] - np.outer(whole - none, shown[:, -1])
    root = np.sqrt(weight)[:, None]
    found, *_ = np.linalg.lstsq(table * root, wanted.T * root, rcond=None)
    return np.concatenate([found.T, (whole - none - found.sum(axis=0))[:, None]], axis=1)


def _coalitions(features: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return coalitions (n, features), none of them empty or whole, and their weights (n,)."""
    most = _DRAWS + _DRAWS_A_FEATURE * features
    if 2**features - 2 <= most:
        numbers = np.arange(1, 2**features - 1)
        shown = (numbers[:, None] >> np.arange(features)) & 1 == 1
        sizes = shown.sum(axis=1)
        ways = np.array([comb(features, int(s)) for s in sizes], np.float64)
        return shown, (features - 1) / (ways * sizes * (features - sizes))
    random, sizes = np.random.default_rng(seed), np.arange(1, features)
    chance = 1 / (sizes * (features - sizes))
    drawn = random.choice(sizes, size=most // 2, p=chance / chance.sum())
    rank = random.random((len(drawn), features)).argsort(axis=1).argsort(axis=1)
    half = rank < drawn[:, None]
    return np.concatenate([half, ~half]), np.ones(2 * len(half))


def partition_shap(probe: Probe, *, halves: Halves) -> np.ndarray:
    """Return Owen values (rows, features): what lies together comes and goes together.

    The features are cut into halves, and these again, and a feature joins its neighbours before
    it joins the rest (Owen 1977, doi:10.1007/978-3-642-45494-3_7, with two parts at each level). It
    is exact, without any draw, for some n² coalitions of n features.
    """
    features = len(probe.sources.names)
    leaf, context, weight = _leaves(np.arange(features), halves)
    joined = context.copy()
    joined[np.arange(len(leaf)), leaf] = True
    masks, place = np.unique(np.concatenate([context, joined]), axis=0, return_inverse=True)
    answers = probe.answers(np.broadcast_to(masks, (len(probe.asked.rows), *masks.shape)))
    before, after = np.split(answers[:, place.ravel()], 2, axis=1)
    return np.asarray((after - before) * weight @ np.eye(features)[leaf])


def _leaves(every: np.ndarray, halves: Halves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features (n,), what is there before each joins (n, features), and weights (n,)."""
    waiting = [(every, np.zeros(len(every), bool), 1.0)]
    leaf, context, weight = [], [], []
    while waiting:
        part, there, share = waiting.pop()
        if len(part) == 1:
            leaf.append(int(part[0]))
            context.append(there)
            weight.append(share)
            continue
        parts = halves(part)
        for own, other in (parts, parts[::-1]):
            met = there.copy()
            met[other] = True
            waiting += [(own, there, share / 2), (own, met, share / 2)]
    return np.array(leaf), np.array(context), np.array(weight)


def in_line(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut features in the middle of their order: columns, steps and words that follow each other."""
    middle = len(part) // 2
    return part[:middle], part[middle:]


def on_grid(across: int) -> Halves:
    """Return a cut for patches of an image, ``across`` of them in a row: through the longer side."""

    def halves(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = part // across, part % across
        sides = rows if np.ptp(rows) >= np.ptp(columns) else columns
        is_first = sides < np.ceil((sides.min() + sides.max()) / 2)
        return part[is_first], part[~is_first]

    return halves
