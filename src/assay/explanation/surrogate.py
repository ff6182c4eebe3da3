"""LIME: a linear model around one prediction (Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938).

A feature's contribution is its weight times how far the row stands from the average of the
perturbed training rows, so that LIME and SHAP answer in the same unit and can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from lime.lime_base import LimeBase
from lime.lime_tabular import LimeTabularExplainer
from sklearn.metrics.pairwise import cosine_distances

from assay.explanation.sources import Feeds, Predict, Sources

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
    predict: Predict, row: Feeds, *, training: Feeds, question: Question
) -> Surrogate:
    """Explain one row, given as arrays (1,) a column, around training rows (n,) a column.

    Texts, columns of two values and columns that are missing in this row are categories, drawn
    as often as in training; other columns vary as a normal distribution around the row.
    """
    columns = [_column(training[name], row[name][0]) for name in training]
    explainer = LimeTabularExplainer(
        np.stack([c.training for c in columns], axis=1),
        mode="regression",
        categorical_features=[i for i, c in enumerate(columns) if c.vocabulary is not None],
        discretize_continuous=False,
        sample_around_instance=True,
        feature_selection="none",
        random_state=question.seed,
    )
    asked: list[np.ndarray] = []

    def answer(matrix: np.ndarray) -> np.ndarray:
        feeds = dict(zip(training, _decode(columns, matrix), strict=True))
        asked.append(_ask(predict, feeds, question))
        return asked[-1]

    found = explainer.explain_instance(
        np.array([c.own for c in columns]),
        answer,
        num_features=len(columns),
        num_samples=question.samples,
    )
    weights = np.zeros(len(columns))
    for index, weight in found.local_exp[1]:
        weights[index] = weight
    return Surrogate(
        values=weights * [c.distance for c in columns], r2=_score(found.score, asked[-1])
    )


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


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column as LIME sees it: numbers, or codes into a vocabulary; and the row's own one.

    ``distance`` is how far the row stands from the training mean, in LIME's own scale.
    """

    training: np.ndarray
    own: float
    distance: float
    vocabulary: np.ndarray | None


def _column(training: np.ndarray, own: object) -> _Column:
    if training.dtype.kind != "f" or _is_missing(own) or _distinct(training) <= 2:
        return _category(training, own)
    numbers = np.where(np.isnan(training), np.nanmedian(training), training)
    value = float(str(own))
    return _Column(
        training=numbers,
        own=value,
        distance=(value - numbers.mean()) / (numbers.std() or 1.0),
        vocabulary=None,
    )


def _category(training: np.ndarray, own: object) -> _Column:
    values = np.concatenate([training, np.array([own], dtype=training.dtype)])
    codes, vocabulary = pd.factorize(values, use_na_sentinel=False)
    return _Column(
        training=codes[:-1].astype(np.float64),
        own=float(codes[-1]),
        distance=1.0 - float(np.mean(codes[:-1] == codes[-1])),
        vocabulary=np.asarray(vocabulary),
    )


def _is_missing(value: object) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _distinct(numbers: np.ndarray) -> int:
    return len(np.unique(numbers[~np.isnan(numbers)]))


def _decode(columns: list[_Column], matrix: np.ndarray) -> list[np.ndarray]:
    return [
        matrix[:, i].astype(np.float64)
        if c.vocabulary is None
        else c.vocabulary[matrix[:, i].astype(int)]
        for i, c in enumerate(columns)
    ]
