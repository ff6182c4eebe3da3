"""The review of errors: the rows that went worst, and those that were wrong with most confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.prepared import GROUP, ID, TARGET, TIME, Split
from assay.data.spec import Kind, Spec, required
from assay.figures.classification import confusion_matrix
from assay.figures.errors import Case, Pair, Section, error_page, line, picture
from assay.figures.style import Figure
from assay.inference.predictions import TARGET as ACTUAL
from assay.metrics.decisions import chosen
from assay.metrics.errors import Errors, confused_pairs, row_errors
from assay.pipeline.evaluating.assessment import Asked

_CASES, _PAIRS, _EXAMPLES = 100, 10, 8
_ALL_SHOWN, _CLASSES_SHOWN = 12, 10
_LETTERS = 500
_LONG, _LONGEST = 1e4, 1e12  # between these a number has more digits than .4g shows, and no e+05
_COLUMNS = ("which", "place", "row", ID, "actual", "predicted", "loss", "confidence")
_WORST, _SURE = "worst", "confidently wrong"


def no_review(page: Path) -> pd.DataFrame:
    """Write a page that says so, and return the empty table."""
    lead = "Generated samples have no truth of their own: there is nothing to review."
    error_page(page, title="Where the model goes wrong", lead=lead, sections=[], pairs=[])
    return pd.DataFrame(columns=list(_COLUMNS))


@dataclass(frozen=True, kw_only=True)
class Review:
    """``table`` has a line a case (``_COLUMNS``, and raw columns of other names); ``words`` may be empty."""

    table: pd.DataFrame
    pairs: pd.DataFrame
    words: str
    pictures: Mapping[str, Figure]


def review(asked: Asked, *, page: Path) -> Review:
    """Write the page of errors, and return what it is made of."""
    errors = row_errors(
        asked.spec.task, target=asked.target, output=asked.output, naive=asked.naive
    )
    pairs = pd.DataFrame({"actual": [], "predicted": [], "rows": [], "share": []})
    if asked.spec.task == "classification":
        pairs = confused_pairs(asked.target, asked.output, classes=asked.spec.classes)
    named = {_WORST: errors.worst(_CASES), _SURE: errors.confidently_wrong(_CASES)}
    table = _table(asked, errors, named)
    shown = _Shown(asked.split, asked.spec)
    error_page(
        page,
        title="Where the model goes wrong",
        lead=_lead(asked, errors),
        sections=_sections(table, errors, shown),
        pairs=_pairs(asked, errors, pairs, shown),
    )
    return Review(table=table, pairs=pairs, words=_words(pairs), pictures=_pictures(asked, pairs))


def _table(asked: Asked, errors: Errors, named: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return a line a case; ``row`` is its position in the test split."""
    rows = asked.split.rows()
    taken = {ID, TARGET, GROUP, TIME, *_COLUMNS}
    extra = [c for c in rows.columns if c not in taken]
    actual, predicted = _answers(asked)
    parts = []
    for which, positions in named.items():
        part = rows.iloc[positions][[ID, *extra]].reset_index(drop=True)
        sure = np.nan if errors.confidence is None else errors.confidence[positions]
        head = {
            "which": which,
            "place": np.arange(1, len(positions) + 1),
            "row": positions,
            "actual": actual[positions],
            "predicted": predicted[positions],
            "loss": errors.loss[positions],
            "confidence": sure,
        }
        parts.append(pd.DataFrame({**head, ID: part[ID], **{c: part[c] for c in extra}}))
    table = pd.concat(parts, ignore_index=True)
    return table[[*_COLUMNS, *extra]]


