"""SHAP values from the network itself, by the package shap: expected gradients and DeepLIFT's rules."""

from __future__ import annotations

import warnings
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor, nn

from assay.explanation.gradients import Given, Inner, by_feature

# Each process would compile SHAP's loops anew, for four seconds; as plain Python they take 0.1.
_NUMBA: Any = numba.config
_WAS_DISABLED = _NUMBA.DISABLE_JIT
_NUMBA.DISABLE_JIT = True
from shap import DeepExplainer, GradientExplainer  # noqa: E402 - after the switch

_NUMBA.DISABLE_JIT = _WAS_DISABLED
_DRAWS = 64


def gradient_shap(inner: Inner, given: Given, *, background: Tensor, seed: int) -> np.ndarray:
    """Return expected gradients (rows, features), an estimate of SHAP values from the network.

    Erion, Janizek, Sturmfels, Lundberg and Lee 2021 (doi:10.1038/s42256-021-00343-w): the mean of
    gradients at random places on the way from random background rows.
    """
    found = [
        _values(inner, given, row, background=background, seed=seed)
        for row in range(len(given.rows))
    ]
    return by_feature(inner, torch.from_numpy(np.stack(found)))


def _values(inner: Inner, given: Given, row: int, *, background: Tensor, seed: int) -> np.ndarray:
    rest = tuple(part[row : row + 1] for part in given.rest)
    output = int(given.outputs[row])
    explainer: Any = GradientExplainer(
        _OneOutput(inner, rest, output), background, batch_size=_DRAWS
    )
    values = explainer.shap_values(given.rows[row : row + 1], nsamples=_DRAWS, rseed=seed)
    return np.asarray(values)[0, ..., 0]


def deep_shap(inner: Inner, given: Given, *, background: Tensor) -> np.ndarray:
    """Return SHAP values (rows, features) by the rules of DeepLIFT, against every background row.

    Shrikumar, Greenside and Kundaje 2017 (arXiv:1704.02685). What the rules do not know (recurrence,
    attention, a layer that is used twice) makes them miss the prediction without a word: look at
    how far the values add up before they are used.
    """
    found = []
    for row in range(len(given.rows)):
        rest = tuple(part[row : row + 1] for part in given.rest)
        module = _OneOutput(inner, rest, int(given.outputs[row])).eval()
        explainer: Any = DeepExplainer(module, background)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without a rule: additivity tells
            values = explainer.shap_values(given.rows[row : row + 1], check_additivity=False)
        found.append(np.asarray(values)[0, ..., 0])
    return by_feature(inner, torch.from_numpy(np.stack(found)))


class _OneOutput(nn.Module):
    """A network's explained output, (rows, 1); ``rest`` is what the body takes beside the input."""

    def __init__(self, inner: Inner, rest: tuple[Tensor, ...], output: int) -> None:
        super().__init__()
        self._inner, self._rest, self._output = inner, rest, output
        self.body = inner.body

    def forward(self, rows: Tensor) -> Tensor:
        rest = tuple(part.expand(len(rows), *part.shape[1:]) for part in self._rest)
        return self._inner.answer(rows, *rest)[:, self._output : self._output + 1]
