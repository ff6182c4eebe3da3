"""What a reconstruction's own errors say of rows: the graph's score, feature by feature."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assay.data.spec import Spec
from assay.explanation.curves import Asked
from assay.explanation.importance import importance
from assay.explanation.knobs import Explain, Method
from assay.explanation.methods import Learned
from assay.explanation.reconstruction import error_by_feature
from assay.explanation.steps import SeriesSources
from assay.explanation.subject import Subject
from assay.inference.signature import GIVEN, RECONSTRUCTION
from assay.pipeline.explaining.insight import Run, features_of

COLUMNS = ("feature", "error", "error_low", "error_high")
_NAME: Method = "reconstruction_error"


def errors_of(run: Run, spec: Spec, subject: Subject) -> Learned | None:
    """Return the method that takes a reconstruction's score apart; None where features are not known.

    What a feature adds is compared with what it adds for background rows: so it can be less too, and adds
    up to the score less theirs, as SHAP values do.
    """
    if features_of(spec, subject) is None:
        return None
    usual = _errors(run, spec, subject, subject.background).mean(axis=0)

    def attribute(method: Method, asked: Asked) -> np.ndarray:
        return np.asarray(_errors(run, spec, subject, asked.rows) - usual)

    return Learned(methods=frozenset({_NAME}), attribute=attribute)


def error_table(run: Run, spec: Spec, subject: Subject, *, knobs: Explain) -> pd.DataFrame:
    """Return what each feature adds to the score of the sampled rows, a mean with its 95 % interval."""
    if features_of(spec, subject) is None:
        return pd.DataFrame(columns=list(COLUMNS))
    amounts = _errors(run, spec, subject, subject.sample)
    found = importance(amounts, names=subject.sources.names, seed=knobs.seed)
    columns = (found.names, found.mean, found.low, found.high)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _errors(run: Run, spec: Spec, subject: Subject, rows: np.ndarray) -> np.ndarray:
    outputs = run(subject.sources.feeds(subject.sources.codes[rows]))
    given = outputs[GIVEN]
    return error_by_feature(
        given,
        outputs[RECONSTRUCTION],
        feature=_feature_of(spec, subject, numbers=given.shape[1]),
        features=len(subject.sources.names),
    )


def _feature_of(spec: Spec, subject: Subject, *, numbers: int) -> np.ndarray:
    """Return the feature that each number of a row belongs to, (numbers,).

    A sequence is filled up to the longest of training: what lies after its end counts with its last
    segment.
    """
    feature, sources = features_of(spec, subject), subject.sources
    assert feature is not None  # the callers have looked
    if isinstance(sources, SeriesSources):
        steps = numbers // len(sources.channels)
        feature = feature[np.minimum(np.arange(steps), len(feature) - 1)]
    return feature.ravel()
