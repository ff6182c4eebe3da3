"""What happens to a prediction when features are hidden: insertion, deletion and infidelity.

A hidden feature takes the values of background rows, and answers are averaged over these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.explanation.sources import Predict, Sources

_STEPS = 16
_RANDOM_ORDERS = 10
_SUBSETS = 48


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The source rows ``rows``, and for each the output that is explained."""

    rows: np.ndarray
    outputs: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A model, the rows that are asked about, and the background that hides features."""

    predict: Predict
    sources: Sources
    asked: Asked
    background: np.ndarray

    def answers(self, shown: np.ndarray) -> np.ndarray:
        """Return the explained output (rows, m) for which features are shown: bool (rows, m, features)."""
        hidden, asked = self.sources.codes[self.background], self.asked
        found = []
        for row, output, masks in zip(asked.rows, asked.outputs, shown, strict=True):
            codes = np.where(masks[:, None], self.sources.codes[row], hidden)
            flat = codes.reshape(-1, codes.shape[-1])
            answer = np.asarray(self.predict(self.sources.feeds(flat)), np.float64)[:, output]
            found.append(answer.reshape(len(masks), -1).mean(axis=1))
        return np.stack(found)


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Gains (rows,) of random attributions: in the output itself, and in closeness to the full one."""

    signed: np.ndarray
    unsigned: np.ndarray


def gains(probe: Probe, values: np.ndarray, *, is_signed: bool) -> np.ndarray:
    """Return the insertion area less the deletion area of each row (rows,), in the output's unit.

    Features are shown, or hidden, the largest attribution first (Petsiuk, Das and Saenko 2018,
    arXiv:1806.07421). Where attributions have no sign, the curve is how near the output comes to
    that of the whole row, not the output itself.
    """
    order = np.argsort(-values, axis=1, kind="stable")
    return _areas(probe, order[:, None])[0 if is_signed else 1][:, 0]


def chance(probe: Probe, *, seed: int) -> Chance:
    """Return the mean gains of ten random attributions for each row."""
    random = np.random.default_rng(seed)
    rows, features = len(probe.asked.rows), len(probe.sources.names)
    order = random.random((rows, _RANDOM_ORDERS, features)).argsort(axis=2)
    signed, unsigned = _areas(probe, order)
    return Chance(signed=signed.mean(axis=1), unsigned=unsigned.mean(axis=1))


def _areas(probe: Probe, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both kinds of gain (rows, orders) for orders of features (rows, orders, features)."""
    rows, orders, features = order.shape
    counts = np.unique(np.linspace(0, features, min(features, _STEPS) + 1).round().astype(int))
    rank = np.argsort(order, axis=2)
    inserted = rank[:, :, None, :] < counts[:, None]
    both = np.stack([inserted, ~inserted], axis=2)
    answers = probe.answers(both.reshape(rows, -1, features))
    curves = answers.reshape(rows, orders, 2, len(counts))
    whole = curves[:, :, :1, -1:]
    share = counts / features
    return _gain(curves, share), _gain(-np.abs(curves - whole), share)


def _gain(curves: np.ndarray, share: np.ndarray) -> np.ndarray:
    areas = np.trapezoid(curves, share, axis=3)
    return np.asarray(areas[:, :, 0] - areas[:, :, 1])


@dataclass(frozen=True, kw_only=True)
class Drops:
    """How much each row's output loses, (rows, m), when features are ``hidden``, (rows, m, features)."""

    hidden: np.ndarray
    lost: np.ndarray


def drops(probe: Probe, *, seed: int) -> Drops:
    """Hide random subsets of every size, and see what each takes away."""
    random = np.random.default_rng(seed)
    shape = (len(probe.asked.rows), _SUBSETS, len(probe.sources.names))
    hidden = random.random(shape) < random.random((*shape[:2], 1))
    hidden[:, 0] = False
    answers = probe.answers(~hidden)
    return Drops(hidden=hidden, lost=answers[:, :1] - answers)


def infidelity(found: Drops, values: np.ndarray) -> np.ndarray:
    """Return each row's infidelity (rows,) as a share of what zero attributions would have.

    Yeh, Hsieh, Suggala, Inouye and Ravikumar 2019 (arXiv:1901.09392), with subsets hidden as the
    perturbation, attributions scaled as best fits: 0 is perfect, 1 tells nothing.
    """
    told = np.einsum("rmf,rf->rm", found.hidden, values)
    square = (told**2).sum(axis=1)
    scale = np.divide((told * found.lost).sum(axis=1), square, where=square > 0, out=square * 0)
    missed = ((scale[:, None] * told - found.lost) ** 2).sum(axis=1)
    whole = (found.lost**2).sum(axis=1)
    return np.asarray(np.divide(missed, whole, where=whole > 0, out=whole * 0))
