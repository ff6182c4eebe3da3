"""Raw inputs of the graph, from a user's table or from a prepared split.

A table's columns are checked against the signature first: every missing one is named with the
nearest name there is, and a value of the wrong type is named with its row, counted from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from assay.data.axis import on_regular_axis, times_of
from assay.data.prepared import LENGTHS, RESERVED, Split
from assay.data.ragged import ragged
from assay.data.spec import Kind, required
from assay.data.table import as_text
from assay.data.tokenizer import encode
from assay.data.windows import filled
from assay.errors import DataError, nearest
from assay.inference.signature import NOISE, SEQUENCE, TOKENS, Signature, Tensor

_WORDS = {"true": 1.0, "yes": 1.0, "1": 1.0, "1.0": 1.0}
_WORDS |= {"false": 0.0, "no": 0.0, "0": 0.0, "0.0": 0.0}
LARGEST = float(np.finfo(np.float32).max)
LEVELS = 255
_NUMBERS = 1 << 24
_NO_TEXT = ""
ROW = "row"
"""The column of a long table that says which sequence a step belongs to."""


def split_feeds(
    split: Split, signature: Signature, *, batch_size: int
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the raw inputs of a split's rows, batch by batch, in their order.

    A generator takes noise: as many draws as there are rows.
    """
    if signature.kind == "table" or signature.task == "generation":
        feeds = (
            draw_noise(signature, rows=len(split), seed=0)
            if signature.task == "generation"
            else frame_feeds(split.rows(), signature)
        )
        for start in range(0, len(split), batch_size):
            yield {name: array[start : start + batch_size] for name, array in feeds.items()}
        return
    outputs = len(signature.classes) or (signature.text.vocabulary if signature.text else 0)
    size = split.rows_at_once(most_rows=batch_size, most_numbers=_NUMBERS, outputs=outputs)
    for start in range(0, len(split), size):
        yield split.batch(np.arange(start, min(start + size, len(split))))


