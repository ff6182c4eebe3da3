"""The baselines by name: what each is, and how it is built for a task and its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from assay.baselines.features import Features
from assay.baselines.texts import bag_of_words
from assay.data.spec import Kind, Task

Build = Callable[[Task, Features, int], Any]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A kind of simple model: words for it by task, its builder, and the data that it suits."""

    about: Mapping[Task, str]
    build: Build
    kinds: tuple[Kind, ...] = ("table", "image", "sequence")


def _trivial(task: Task, features: Features, seed: int) -> Any:
    return DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor()


def _linear(task: Task, features: Features, seed: int) -> Any:
    numeric = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    columns = ColumnTransformer(
        [
            ("numeric", numeric, list(range(features.numeric))),
            ("codes", OneHotEncoder(handle_unknown="ignore"), features.categorical),
        ]
    )
    is_classifier = task == "classification"
    return make_pipeline(columns, LogisticRegression(max_iter=500) if is_classifier else Ridge())


def _boosting(task: Task, features: Features, seed: int) -> Any:
    cls = (
        HistGradientBoostingClassifier
        if task == "classification"
        else HistGradientBoostingRegressor
    )
    return cls(
        categorical_features=features.categorical or None, early_stopping=False, random_state=seed
    )


BASELINES: Mapping[str, Baseline] = {
    "trivial": Baseline(
        about={
            "classification": "the most frequent class, with the classes' shares as probabilities",
            "multilabel": "no label but those in most rows, with the labels' shares as probabilities",
            "regression": "the mean of the training rows",
        },
        build=_trivial,
        kinds=("table", "image", "sequence", "text"),
    ),
    "linear": Baseline(
        about={
            "classification": "logistic regression on scaled and one-hot encoded columns",
            "multilabel": "logistic regression on scaled and one-hot encoded columns, label by label",
            "regression": "ridge regression on scaled and one-hot encoded columns",
        },
        build=_linear,
    ),
    "words": Baseline(
        about={
            "classification": "logistic regression on TF-IDF of words and pairs of words",
            "multilabel": "logistic regression on TF-IDF of words and pairs, label by label",
            "regression": "ridge regression on TF-IDF of words and pairs of words",
        },
        build=lambda task, features, seed: bag_of_words(task),
        kinds=("text",),
    ),
    "boosting": Baseline(
        about={
            "classification": "histogram gradient boosting of trees, default settings",
            "multilabel": "histogram gradient boosting of trees, default settings, label by label",
            "regression": "histogram gradient boosting of trees, default settings",
        },
        build=_boosting,
        kinds=("table", "sequence"),
    ),
}
