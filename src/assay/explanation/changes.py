"""Small changes of a row, to see whether its explanation holds still (max-sensitivity)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assay.data.prepared import LENGTHS
from assay.inference.signature import Signature

_SMALL = 0.05
_UNKNOWN = 1


def changed(
    feeds: Mapping[str, np.ndarray],
    training: Mapping[str, np.ndarray],
    *,
    signature: Signature,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return the rows a little changed: numbers by a twentieth of their spread in training.

    Of a sequence each channel has its own spread. Pixels move by whole levels. Of a text one token
    becomes unknown; categories, booleans and lengths stay as they are.
    """
    random = np.random.default_rng(seed)
    holds = {tensor.name: tensor.holds for tensor in signature.inputs}
    return {
        name: _changed(values, training[name], holds=holds.get(name, "output"), random=random)
        if name != LENGTHS
        else values
        for name, values in feeds.items()
    }


def _changed(
    values: np.ndarray, training: np.ndarray, *, holds: str, random: np.random.Generator
) -> np.ndarray:
    if holds == "tokens":
        return _one_unknown(values, random)
    if holds not in ("numeric", "image", "sequence"):
        return values
    over = tuple(range(training.ndim - 1)) if holds == "sequence" else None
    spread = np.nanstd(training.astype(np.float64), axis=over)
    noise = random.normal(size=values.shape) * spread * _SMALL
    if values.dtype == np.uint8:
        top = int(training.max(initial=1))
        return np.clip(values + noise.round(), 0, top).astype(np.uint8)
    return np.asarray((values + noise).astype(values.dtype))


def _one_unknown(tokens: np.ndarray, random: np.random.Generator) -> np.ndarray:
    lengths = np.maximum((tokens != 0).sum(axis=1), 1)
    place = (random.random(len(tokens)) * lengths).astype(int)
    found = tokens.copy()
    found[np.arange(len(tokens)), place] = _UNKNOWN
    return found


def sensitivity(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the largest relative change of each row's attributions (rows,).

    ``values`` (rows, features) against ``others`` (changes, rows, features); Yeh et al. 2019
    (arXiv:1901.09392): the norm of the difference, here over the norm of the attributions.
    """
    size = np.linalg.norm(values, axis=1)
    change = np.linalg.norm(others - values, axis=2).max(axis=0)
    return np.asarray(np.divide(change, size, where=size > 0, out=np.zeros_like(size)))
