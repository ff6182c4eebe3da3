"""Importance by class and by slice: what matters for whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from assay.data.spec import OF_STEPS
from assay.explanation.importance import importance, moved
from assay.explanation.outcome import Outcome
from assay.explanation.subject import Subject
from assay.inference.signature import Signature

CLASS = "predicted class"
COLUMNS = ("by", "group", "rows", "rank", "feature", "importance", "low", "high")
_FEWEST_ROWS = 10


def group_table(
    outcome: Outcome, subject: Subject, *, signature: Signature, seed: int
) -> pd.DataFrame:
    """Return the importance of each feature, with its 95 % interval, in each group of the sample.

    Groups are the predicted classes, for which only the own class's probability counts, and the
    values of the subject's slices. Groups of fewer than ten sampled rows are left out.
    """
    found = [pd.DataFrame(columns=list(COLUMNS))]
    for by, group, here, amounts in _groups(outcome, subject, signature):
        if here.sum() >= _FEWEST_ROWS:
            found.append(_one(amounts[here], subject, seed=seed).assign(by=by, group=group))
    return pd.concat(found[1:] or found, ignore_index=True)[list(COLUMNS)]


def _groups(
    outcome: Outcome, subject: Subject, signature: Signature
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    values = outcome.sample.values
    if len(signature.classes) > 1 and signature.task not in OF_STEPS:
        given = subject.explained_output[subject.sample]
        own = np.abs(values[np.arange(len(values)), :, given])
        for code, name in enumerate(signature.classes):
            yield CLASS, str(name), given == code, own
    for column, labels in subject.slices.items():
        for label in sorted(set(labels.tolist())):
            yield column, label, labels == label, moved(values)


def _one(amounts: np.ndarray, subject: Subject, *, seed: int) -> pd.DataFrame:
    found = importance(amounts, names=subject.sources.names, seed=seed)
    table = pd.DataFrame(
        {
            "rows": len(amounts),
            "rank": found.rank,
            "feature": found.names,
            "importance": found.mean,
            "low": found.low,
            "high": found.high,
        }
    )
    return table.sort_values("rank", ignore_index=True)
