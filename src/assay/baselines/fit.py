"""Fit the baselines on training rows and let them answer for the test rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.multiclass import OneVsRestClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no stubs

from assay.baselines.features import Features, features, training_rows
from assay.baselines.models import BASELINES, Baseline
from assay.data.prepared import Split
from assay.data.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A baseline's output for the test rows, as the metrics take it, and what it is."""

    output: np.ndarray
    about: str
    rows: int
    note: str = ""


def fit_baselines(
    train: Split, test: Split, *, spec: Spec, most_rows: int, seed: int, threads: int
) -> dict[str, Answer]:
    """Return every baseline's answers by name, simplest first.

    Fitted on at most ``most_rows`` training rows and with at most ``threads`` threads.
    """
    indices, note = training_rows(train, spec=spec, most=most_rows, seed=seed)
    known = features(train, indices, spec=spec)
    asked = features(test, np.arange(len(test)), spec=spec)
    target = np.asarray(train.target)[indices]
    found = {}
    with threadpool_limits(limits=threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        for name, baseline in BASELINES.items():
            if spec.kind in baseline.kinds:
                output = _answer(baseline, known, target, asked, spec=spec, seed=seed)
                about = baseline.about[spec.task]
                found[name] = Answer(output=output, about=about, rows=len(indices), note=note)
    return found


def _answer(
    baseline: Baseline,
    known: Features,
    target: np.ndarray,
    asked: Features,
    *,
    spec: Spec,
    seed: int,
) -> np.ndarray:
    if spec.task == "multilabel":
        one = baseline.build("classification", known, seed)
        each = OneVsRestClassifier(one).fit(known.matrix, target)
        return np.asarray(each.predict_proba(asked.matrix), np.float64)
    model = baseline.build(spec.task, known, seed).fit(known.matrix, target)
    if spec.task == "regression":
        return np.asarray(model.predict(asked.matrix), np.float64)
    output = np.zeros((len(asked.matrix), len(spec.classes)))
    output[:, model.classes_] = model.predict_proba(asked.matrix)
    return output