def frame_feeds(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    """Return the raw inputs of a table's rows; columns that the graph does not take are left out.

    Images come one row an image, their pixels in columns ``pixel_0`` and following (channel by
    channel, row by row, 0 to 255); sequences a line a step, in order, with the row's name in
    ``row`` and a column for each channel; texts in their column. For a forecast ``row`` may lack
    where all lines are the steps of one row; the last of them are looked at, by the column of times
    that the model was trained with where the table has it, else in the table's order. Raises DataError with
    every problem of the columns' names, or with the first value that does not fit.
    """
    read = _noise if signature.task == "generation" else _FRAMES[signature.kind]
    return read(frame.rename(columns=str), signature)


def _noise(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    (tensor,) = signature.inputs
    names = [f"{NOISE}_{i}" for i in range(tensor.shape[1])]
    _check_names(frame, names)
    return {NOISE: np.stack([_numbers(frame[name]) for name in names], 1).astype(np.float32)}


def _columns(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    _check_names(frame, [tensor.name for tensor in signature.inputs])
    return {tensor.name: _column(frame[tensor.name], tensor) for tensor in signature.inputs}


def _tokens(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    text = required(signature.text)
    _check_names(frame, [text.column])
    texts = as_text(frame[text.column]).fillna(_NO_TEXT).tolist()
    rows = encode(text.tokenizer, texts, steps=text.steps)
    everything = np.arange(len(rows))
    return {TOKENS: rows.padded(everything).astype(np.int64), LENGTHS: rows.lengths}


def _steps(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    """Sequences in one long table: a column that names the row, and a column for each channel."""
    if signature.forecast and ROW not in frame:
        frame = frame.assign(**{ROW: 0})
    _check_names(frame, [ROW, *signature.channels])
    values = np.stack([_finite(_numbers(frame[c]), frame[c]) for c in signature.channels], axis=1)
    codes, _ = pd.factorize(frame[ROW])
    order = np.argsort(codes, kind="stable")
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    parts = np.split(values[order].astype(np.float32), bounds)
    if forecast := signature.forecast:
        if forecast.time in frame:
            times, places = times_of(frame[forecast.time]), np.split(order, bounds)
            parts = [_by_time(p, times.iloc[i]) for p, i in zip(parts, places, strict=True)]
        parts = [last_window(part, forecast.window) for part in parts]
    rows = ragged(parts)
    return {SEQUENCE: rows.padded(np.arange(len(rows))), LENGTHS: rows.lengths}


def _by_time(steps: np.ndarray, times: pd.Series) -> np.ndarray:
    """Return steps in the order of their times, NaN where one is skipped, as training saw them."""
    if (again := times.duplicated()).any():
        raise DataError(
            f"column '{times.name}': {times[again].iloc[0]} comes twice among the steps of one row; "
            f"a column '{ROW}' tells rows apart"
        )
    if len(times) < 2:
        return steps
    table = pd.DataFrame(steps, index=pd.Index(times)).sort_index()
    return on_regular_axis(table, every="auto").to_numpy(np.float32)


def last_window(steps: np.ndarray, window: int) -> np.ndarray:
    """Return the last steps (window, channels), as many as training saw, gaps filled as they were then.

    Raises DataError where there are fewer.
    """
    if len(steps) < window:
        raise DataError(
            f"a forecast looks at the last {window} steps of each row, but one has {len(steps)}"
        )
    return np.asarray(filled(steps[None, -window:])[0])


def draw_noise(signature: Signature, *, rows: int, seed: int) -> dict[str, np.ndarray]:
    """Return what a generator makes ``rows`` samples of; the same for the same seed."""
    (tensor,) = signature.inputs
    drawn = np.random.default_rng(seed).standard_normal((rows, tensor.shape[1]), np.float32)
    return {tensor.name: drawn}


def unseen_categories(
    feeds: Mapping[str, np.ndarray], signature: Signature
) -> dict[str, dict[str, int]]:
    """Return, by column, the categories that training did not have, each with its number of rows.

    Columns without any are left out, and those of a signature that names no categories.
    """
    unseen: dict[str, dict[str, int]] = {}
    for tensor in signature.inputs:
        known = {*tensor.categories, _NO_TEXT}
        if tensor.categories:
            counts = Counter(v for v in feeds[tensor.name].tolist() if v not in known)
            unseen[tensor.name] = dict(counts.most_common())
    return {name: counts for name, counts in unseen.items() if counts}


def _check_names(frame: pd.DataFrame, expected: list[str]) -> None:
    doubled = [n for n in dict.fromkeys(frame.columns[frame.columns.duplicated()]) if n in expected]
    missing = [name for name in expected if name not in frame.columns]
    spare = [name for name in frame.columns if name not in (*expected, *RESERVED)]
    problems = [f"column '{name}' occurs more than once" for name in doubled]
    problems += [f"column '{name}' is missing{nearest(name, spare)}" for name in missing]
    if problems:
        raise DataError(
            "the rows do not fit the model:\n" + "\n".join(f"  - {p}" for p in problems)
        )


def _column(series: pd.Series, tensor: Tensor) -> np.ndarray:
    if tensor.holds == "categorical":
        return as_text(series).fillna(_NO_TEXT).to_numpy(object)
    numbers = _booleans(series) if tensor.holds == "boolean" else _numbers(series)
    return _finite(numbers, series)


def _booleans(series: pd.Series) -> np.ndarray:
    words = series.astype(object).where(series.notna(), None)
    numbers = words.map(lambda v: np.nan if v is None else _WORDS.get(str(v).strip().lower()))
    wrong = numbers.isna() & series.notna()
    _refuse(wrong.to_numpy(), series, expected="true, false, yes, no, 1, 0 or nothing")
    return numbers.to_numpy(np.float64)


def _numbers(series: pd.Series) -> np.ndarray:
    values = series.astype(object).where(series.notna(), np.nan)
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    wrong = numbers.isna() & series.notna()
    _refuse(wrong.to_numpy(), series, expected="a number or nothing")
    return numbers.to_numpy()


def _finite(numbers: np.ndarray, series: pd.Series) -> np.ndarray:
    _refuse(np.abs(numbers) > LARGEST, series, expected="a finite number (float32) or nothing")
    return numbers


def _refuse(wrong: np.ndarray, series: pd.Series, *, expected: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"column '{series.name}', row {row}: expected {expected}, got {series.tolist()[row]!r}"
            f" ({int(wrong.sum())} such rows)"
        )


def _pixels(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    tensor = signature.inputs[0]
    shape = tensor.shape[1:]
    names = [f"pixel_{i}" for i in range(int(np.prod(shape)))]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        size = " x ".join(map(str, shape))
        raise DataError(
            f"the model takes images of {size}, as columns pixel_0 to {names[-1]}: {len(absent)} of"
            f" them are missing, the first is '{absent[0]}'{nearest(absent[0], frame.columns)}"
        )
    return {tensor.name: _levels(frame[names]).reshape(-1, *shape)}


def _levels(pixels: pd.DataFrame) -> np.ndarray:
    columns = []
    for name in pixels.columns:
        levels = _numbers(pixels[name])
        is_level = (levels >= 0) & (levels <= LEVELS) & (np.mod(levels, 1) == 0)
        _refuse(~is_level, pixels[name], expected="a whole number from 0 to 255")
        columns.append(levels.astype(np.uint8))
    return np.stack(columns, axis=1)


_FRAMES: Mapping[Kind, Callable[[pd.DataFrame, Signature], dict[str, np.ndarray]]] = {
    "table": _columns,
    "image": _pixels,
    "sequence": _steps,
    "text": _tokens,
}
