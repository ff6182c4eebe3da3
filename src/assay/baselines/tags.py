"""Counting models of tags: the shares of all tags, and the shares that each token had."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.baselines.fit import Answer
from assay.data.prepared import IGNORED, Split
from assay.data.spec import Spec, required

_BATCH = 1024


def count_tags(train: Split, test: Split, *, spec: Spec) -> dict[str, Answer]:
    """Return probabilities (rows, steps, tags) for the test rows: by tag alone, and by token.

    A token's shares are drawn to those of all tags by one imagined occurrence.
    """
    counts = np.zeros((required(spec.text).vocabulary, len(spec.classes)))
    for tokens, tags in _batches(train):
        is_step = tags != IGNORED
        np.add.at(counts, (tokens[is_step], tags[is_step]), 1.0)
    shares = counts.sum(axis=0) / counts.sum()
    by_token = (counts + shares) / (counts.sum(axis=1, keepdims=True) + 1.0)
    tokens = test.whole()["tokens"]
    rows = len(train)
    return {
        "trivial": Answer(
            output=np.broadcast_to(shares, (*tokens.shape, len(shares))).copy(),
            about="the shares of the tags, whatever the token",
            rows=rows,
        ),
        "lookup": Answer(
            output=by_token[tokens], about="the shares of the tags that each token had", rows=rows
        ),
    }


def _batches(split: Split) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(split), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(split)))
        yield split.batch(indices)["tokens"], split.targets(indices)
