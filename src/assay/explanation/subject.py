"""What is explained: chosen test rows, a random sample of them, and the training rows around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from assay.data.prepared import ID, LENGTHS, TARGET, Split
from assay.data.spec import OF_STEPS
from assay.explanation.changes import changed
from assay.explanation.chosen import (
    Chosen,
    choose_by_sureness,
    choose_classified,
    choose_estimated,
    choose_labelled,
    choose_scored,
)
from assay.explanation.knobs import Explain
from assay.explanation.plan import Plan, plan
from assay.explanation.slices import labels_of
from assay.explanation.sources import (
    Feeds,
    ImageSources,
    Predict,
    Sources,
    TableSources,
    grid_of,
)
from assay.explanation.steps import SeriesSources, TokenSources
from assay.explanation.surrogate import Question, Surrogate, explain_parts, explain_table
from assay.explanation.surroundings import Surroundings
from assay.inference.feeds import frame_feeds
from assay.inference.signature import IMAGE, SEQUENCE, TOKENS, Signature

_TRAINING_ROWS = 1000
_CHANGES = 2


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Source rows by position: ``chosen`` and ``sample`` are explained against ``background``.

    ``explained_output`` is the class code that is explained for each source row up to the end of
    ``sample`` (0 for regression); ``surrogate`` fits LIME's model to the source row it is given.
    ``changed``, (changes, rows), are source rows that differ a little from the first chosen ones.
    ``slices`` are the groups (sampled rows,) that the sample falls into, by column. ``reach`` is how
    far predictions could differ: 1 for probabilities, the target's standard deviation for values.
    """

    plan: Plan
    sources: Sources
    picks: Sequence[Chosen]
    chosen: np.ndarray
    sample: np.ndarray
    background: np.ndarray
    ids: Sequence[object]
    targets: Sequence[object]
    output: np.ndarray
    explained_output: np.ndarray
    surrogate: Callable[[Predict, int, Question], Surrogate]
    changed: np.ndarray
    slices: Mapping[str, np.ndarray]
    reach: float | None

    @property
    def counts(self) -> np.ndarray:
        """Whether hiding a feature changes a chosen row at all, bool (rows, features)."""
        own, hidden = self.sources.codes[self.chosen], self.sources.codes[self.background]
        return np.asarray((own[:, None] != hidden).any(axis=1))


def subject_of(
    *,
    signature: Signature,
    train: Split,
    test: Split,
    output: np.ndarray,
    knobs: Explain,
    asked: np.ndarray | None = None,
    slices: Sequence[str] = (),
) -> Subject:
    """Choose the rows of the test split by the model's ``output`` for all of them, (rows, outputs).

    ``output`` holds probabilities, or values in the target's unit as a single column. ``asked`` are
    the positions of rows that a user wants to know about, instead of chosen ones; ``slices`` names
    columns by which importance is told apart.
    """
    random = np.random.default_rng(knobs.seed)
    sizes = plan(
        knobs,
        features=_features(signature, test, patches=knobs.patches),
        test_rows=len(test),
        train_rows=1 if signature.text else len(train),
    )
    target = explained_target(test.target, signature)
    picks = _picks(signature, output, target, count=sizes.rows, asked=asked)
    chosen = np.array([c.row for c in picks])
    sample = _draw(random, len(test), sizes.global_rows)
    around = _draw(random, len(train), max(_TRAINING_ROWS, sizes.background))
    rows = np.concatenate([chosen, sample])
    inside, outside = _feeds(test, signature, rows), _feeds(train, signature, around)
    first = min(len(chosen), knobs.score_rows)
    inside = _with_changes(inside, outside, signature=signature, rows=first)
    sources, surrogate = _methods(inside, outside, signature=signature, patches=knobs.patches)
    table = test.rows().iloc[rows]
    start = len(rows) + _CHANGES * first
    background = random.permutation(np.arange(start, start + len(around)))[: sizes.background]
    if isinstance(sources, TokenSources):
        background = np.array([sources.hidden])
    return Subject(
        plan=sizes,
        sources=sources,
        picks=picks,
        chosen=np.arange(len(chosen)),
        sample=np.arange(len(chosen), len(rows)),
        background=background,
        ids=table[ID].tolist(),
        targets=_told(table, target[rows], signature),
        output=output[rows],
        explained_output=output[rows].argmax(axis=1),
        surrogate=surrogate,
        changed=np.arange(len(rows), start).reshape(_CHANGES, first),
        slices=labels_of(test.rows().iloc[sample], slices),
        reach=_reach(signature, target),
    )


def explained_target(target: np.ndarray, signature: Signature) -> np.ndarray:
    """Return a target (rows, ...) in the form of what is explained: of forecasts a mean over steps."""
    return np.asarray(target)[:, :, 0].mean(axis=1) if signature.forecast else np.asarray(target)


