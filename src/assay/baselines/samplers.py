"""Simple generators of images: what a trained one has to be better than, and what none can beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from sklearn.decomposition import PCA

_SHARE = 0.95
_FITTED = 5000

Sampler: TypeAlias = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
"""From training images, a number of samples and a source of randomness to images, all uint8."""


def _pixels(images: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    flat = images.reshape(len(images), -1)
    rows = random.integers(len(flat), size=(count, flat.shape[1]))
    drawn = np.take_along_axis(flat, rows, axis=0)
    return np.asarray(drawn.reshape(count, *images.shape[1:]))


def _gaussian(images: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """A normal distribution over the principal components of nineteen twentieths of the variance."""
    some = images[random.permutation(len(images))[:_FITTED]]
    flat = some.reshape(len(some), -1).astype(np.float64)
    fitted = PCA(n_components=_SHARE, svd_solver="full").fit(flat)
    drawn = random.normal(size=(count, fitted.n_components_)) * np.sqrt(fitted.explained_variance_)
    levels = np.clip(np.round(fitted.inverse_transform(drawn)), flat.min(), flat.max())
    return np.asarray(levels.astype(np.uint8).reshape(count, *images.shape[1:]))


def _rows(images: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    return np.asarray(images[random.choice(len(images), count, replace=count > len(images))])


SAMPLERS: Mapping[str, tuple[Sampler, str]] = {
    "trivial": (_pixels, "each pixel by itself, from a training row drawn at random"),
    "pca": (_gaussian, "a normal distribution over the training rows' principal components"),
    "training_rows": (_rows, "training rows themselves: as good as samples can be, and no gain"),
}
