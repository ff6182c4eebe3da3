"""Write every split as arrays, by what the specification says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.labels import joined
from assay.data.prepared import GROUP, ID, IGNORED, TARGET, TIME, write_pieces, write_ragged
from assay.data.ragged import InMemory, Ragged, ragged
from assay.data.raw import Raw
from assay.data.spec import Kind, Spec, Task, required
from assay.data.table import (
    as_numbers,
    as_text,
    categorical_array,
    class_values,
    column_type,
    numeric_array,
)
from assay.data.tokenizer import encode
from assay.errors import DataError
from assay.split.anomalies import anomaly_labels
from assay.split.learn import tags_of


def write_split(
    raw: Raw, *, rows: np.ndarray, spec: Spec, folder: Path, times: pd.Series | None = None
) -> None:
    """Write one split's tensors, target and readable rows; ``rows`` are positions in ``raw``.

    ``times`` are those of all rows, where a split is by them: the column as it is leaves its
    readers to guess.
    """
    folder.mkdir()
    _INPUTS[spec.kind](raw, rows, spec, folder)
    _TARGETS[spec.task](raw, rows, spec, folder)
    _readable(raw, rows, spec, times).to_parquet(folder / "rows.parquet", index=False)


def _columns(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    frame = raw.frame.iloc[rows]
    if spec.numeric:
        np.save(folder / "numeric.npy", numeric_array(frame, spec.numeric))
    if spec.categorical:
        np.save(folder / "categorical.npy", categorical_array(frame, spec.categorical))


def _images(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    write_pieces(folder, "image", required(raw.images), rows=rows)


def _series(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    write_ragged(folder, "sequence", required(raw.series).take(rows))


def _tokens(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    text = required(spec.text)
    texts = raw.frame[text.column].iloc[rows].tolist()
    write_ragged(folder, "tokens", encode(text.tokenizer, texts, steps=text.steps))


def _codes(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    codes = {label: code for code, label in enumerate(spec.classes)}
    labels = pd.Series(_classes(raw.frame[raw.roles.target].iloc[rows], spec))
    np.save(folder / "target.npy", labels.map(codes).to_numpy(np.int64))


def _label_bits(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    np.save(folder / "target.npy", np.asarray(raw.targets)[rows].astype(np.uint8))


def _next_tokens(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    """Each token's target is the one after it; the last one's is none."""
    text = required(spec.text)
    tokens = encode(text.tokenizer, raw.frame[text.column].iloc[rows].tolist(), steps=text.steps)
    flat = tokens.values.gather(np.arange(tokens.values.shape[0]))
    shifted = np.append(flat[1:], np.int32(IGNORED))
    shifted[tokens.offsets[1:] - 1] = IGNORED
    write_ragged(folder, "tags", Ragged(InMemory(array=shifted), tokens.offsets))
    np.save(folder / "target.npy", tokens.lengths)


def _tag_codes(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    tags = tags_of(raw).take(rows)
    flat = tags.values.gather(np.arange(tags.values.shape[0])).astype(str)
    codes = np.asarray(pd.Categorical(flat, categories=list(spec.classes)).codes, np.int32)
    if (codes < 0).any():
        raise DataError(
            f"tag {str(flat[codes < 0][0])!r} occurs in no training row: change data.split, or merge it"
        )
    lengths = np.minimum(tags.lengths, required(spec.text).steps)
    cut = [codes[start : start + n] for start, n in zip(tags.offsets, lengths, strict=False)]
    write_ragged(folder, "tags", ragged(cut))
    np.save(folder / "target.npy", lengths)


def _numbers(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    target = raw.frame[raw.roles.target].iloc[rows]
    np.save(folder / "target.npy", target.to_numpy(np.float32))


def _forecasts(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    np.save(folder / "target.npy", np.asarray(raw.targets)[rows].astype(np.float32))


def _anomalies(raw: Raw, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    np.save(folder / "target.npy", anomaly_labels(raw)[rows])


def _classes(target: pd.Series, spec: Spec) -> np.ndarray:
    """The target as the classes are written, text among them where one class anywhere is text."""
    values = class_values(target)
    return (values.astype(str) if isinstance(spec.classes[0], str) else values).to_numpy()


def _readable(raw: Raw, rows: np.ndarray, spec: Spec, times: pd.Series | None) -> pd.DataFrame:
    roles, frame = raw.roles, raw.frame.iloc[rows]
    special = {ID: frame[roles.id].to_numpy() if roles.id else rows}
    if roles.target:
        special[TARGET] = _target(frame[roles.target], spec)
    elif raw.labels:
        special[TARGET] = joined(np.asarray(raw.targets)[rows], raw.labels)
    if roles.group is not None:
        special[GROUP] = frame[roles.group].to_numpy()
    if roles.time is not None:
        special[TIME] = (frame[roles.time] if times is None else times.iloc[rows]).array
    text = (spec.text.column,) if spec.text else ()
    shown = (*(c.name for c in spec.columns), *text, *roles.sensitive)
    columns = {name: _shown(frame[name], raw) for name in dict.fromkeys(shown)}
    return pd.DataFrame({**special, **columns})


def _target(target: pd.Series, spec: Spec) -> np.ndarray:
    if spec.classes:
        return _classes(target, spec)
    is_number = spec.task != "reconstruction"
    return target.to_numpy(float) if is_number else class_values(target).astype(str).to_numpy()


def _shown(series: pd.Series, raw: Raw) -> np.ndarray:
    kind = column_type(series, raw=raw)
    if kind == "categorical":
        return as_text(series).to_numpy()
    numbers = as_numbers(series)
    if kind == "boolean":
        return numbers.astype(object).where(numbers.notna(), None).map(_boolean).to_numpy()
    return numbers.to_numpy()


def _boolean(value: float | None) -> bool | None:
    return None if value is None else bool(value)


_INPUTS: Mapping[Kind, Callable[[Raw, np.ndarray, Spec, Path], None]] = {
    "table": _columns,
    "image": _images,
    "sequence": _series,
    "text": _tokens,
}
_TARGETS: Mapping[Task, Callable[[Raw, np.ndarray, Spec, Path], None]] = {
    "language_modelling": _next_tokens,
    "tagging": _tag_codes,
    "classification": _codes,
    "multilabel": _label_bits,
    "regression": _numbers,
    "forecasting": _forecasts,
    "reconstruction": _anomalies,
    "generation": _codes,
}