def _reach(signature: Signature, target: np.ndarray) -> float | None:
    if signature.classes or signature.task in OF_STEPS:
        return 1.0
    return float(np.std(target)) if signature.task in ("regression", "forecasting") else None


def _told(table: pd.DataFrame, target: np.ndarray, signature: Signature) -> Sequence[object]:
    if signature.forecast:
        return list(target.tolist())
    return table[TARGET].tolist() if TARGET in table else ["unknown"] * len(table)


def _with_changes(inside: Feeds, outside: Feeds, *, signature: Signature, rows: int) -> Feeds:
    """Put behind the rows of ``inside`` changed copies of its first ``rows``."""
    own = {name: values[:rows] for name, values in inside.items()}
    parts = [changed(own, outside, signature=signature, seed=i) for i in range(_CHANGES)]
    return {
        name: np.concatenate([values, *(part[name] for part in parts)])
        for name, values in inside.items()
    }


def _picks(
    signature: Signature,
    output: np.ndarray,
    target: np.ndarray,
    *,
    count: int,
    asked: np.ndarray | None,
) -> list[Chosen]:
    if asked is None:
        return _choose(signature, output, target, count=count)
    return [Chosen(row=int(row), reason="asked for") for row in asked]


def _features(signature: Signature, test: Split, *, patches: int) -> int:
    if signature.kind in ("sequence", "text"):
        return min(patches, int(test.lengths.max()) * max(1, len(signature.channels)))
    if signature.kind != "image":
        return len(signature.inputs)
    _, _, height, width = signature.inputs[0].shape
    down, across = grid_of(height, width, patches=patches)[1]
    return down * across


def _choose(
    signature: Signature, output: np.ndarray, target: np.ndarray, *, count: int
) -> list[Chosen]:
    if signature.task == "classification":
        return choose_classified(output, target, classes=signature.classes, count=count)
    if signature.task == "multilabel":
        return choose_labelled(output, target, names=signature.classes, count=count)
    if signature.task == "reconstruction":
        return choose_scored(output[:, 0], target, count=count)
    if signature.task in OF_STEPS:
        return choose_by_sureness(output[:, 0], count=count)
    return choose_estimated(output[:, 0], target, count=count)


def _draw(random: np.random.Generator, rows: int, count: int) -> np.ndarray:
    return np.sort(random.choice(rows, size=min(rows, count), replace=False))


def _feeds(split: Split, signature: Signature, rows: np.ndarray) -> Feeds:
    if signature.kind != "table":
        return split.batch(rows)
    return frame_feeds(split.rows().iloc[rows], signature)


def _methods(
    inside: Feeds, outside: Feeds, *, signature: Signature, patches: int
) -> tuple[Sources, Callable[[Predict, int, Question], Surrogate]]:
    if signature.kind in ("sequence", "text"):
        steps = _step_sources(inside, outside, signature=signature, most=patches)
        return steps, partial(_explain_parts, steps, steps.hidden)
    if IMAGE not in inside or inside[IMAGE].ndim == 1:
        columns = {name: np.concatenate([inside[name], outside[name]]) for name in inside}
        return TableSources(columns), partial(_explain_row, columns, Surroundings(outside))
    mean = outside[IMAGE].mean(axis=0, keepdims=True).round().astype(outside[IMAGE].dtype)
    images = ImageSources(np.concatenate([inside[IMAGE], outside[IMAGE], mean]), patches=patches)
    hidden = len(inside[IMAGE]) + len(outside[IMAGE])
    return images, partial(_explain_parts, images, hidden)


def _step_sources(
    inside: Feeds, outside: Feeds, *, signature: Signature, most: int
) -> SeriesSources | TokenSources:
    lengths = np.concatenate([inside[LENGTHS], outside[LENGTHS]])
    if signature.text:
        tokens = _stacked(inside[TOKENS], outside[TOKENS])
        return TokenSources(tokens, lengths, tokenizer=signature.text.tokenizer, most=most)
    steps = _stacked(inside[SEQUENCE], outside[SEQUENCE])
    return SeriesSources(steps, lengths, channels=signature.channels, most=most)


def _stacked(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Put two padded batches one behind the other, as wide as the wider one."""
    longest = max(first.shape[1], second.shape[1])
    parts = []
    for part in (first, second):
        more = [(0, 0), (0, longest - part.shape[1]), *[(0, 0)] * (part.ndim - 2)]
        parts.append(np.pad(part, more))
    return np.concatenate(parts)


def _explain_row(
    columns: Feeds, training: Surroundings, predict: Predict, row: int, question: Question
) -> Surrogate:
    own = {name: values[row : row + 1] for name, values in columns.items()}
    return explain_table(predict, own, training=training, question=question)


def _explain_parts(
    parts: Sources, hidden: int, predict: Predict, row: int, question: Question
) -> Surrogate:
    return explain_parts(predict, parts, row=row, hidden=hidden, question=question)
