"""Simple ways to reconstruct a row: what an autoencoder has to be better than.

All see the features that the network sees, and are scored alike, by the mean square error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no stubs

from assay.baselines.fit import Answer
from assay.metrics.scores import score
from assay.metrics.threshold import fit_threshold

_COMPONENTS = (2, 4, 8, 16, 32, 64)
_SHARE = 0.9
Scores: TypeAlias = Callable[[np.ndarray], np.ndarray]


def fit_detectors(
    known: np.ndarray,
    *,
    chosen: np.ndarray,
    labels: np.ndarray,
    asked: np.ndarray,
    most_rows: int,
    false_alarms: float,
    seed: int,
    threads: int,
) -> dict[str, Answer]:
    """Return every detector's answer for ``asked`` by name, simplest first.

    ``known``, ``chosen`` and ``asked`` are features (rows, features) of training, validation and
    test rows; ``labels`` are the validation rows', from which numbers of components and thresholds
    are taken as they are for the network. Fitted on at most ``most_rows`` training rows.
    """
    rows, note = len(known), ""
    if rows > most_rows:
        note = f"fitted on {most_rows:,} of {rows:,} training rows, drawn at random"
        known = known[np.random.default_rng(seed).choice(rows, most_rows, replace=False)]
    found = {}
    with threadpool_limits(limits=threads):
        for name, (build, about) in _DETECTORS.items():
            scores, more = build(known, chosen, labels)
            flagged = fit_threshold(scores(chosen), labels, false_alarms=false_alarms).value
            answer = scores(asked)
            output = np.stack([answer, answer > flagged], axis=1)
            found[name] = Answer(output=output, about=about + more, rows=len(known), note=note)
    return found


def _mean(known: np.ndarray, chosen: np.ndarray, labels: np.ndarray) -> tuple[Scores, str]:
    centre = known.mean(axis=0)
    return lambda rows: np.square(rows - centre).mean(axis=1), ""


def _components(known: np.ndarray, chosen: np.ndarray, labels: np.ndarray) -> tuple[Scores, str]:
    """As many components as tell validation rows best apart; else those of nine tenths of variance."""
    most = min(*known.shape, max(_COMPONENTS))
    fitted = PCA(n_components=most, svd_solver="full").fit(known)

    def scores(rows: np.ndarray, count: int) -> np.ndarray:
        axes, centred = fitted.components_[:count], rows - fitted.mean_
        return np.asarray(np.square(centred - centred @ axes.T @ axes).mean(axis=1))

    areas = {
        count: score("reconstruction", target=labels, output=scores(chosen, count))["auroc"]
        for count in _COMPONENTS
        if count <= most
    }
    known_areas = {count: area for count, area in areas.items() if np.isfinite(area)}
    share = np.cumsum(fitted.explained_variance_ratio_)
    best = max(known_areas, key=lambda count: known_areas[count], default=0)
    best = best or int(np.searchsorted(share, _SHARE * share[-1])) + 1
    return lambda rows: scores(rows, best), f", {best} components"


def _neighbours(known: np.ndarray, chosen: np.ndarray, labels: np.ndarray) -> tuple[Scores, str]:
    fitted = NearestNeighbors(n_neighbors=1).fit(known)

    def scores(rows: np.ndarray) -> np.ndarray:
        distance, _ = fitted.kneighbors(rows)
        return np.asarray(distance[:, 0] ** 2 / rows.shape[1])

    return scores, ""


_Built: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[Scores, str]]
_DETECTORS: Mapping[str, tuple[_Built, str]] = {
    "trivial": (_mean, "the mean of the training rows in place of each row"),
    "pca": (_components, "principal components of the training rows"),
    "neighbours": (_neighbours, "the nearest training row in place of each row"),
}
