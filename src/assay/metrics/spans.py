"""Spans that tags mark: ``O`` outside, ``B-NAME`` where one begins, ``I-NAME`` inside of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.data.prepared import IGNORED
from assay.metrics.ranking import Metrics, ratio

_OUTSIDE, _BEGIN, _INSIDE = "O", "B-", "I-"


def is_bio(classes: Sequence[object]) -> bool:
    """Return whether tags mark spans, at least one of which can begin."""
    names = [str(name) for name in classes]
    return any(name.startswith(_BEGIN) for name in names) and all(
        name == _OUTSIDE or name.startswith((_BEGIN, _INSIDE)) for name in names
    )


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Return (first, end, name) of a row's spans.

    As in the evaluation of CoNLL 2000 (Tjong Kim Sang and Buchholz, aclanthology.org/W00-0726): an
    inside tag that follows no span of its own name begins one.
    """
    found, start, name = set(), 0, ""
    for place, tag in enumerate([*tags, _OUTSIDE]):
        goes_on = bool(name) and tag == _INSIDE + name
        if name and not goes_on:
            found.add((start, place, name))
        if not goes_on:
            start, name = place, "" if tag == _OUTSIDE else tag[2:]
    return found


def span_metrics(target: np.ndarray, output: np.ndarray, *, classes: Sequence[object]) -> Metrics:
    """Return ``span_precision``, ``span_recall`` and ``span_f1`` of whole spans, right in both ends.

    ``target`` (N, steps) and ``output`` (N, steps, tags) as for ``metrics.steps.tagging_metrics``.
    """
    counts = _counts(target, output.argmax(axis=2), [str(name) for name in classes])

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        right, found, true = (weights @ counts).T
        return {
            "span_precision": ratio(right, found),
            "span_recall": ratio(right, true),
            "span_f1": ratio(2 * right, found + true),
        }

    return values


def _counts(target: np.ndarray, predicted: np.ndarray, names: list[str]) -> np.ndarray:
    """Return (N, 3): the spans that are right, those found, and those that there are."""
    rows = []
    for codes, ours in zip(target, predicted, strict=True):
        is_step = codes != IGNORED
        true, found = (spans([names[code] for code in row[is_step]]) for row in (codes, ours))
        rows.append((len(true & found), len(found), len(true)))
    return np.array(rows, np.float64).reshape(-1, 3)
