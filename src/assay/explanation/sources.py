"""Rows as whole numbers: every feature of a row names the source row that it is copied from.

Explainers move the features of a row about; a graph wants numbers, texts or pixels. Between
them stands a matrix of codes, rows by features: ``codes[i, j] = s`` says that feature ``j`` of
row ``i`` is that of source row ``s``. Numbers, missing values, texts and patches of pixels are
all alike in it, and equal values have equal codes, so an explainer can skip what would not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd

from assay.errors import DataError
from assay.inference.columns import Columns

Feeds: TypeAlias = Mapping[str, np.ndarray]
Predict: TypeAlias = Callable[[Feeds], np.ndarray]


class Sources(Protocol):
    """Known rows, and how to make new ones from their features.

    ``names`` are the features, ``codes`` the known rows themselves, (rows, features).
    """

    names: tuple[str, ...]
    codes: np.ndarray

    def feeds(self, codes: np.ndarray) -> Feeds:
        """Return the inputs of the graph for int codes of shape (n, features)."""


class TableSources:
    """Rows of a table: one feature a column, given as one array (rows,) a column."""

    def __init__(self, columns: Feeds) -> None:
        self._columns = dict(columns)
        self.names = tuple(self._columns)
        self.codes = np.stack([_first_equal(c) for c in self._columns.values()], axis=1)

    def feeds(self, codes: np.ndarray) -> Feeds:
        """Return one array (n,) a column."""
        return Columns(self._columns, dict(zip(self.names, codes.T, strict=True)))


class ImageSources:
    """Images, (rows, channels, height, width): one feature a patch of pixels.

    ``patch_of`` maps a pixel to its patch, (height, width); ``grid`` is patches down and across.
    """

    def __init__(self, images: np.ndarray, *, patches: int, name: str = "image") -> None:
        self._images, self._name = np.ascontiguousarray(images), name
        self.patch_of, self.grid = grid_of(images.shape[2], images.shape[3], patches=patches)
        self._is_by_pixel = self.grid == images.shape[2:]
        word = "pixel" if self.grid == images.shape[2:] else "patch"
        self.names = tuple(f"{word} {r},{c}" for r, c in np.ndindex(self.grid))
        self.codes = np.stack([self._patch_codes(p) for p in range(len(self.names))], axis=1)

    def _patch_codes(self, patch: int) -> np.ndarray:
        pixels = self._images[:, :, self.patch_of == patch].reshape(len(self._images), -1)
        _, first, inverse = np.unique(pixels, axis=0, return_index=True, return_inverse=True)
        return np.asarray(first[inverse.ravel()])

    def feeds(self, codes: np.ndarray) -> Feeds:
        """Return the one input, images of shape (n, channels, height, width)."""
        _, channels, height, width = self._images.shape
        pixels = height * width
        by_pixel = codes if self._is_by_pixel else codes[:, self.patch_of.ravel()]
        first = by_pixel * (channels * pixels) + np.arange(pixels)
        flat = self._images.reshape(-1)
        found = np.empty((len(codes), channels, pixels), self._images.dtype)
        for channel in range(channels):
            np.take(flat, first + channel * pixels, out=found[:, channel], mode="clip")
        return {self._name: found.reshape(-1, channels, height, width)}

    def mixed(self, own: np.ndarray, hidden: np.ndarray, shown: np.ndarray) -> Feeds:
        """As the function ``mixed``; pixels are an eighth of their codes."""
        rows, channels = self._images.shape[:2]
        pixels = shown if self._is_by_pixel else shown[:, self.patch_of.ravel()]
        flat = self._images.reshape(rows, channels, -1)
        found = np.where(pixels[:, None], flat[own], flat[hidden])
        return {self._name: found.reshape(-1, *self._images.shape[1:])}


def mixed(sources: Sources, own: np.ndarray, hidden: np.ndarray, shown: np.ndarray) -> Feeds:
    """Return inputs of rows with features of two source rows each, ``own`` and ``hidden``, int (n,).

    Those that are ``shown``, bool (n, features), are of the first, all others of the second.
    """
    if isinstance(sources, ImageSources):
        return sources.mixed(own, hidden, shown)
    return sources.feeds(np.where(shown, sources.codes[own], sources.codes[hidden]))


def grid_of(height: int, width: int, *, patches: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Cut an image into the smallest square patches of which there are at most ``patches``."""
    side = next(s for s in range(1, max(height, width) + 1) if _count(height, width, s) <= patches)
    down, across = -(-height // side), -(-width // side)
    rows, columns = np.indices((height, width)) // side
    return rows * across + columns, (down, across)


def _count(height: int, width: int, side: int) -> int:
    return -(-height // side) * -(-width // side)


def _first_equal(values: np.ndarray) -> np.ndarray:
    if values.ndim != 1:
        raise DataError(
            f"expected one value a row of a table's column, but got shape {values.shape}"
        )
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    _, first = np.unique(codes, return_index=True)
    return np.asarray(first[codes])
