"""What there is to see of new rows: how far they are from the test rows, and how they are scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.prepared import Split
from assay.data.spec import Task, read_spec
from assay.data.table import class_values
from assay.drift.compared import Compared, compare
from assay.drift.watched import Watched, joined, watch
from assay.errors import DataError, nearest
from assay.inference.feeds import split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.inference.signature import Signature
from assay.metrics.intervals import Interval, Resampled, resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective, objective
from assay.tracking.registry import GRAPH

_BATCH = 256
_FEWEST_LABELLED = 10
_SCORED: frozenset[Task] = frozenset({"classification", "regression"})


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The scores of the labelled rows of a file, beside those of the test rows."""

    goal: Objective
    rows: int
    now: Resampled
    before: Resampled

    @property
    def is_worse(self) -> bool:
        """Tell whether the objective is worse by more than chance."""
        low, high = self._change["low"], self._change["high"]
        if not isinstance(low, float) or not isinstance(high, float):
            return False
        return low > 0 if self.goal.direction == "minimize" else high < 0

    @property
    def _change(self) -> Interval:
        return self.now.minus(self.before).interval(self.goal.name)

    def told(self) -> Iterator[str]:
        """Yield the lines that say it."""
        scores = [
            [name, *(_said(of.interval(name)) for of in (self.before, self.now))]
            for name in self.now.values
        ]
        yield from aligned([["score", "test rows", f"{self.rows} labelled new rows"], *scores])
        how = "worse than chance allows" if self.is_worse else "no worse than chance allows"
        yield f"{self.goal.name} is {how}: it changed by {_said(self._change)}"

    def values(self) -> dict[str, float]:
        """Return every score, of new rows and of test rows, by the name of a metric."""
        pairs = {"now": self.now.values, "test": self.before.values}
        return {f"{when}_{name}": v for when, values in pairs.items() for name, v in values.items()}


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """What was seen of ``rows`` new rows beside ``reference`` test rows."""

    rows: int
    reference: int
    compared: tuple[Compared, ...]
    scored: Scored | None


def monitored(
    folder: Path,
    test: Split,
    frame: pd.DataFrame,
    feeds: Mapping[str, np.ndarray],
    *,
    signature: Signature,
) -> Monitored:
    """Compare new rows, and what a fetched version in ``folder`` says of them, with its test rows.

    Raises DataError where a label is none of the model's classes, or no number.
    """
    session = Session(folder / GRAPH)
    session.require(signature)
    now = _seen(session, [feeds], signature)
    before = _seen(session, split_feeds(test, signature, batch_size=_BATCH), signature)
    target = read_spec(folder / "origin" / "spec.json").target
    return Monitored(
        rows=len(now.watched[0].values),
        reference=len(test),
        compared=tuple(compare(before.watched, now.watched)),
        scored=_scored(frame.get(target), now.scores, test, before.scores, signature=signature),
    )


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What is watched of rows, and their scores as metrics take them, where labels are scored."""

    watched: list[Watched]
    scores: np.ndarray | None


def _seen(
    session: Session, batches: Iterable[Mapping[str, np.ndarray]], signature: Signature
) -> _Seen:
    """Ask the graph once about each batch."""
    watched, scores = [], []
    for feeds in batches:
        outputs = session.run(feeds)
        watched.append(watch(feeds, outputs, signature))
        if signature.task in _SCORED:
            scores.append(scores_of(outputs, signature))
    return _Seen(watched=joined(watched), scores=np.concatenate(scores) if scores else None)


def _scored(
    labels: pd.Series | None,
    now: np.ndarray | None,
    test: Split,
    before: np.ndarray | None,
    *,
    signature: Signature,
) -> Scored | None:
    if labels is None or now is None or before is None:
        return None
    is_known = labels.notna().to_numpy()
    if is_known.sum() < _FEWEST_LABELLED:
        return None
    return Scored(
        goal=objective(signature.task),
        rows=int(is_known.sum()),
        now=_resampled(_target(labels[is_known], signature), now[is_known], signature, seed=1),
        before=_resampled(test.target, before, signature, seed=0),
    )


def _resampled(
    target: np.ndarray, scores: np.ndarray, signature: Signature, *, seed: int
) -> Resampled:
    """Resample one set of rows; another seed for another set, since they are drawn apart."""
    return resample(
        signature.task,
        target=target,
        output=scores,
        knobs=Evaluate(seed=seed),
        classes=signature.classes,
        costs=signature.costs,
    )


def _target(labels: pd.Series, signature: Signature) -> np.ndarray:
    if signature.task == "regression":
        numbers = pd.to_numeric(labels, errors="coerce")
        if numbers.isna().any():
            wrong = labels[numbers.isna()].iloc[0]
            raise DataError(
                f"target '{labels.name}': expected numbers or nothing, but got {wrong!r}"
            )
        return numbers.to_numpy(np.float64)
    codes = {str(label): code for code, label in enumerate(signature.classes)}
    words = class_values(labels).astype(str)
    if unknown := [word for word in words if word not in codes]:
        raise DataError(
            f"target '{labels.name}': {unknown[0]!r} is none of the model's classes"
            f"{nearest(unknown[0], codes)}"
        )
    return words.map(codes).to_numpy(np.int64)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line a row, its cells in columns."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _said(interval: Interval) -> str:
    value, low, high = (interval[end] for end in ("value", "low", "high"))
    if not isinstance(value, float):
        return "undefined"
    if not isinstance(low, float) or not isinstance(high, float):
        return f"{value:.4g}"
    return f"{value:.4g} ({low:.4g} to {high:.4g})"
