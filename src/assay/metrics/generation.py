"""How good generated samples are, in a space of features: (rows, features) of real and generated rows.

Nothing here knows what a row is. A generator can fail in three ways: samples that look like no
real one (density and precision), real ones that it never makes (coverage), and training rows that
it gives back (``nearest``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 5


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Return the Frechet distance of two normal distributions with the sets' means and covariances.

    |m - n|^2 + tr(C + D - 2 (C D)^(1/2)): Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X;
    for generated images Heusel et al. 2017, arXiv:1706.08500. It falls with the number of rows, so
    only sets of equal size can be compared.
    """
    first, second = real.astype(np.float64), generated.astype(np.float64)
    ours, theirs = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    between = float(np.square(first.mean(0) - second.mean(0)).sum())
    values, vectors = np.linalg.eigh(ours)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ theirs @ root), 0.0)).sum()
    return max(0.0, between + float(np.trace(ours) + np.trace(theirs) - 2 * shared))


@dataclass(frozen=True, kw_only=True)
class Balls:
    """Real rows, each with a ball as wide as the distance to its k-th nearest other real row."""

    real: np.ndarray
    radius: np.ndarray


def balls_around(real: np.ndarray, *, k: int = NEIGHBOURS) -> Balls:
    """Return the balls; of fewer than k + 1 rows each reaches the farthest other one."""
    found = NearestNeighbors(n_neighbors=min(k, len(real) - 1)).fit(real)
    distance, _ = found.kneighbors()
    return Balls(real=real, radius=distance[:, -1])


@dataclass(frozen=True, kw_only=True)
class Spread:
    """``covered`` (real rows,): 1 where a generated row lies in a real row's ball.

    ``density`` (generated rows,): in how many balls a generated row lies, over k.
    """

    covered: np.ndarray
    density: np.ndarray


def spread(balls: Balls, generated: np.ndarray, *, k: int = NEIGHBOURS) -> Spread:
    """Return coverage by real row and density by generated row (Naeem et al. 2020, arXiv:2002.09797).

    Their means are the metrics. Coverage is from 0 to 1, the share of real rows that some generated
    one comes near; density is about 1 where generated rows lie as densely among real ones as real
    ones do.
    """
    is_inside = _distances(balls.real, generated) < balls.radius[:, None]
    return Spread(
        covered=np.asarray(is_inside.any(axis=1), np.float64), density=is_inside.sum(axis=0) / k
    )


def nearest(generated: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each generated row's nearest training row by position, and the distance."""
    distance, row = NearestNeighbors(n_neighbors=1).fit(train).kneighbors(generated)
    return row[:, 0], distance[:, 0]


def copied_share(generated: np.ndarray, *, train: np.ndarray, held_out: np.ndarray) -> float:
    """Return the share of generated rows nearer to a training row than nearly all rows held out are.

    Nearly all: 99 of 100. About 0.01 where the generator knows the training rows no better than the
    distribution does; more says that it gives training rows back.
    """
    usual = np.quantile(nearest(held_out, train)[1], 0.01)
    return float(np.mean(nearest(generated, train)[1] < usual))


def missing_classes(probability: np.ndarray) -> list[int]:
    """Return the codes of classes that no row of (rows, classes) is judged to be of."""
    found = set(probability.argmax(axis=1).tolist())
    return [code for code in range(probability.shape[1]) if code not in found]


def opinion(found: np.ndarray, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Part a judge's answer (rows, features + classes) into features and class probabilities."""
    return found[:, :-classes], found[:, -classes:]


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (rows of the first, rows of the second)."""
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None]
    return np.asarray(np.sqrt(np.maximum(squares - 2 * first @ second.T, 0.0)))
