"""How wrong the model is in each row, and how sure it was: what a review of errors begins from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from assay.data.prepared import IGNORED
from assay.data.spec import Task
from assay.metrics.decisions import chosen, probabilities
from assay.metrics.multilabel import decisions

_SMALLEST = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, kw_only=True)
class Errors:
    """``loss`` (N,), more is worse, NaN where not known, in words ``unit``.

    ``is_wrong`` and ``confidence`` (N,), from 0 to 1, are None for tasks that decide nothing. Of
    several decisions in a row it is that of the surest wrong one, NaN where none is wrong.
    """

    loss: np.ndarray
    unit: str
    is_wrong: np.ndarray | None = None
    confidence: np.ndarray | None = None

    def worst(self, most: int) -> np.ndarray:
        """Return positions of the rows of the largest loss, the largest first."""
        known = np.flatnonzero(np.isfinite(self.loss))
        return known[np.argsort(-self.loss[known], kind="stable")][:most]

    def confidently_wrong(self, most: int) -> np.ndarray:
        """Return positions of the wrong rows, those first of which the model was surest."""
        if self.is_wrong is None or self.confidence is None:
            return np.zeros(0, np.int64)
        wrong = np.flatnonzero(self.is_wrong)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:most]


def row_errors(
    task: Task, *, target: np.ndarray, output: np.ndarray, naive: Sequence[float] = ()
) -> Errors:
    """Return each row's error; arrays as for ``metrics.scores.score``."""
    if task == "forecasting":
        scaled = np.abs(output.reshape(target.shape) - target) / np.asarray(naive)
        return Errors(loss=scaled.mean(axis=(1, 2)), unit="absolute error, naive forecasts are 1")
    return _ERRORS[task](np.asarray(target), np.asarray(output, np.float64))


def _of_classes(target: np.ndarray, output: np.ndarray) -> Errors:
    rows, found, probability = np.arange(len(target)), chosen(output), probabilities(output)
    return Errors(
        loss=-np.log(np.clip(probability[rows, target], _SMALLEST, 1.0)),
        unit="log loss",
        is_wrong=found != target,
        confidence=probability[rows, found],
    )


def _of_labels(target: np.ndarray, output: np.ndarray) -> Errors:
    probability, given = decisions(output)
    is_there = target == 1
    likelihood = np.where(is_there, probability, 1 - probability)
    wrong = given != is_there
    return Errors(
        loss=-np.log(np.clip(likelihood, _SMALLEST, 1.0)).mean(1),
        unit="log loss, the mean over labels",
        is_wrong=wrong.any(1),
        confidence=_of_the_surest(1 - likelihood, wrong),
    )


def _of_numbers(target: np.ndarray, output: np.ndarray) -> Errors:
    return Errors(loss=np.abs(output.reshape(-1) - target), unit="absolute error")


def _of_texts(target: np.ndarray, output: np.ndarray) -> Errors:
    tokens = np.maximum((target != IGNORED).sum(1), 1)
    return Errors(loss=-output.reshape(-1) / tokens, unit="log loss a token")


def _of_tags(target: np.ndarray, output: np.ndarray) -> Errors:
    is_step = target != IGNORED
    known, found = np.where(is_step, target, 0), output.argmax(2)
    likelihood = np.take_along_axis(output, known[:, :, None], axis=2)[:, :, 0]
    losses = np.where(is_step, -np.log(np.clip(likelihood, _SMALLEST, 1.0)), 0.0)
    wrong = is_step & (found != target)
    return Errors(
        loss=losses.sum(1) / np.maximum(is_step.sum(1), 1),
        unit="log loss a step",
        is_wrong=wrong.any(1),
        confidence=_of_the_surest(output.max(2), wrong),
    )


def _of_the_surest(confidence: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Return of each row (N, parts) the largest among its wrong parts, NaN where none is wrong."""
    return np.where(wrong.any(1), np.where(wrong, confidence, 0.0).max(1), np.nan)


def _of_anomalies(target: np.ndarray, output: np.ndarray) -> Errors:
    """A row is as wrong as the share of rows that it should not be above, or not be below."""
    score = output.reshape(len(output), -1)[:, 0]
    rank = rankdata(score) / max(1, len(score))
    loss = np.where(target == 1, 1 - rank, np.where(target == 0, rank, np.nan))
    unit = "share of rows that score less (of anomalies: more)"
    if output.ndim < 2:
        return Errors(loss=loss, unit=unit)
    wrong = (target >= 0) & ((output[:, 1] > 0) != (target == 1))
    return Errors(loss=loss, unit=unit, is_wrong=wrong, confidence=np.nan_to_num(loss))


_ERRORS: Mapping[Task, Callable[[np.ndarray, np.ndarray], Errors]] = {
    "classification": _of_classes,
    "multilabel": _of_labels,
    "regression": _of_numbers,
    "language_modelling": _of_texts,
    "tagging": _of_tags,
    "reconstruction": _of_anomalies,
}


def confused_pairs(
    target: np.ndarray, output: np.ndarray, *, classes: Sequence[object]
) -> pd.DataFrame:
    """Return ``actual``, ``predicted`` (names), ``rows`` and ``share`` of the actual class's rows.

    The pairs of classes that are taken for each other, the most frequent first; ``target`` (N,) codes.
    """
    size, found = len(classes), chosen(output)
    counts = np.bincount(target * size + found, minlength=size**2).reshape(size, size)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    np.fill_diagonal(counts, 0)
    order = np.lexsort((-shares.ravel(), -counts.ravel()))
    order = order[counts.ravel()[order] > 0]
    names = np.array([str(name) for name in classes], object)
    return pd.DataFrame(
        {
            "actual": names[order // size],
            "predicted": names[order % size],
            "rows": counts.ravel()[order],
            "share": shares.ravel()[order],
        }
    )
