"""Metrics of tasks with an answer for each step: a language model's next tokens, and tags.

Each is a ratio of sums over rows, so a bootstrap weighs rows and never parts one.
"""

from __future__ import annotations

import math

import numpy as np

from assay.data.prepared import IGNORED
from assay.metrics.confusion import from_confusion
from assay.metrics.ranking import Metrics, ratio

_SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


def language_metrics(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    """Return metrics of the likelihood of texts.

    ``target`` (N, steps) holds the next tokens, ``IGNORED`` after a row's end, and ``output`` (N,)
    the natural logarithm of their probability, all of a row's together. Perplexity is e to the mean
    loss a token (Jelinek et al. 1977, doi:10.1121/1.2016299).
    """
    tokens = (target != IGNORED).sum(axis=1).astype(np.float64)

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        loss = ratio(weights @ -output.reshape(-1), weights @ tokens)
        with np.errstate(over="ignore"):
            return {
                "log_loss": loss,
                "perplexity": np.exp(loss),
                "bits_per_token": loss / math.log(2),
            }

    return values


def language_error(target: np.ndarray, output: np.ndarray) -> float:
    """Return the standard error of the mean loss a token over rows, that of a ratio of sums."""
    tokens = (target != IGNORED).sum(axis=1)
    loss = -output.reshape(-1)
    return _ratio_error(loss, tokens)


def tagging_metrics(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    """Return metrics of tags: of steps alone, and of the confusion of tags.

    ``target`` (N, steps) codes with ``IGNORED`` after a row's end, ``output`` (N, steps, tags)
    probabilities.
    """
    losses, steps, confusion = _of_rows(target, output)
    tags = output.shape[2]

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        cells = (weights @ confusion).reshape(-1, tags, tags)
        hard = from_confusion(cells)
        return {**hard, "log_loss": ratio(weights @ losses, weights @ steps)}

    return values


def tagging_error(target: np.ndarray, output: np.ndarray) -> float:
    """Return the standard error of the mean loss a step over rows."""
    losses, steps, _ = _of_rows(target, output)
    return _ratio_error(losses, steps)


def _of_rows(target: np.ndarray, output: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each row's sum of losses, its steps, and its confusion (N, tags x tags)."""
    is_step, tags = target != IGNORED, output.shape[2]
    known = np.where(is_step, target, 0)
    likelihood = np.take_along_axis(output, known[:, :, None], axis=2)[:, :, 0]
    losses = np.where(is_step, -np.log(np.clip(likelihood, _SMALLEST_PROBABILITY, 1.0)), 0.0)
    cells = known * tags + output.argmax(axis=2)
    confusion = np.zeros((len(target), tags * tags))
    rows = np.repeat(np.arange(len(target)), is_step.sum(axis=1))
    np.add.at(confusion, (rows, cells[is_step]), 1.0)
    return losses.sum(axis=1), is_step.sum(axis=1).astype(np.float64), confusion


def _ratio_error(losses: np.ndarray, steps: np.ndarray) -> float:
    rows, mean = len(losses), losses.sum() / max(1.0, float(steps.sum()))
    spread = float((losses - mean * steps).std(ddof=1))
    return spread * math.sqrt(rows) / max(1.0, float(steps.sum()))