def _answers(asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """Return what is true and what was said of each row, as text."""
    task, table = asked.spec.task, asked.predictions
    if task == "language_modelling":
        empty = np.full(len(asked.target), "", object)
        return empty, empty
    if task == "forecasting":
        both = (asked.target, asked.output.reshape(asked.target.shape))
        return tuple(np.array([_numbers(row[:, 0]) for row in array], object) for array in both)  # type: ignore[return-value]
    if task == "reconstruction":
        words = {1: "anomaly", 0: "normal"}
        flags = asked.output[:, 1] if asked.output.ndim == 2 else np.zeros(len(asked.target))
        return _texts([words.get(int(t), "not known") for t in asked.target]), _texts(
            [words[int(flag > 0)] for flag in flags]
        )
    if task == "regression":
        return _texts([f"{v:.5g}" for v in asked.target]), _texts(
            [f"{v:.5g}" for v in asked.output.reshape(-1)]
        )
    return _texts(table[ACTUAL]), _texts(table["prediction"])


def _texts(values: object) -> np.ndarray:
    return np.array([str(v) for v in values], object)  # type: ignore[attr-defined]


def _numbers(values: np.ndarray) -> str:
    more = ", ..." if len(values) > _EXAMPLES else ""
    return ", ".join(f"{v:.4g}" for v in values[:_EXAMPLES]) + more


def _lead(asked: Asked, errors: Errors) -> str:
    rows = len(asked.target)
    wrong = "" if errors.is_wrong is None else f", {int(errors.is_wrong.sum()):,} of them wrong"
    return (
        f"{rows:,} test rows{wrong}. Loss: {errors.unit}. 'assay explain --rows ID' says why "
        "a row was predicted so."
    )


def _sections(table: pd.DataFrame, errors: Errors, shown: _Shown) -> list[Section]:
    heads = [(_WORST, "worst", "The rows of the largest loss.")]
    if errors.is_wrong is not None:
        lead = "Wrong rows, those first of which the model was surest."
        heads.append((_SURE, "most confidently wrong", lead))
    found = {which: table[table["which"] == which] for which, *_ in heads}
    return [
        Section(
            heading=f"The {len(found[which])} {words}" if len(found[which]) else f"The {words}",
            lead=lead,
            cases=[_case(case, shown) for _, case in found[which].iterrows()],
        )
        for which, words, lead in heads
    ]


def _case(found: pd.Series, shown: _Shown) -> Case:
    sure = found["confidence"]
    return Case(
        id=str(found[ID]),
        actual=str(found["actual"]),
        predicted=str(found["predicted"]),
        loss=float(found["loss"]),
        confidence=None if pd.isna(sure) else float(sure),
        shown=shown(int(found["row"])),
    )


def _pairs(asked: Asked, errors: Errors, pairs: pd.DataFrame, shown: _Shown) -> list[Pair]:
    names = _texts(asked.spec.classes)
    found = chosen(asked.output) if len(pairs) else np.zeros(0)
    drawn = []
    for _, pair in pairs.head(_PAIRS).iterrows():
        is_pair = names[asked.target] == pair["actual"]
        is_pair &= names[found] == pair["predicted"]
        examples = errors.worst(len(asked.target))
        examples = examples[is_pair[examples]][:_EXAMPLES] if shown.is_small else []
        pictures = " ".join(shown(int(row)) for row in examples)
        drawn.append(
            Pair(
                actual=str(pair["actual"]),
                predicted=str(pair["predicted"]),
                rows=int(pair["rows"]),
                share=float(pair["share"]),
                shown=f"<span>{pictures}</span>",
            )
        )
    return drawn


def _words(pairs: pd.DataFrame) -> str:
    parts = [
        f"{p['actual']} taken for {p['predicted']} ({p['rows']} row{'s' * (p['rows'] > 1)}, "
        f"{p['share']:.0%} of the class)"
        for _, p in pairs.head(3).iterrows()
    ]
    return "confused most: " + ", ".join(parts) if parts else ""


def _pictures(asked: Asked, pairs: pd.DataFrame) -> dict[str, Figure]:
    """Draw the confusion among the classes that are confused most, where there are many."""
    if len(asked.spec.classes) <= _ALL_SHOWN or pairs.empty:
        return {}
    named = pd.unique(pairs[["actual", "predicted"]].to_numpy().ravel())[:_CLASSES_SHOWN]
    names = _texts(asked.spec.classes)
    table = pd.DataFrame({"actual": names[asked.target], "predicted": names[chosen(asked.output)]})
    here = table["actual"].isin(named) & table["predicted"].isin(named)
    return {"confused_most": confusion_matrix(table[here], classes=list(named))}


class _Shown:
    """What there is to look at of a test row, as HTML."""

    def __init__(self, split: Split, spec: Spec) -> None:
        self._split, self._spec = split, spec
        self._rows = split.rows()
        self.is_small = spec.kind == "image"

    def __call__(self, row: int) -> str:
        return _SHOWN[self._spec.kind](self, row)

    def image(self, row: int) -> str:
        image = self._split.batch(np.array([row]))["image"][0]
        highest = max(1, *(required(self._spec.image).highest or (255,)))
        return picture(image, highest=highest)

    def steps(self, row: int) -> str:
        steps = self._split.batch(np.array([row]))["sequence"][0]
        return line(steps[: int(self._split.lengths[row])])

    def text(self, row: int) -> str:
        text = str(self._rows[required(self._spec.text).column].iloc[row])
        return escape(text[:_LETTERS] + (" …" if len(text) > _LETTERS else ""))

    def columns(self, row: int) -> str:
        found = self._rows.iloc[row]
        names = [column.name for column in self._spec.columns]
        return escape(", ".join(f"{name}: {_value(found[name])}" for name in names))


def _value(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]  # one cell
        return "missing"
    if not isinstance(value, float):
        return str(value)
    is_long = _LONG <= abs(value) < _LONGEST
    return f"{value:.0f}" if is_long else f"{value:.4g}"


_SHOWN: Mapping[Kind, Callable[[_Shown, int], str]] = {
    "table": _Shown.columns,
    "image": _Shown.image,
    "sequence": _Shown.steps,
    "text": _Shown.text,
}
