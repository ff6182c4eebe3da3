"""LIME: a linear model around one prediction (Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938).

A feature's contribution is its weight times how far the row stands from the average of the
perturbed training rows, so that LIME and SHAP answer in the same unit and can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lime.lime_base import LimeBase
from sklearn.metrics.pairwise import cosine_distances

from assay.explanation.sources import Feeds, Predict, Sources
from assay.explanation.surroundings import Surroundings, fit

_KERNEL_WIDTH = 0.25  # LIME's own for images, over cosine distances
_FLAT = 1e-6  # what float32 can tell from no change


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """Contributions (features,) of one row, and ``r2``, the linear model's fit to its surroundings.

    ``r2`` is the R² weighted by nearness over the perturbed rows: at most 1, and 0 where the
    output does not vary among them, since then nothing is explained.
    """

    values: np.ndarray
    r2: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which output of the model is explained, on how many perturbed rows, from which seed."""

    output: int
    samples: int
    seed: int


def explain_table(
    predict: Predict, row: Feeds, *, training: Surroundings, question: Question
) -> Surrogate:
    """Explain one row, given as arrays (1,) a column, around training rows."""
    columns = training.columns_of(row)
    drawn = training.drawn(columns, samples=question.samples, seed=question.seed)
    answers = _ask(predict, drawn.feeds, question)
    found = fit(drawn, answers)
    distances = [column.distance(own) for column, own in columns]
    return Surrogate(values=found.weights * distances, r2=_score(found.r2, answers))


def explain_parts(
    predict: Predict, sources: Sources, *, row: int, hidden: int, question: Question
) -> Surrogate:
    """Explain source ``row`` by switching its parts to those of source ``hidden``.

    Parts are patches of an image, segments of a sequence or tokens of a text.
    """
    random = np.random.RandomState(question.seed)
    shown = random.randint(0, 2, (question.samples, len(sources.names)))
    shown[0] = 1
    codes = np.where(shown == 1, sources.codes[row], sources.codes[hidden])
    answers = _ask(predict, sources.feeds(codes), question)
    base = LimeBase(_nearness, random_state=random)
    _, weights, r2, _ = base.explain_instance_with_data(
        shown,
        answers[:, None],
        cosine_distances(shown, shown[:1]).ravel(),
        0,
        shown.shape[1],
        feature_selection="none",
    )
    values = np.zeros(shown.shape[1])
    for index, weight in weights:
        values[index] = weight
    return Surrogate(values=values, r2=_score(r2, answers))


def _nearness(distances: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.exp(-(distances**2) / _KERNEL_WIDTH**2)))


def _score(r2: float, answers: np.ndarray) -> float:
    return float(r2) if np.ptp(answers) > _FLAT * np.abs(answers).max() else 0.0


def _ask(predict: Predict, feeds: Feeds, question: Question) -> np.ndarray:
    return np.asarray(predict(feeds), dtype=np.float64)[:, question.output]
