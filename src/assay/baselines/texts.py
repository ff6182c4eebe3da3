"""The linear baseline of texts: words and pairs of words, weighted by how rare they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from assay.data.spec import Task


def bag_of_words(task: Task) -> Any:
    """Return a model over (rows, 1) texts: TF-IDF (Salton and Buckley 1988), then a linear model."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = Ridge() if task == "regression" else LogisticRegression(C=10.0, max_iter=1000)
    return make_pipeline(FunctionTransformer(_flat), words, model)


def _flat(texts: np.ndarray) -> np.ndarray:
    return texts[:, 0]
