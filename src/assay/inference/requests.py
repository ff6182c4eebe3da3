"""Raw inputs of the graph, from the rows of a request: a table, or arrays and lists in lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from assay.data.prepared import LENGTHS
from assay.data.ragged import ragged
from assay.data.spec import required
from assay.errors import DataError, nearest
from assay.inference.feeds import LARGEST, LEVELS, frame_feeds, last_window
from assay.inference.signature import Signature, Tensor


def request_feeds(
    given: pd.DataFrame | Mapping[str, Any] | Sequence[Any] | np.ndarray, signature: Signature
) -> dict[str, np.ndarray]:
    """Return the raw inputs of rows that come as a table, as arrays by name, or as one array.

    A table is that of ``frame_feeds``, or has the graph's first input as a column whose cells are
    lists (see ``array_feeds``). Raises DataError where it does not fit.
    """
    given = _named(given, signature)
    are_texts = signature.text is not None and signature.text.column in given
    if signature.kind != "table" and signature.inputs[0].name in given and not are_texts:
        arrays = {str(name): _listed(column) for name, column in given.items()}
        return array_feeds(arrays, signature)
    frame = _frame(given)
    if frame.empty:
        raise DataError("there are no rows")
    return frame_feeds(frame, signature)


def array_feeds(given: Mapping[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    """Return the raw inputs of rows that are arrays, or lists in lists.

    A row is an image (channels, height, width; a grey one also height, width) of whole numbers from 0
    to 255, a sequence (steps, channels) in which None and NaN are missing values, ids of tokens
    (steps,), or noise (size,). Rows of unequal length may be lists. ``lengths`` may be left out: each
    step counts then. Of a forecast the last steps are looked at. Raises DataError where a row does
    not fit.
    """
    tensor, *others = signature.inputs
    if tensor.name not in given:
        raise DataError(f"'{tensor.name}' is missing{nearest(tensor.name, given)}")
    rows = _rows(given[tensor.name], tensor)
    if not others:
        return {tensor.name: _typed(np.stack(rows), tensor, signature)}
    lengths = np.array([len(row) for row in rows], np.int64)
    if given.get(LENGTHS) is not None:
        lengths = _lengths(given[LENGTHS], lengths)
    parts = [row[:length] for row, length in zip(rows, lengths, strict=True)]
    if signature.forecast:
        parts = [last_window(part, signature.forecast.window) for part in parts]
    whole = ragged(parts)
    padded = whole.padded(np.arange(len(whole)))
    return {tensor.name: _typed(padded, tensor, signature), LENGTHS: whole.lengths}


def _named(
    given: pd.DataFrame | Mapping[str, Any] | Sequence[Any] | np.ndarray, signature: Signature
) -> pd.DataFrame | Mapping[str, Any]:
    """Give rows without a name that of what the graph takes: texts, or its first input."""
    if isinstance(given, (pd.DataFrame, Mapping)):
        return given
    rows = list(given)
    if rows and all(isinstance(row, Mapping) for row in rows):
        return pd.DataFrame(rows)
    are_texts = signature.text and rows and all(isinstance(row, str) for row in rows)
    name = required(signature.text).column if are_texts else signature.inputs[0].name
    return {name: given} if rows else {}


def _frame(given: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    if isinstance(given, pd.DataFrame):
        return given
    try:
        return pd.DataFrame({str(name): _listed(column) for name, column in given.items()})
    except ValueError as error:
        raise DataError(f"the columns do not stand beside each other: {error}") from error


def _listed(column: Any) -> Any:
    """Return cells that are lists, or nothing, as a list; what is one array stays one."""
    plain = isinstance(column, np.ndarray) and column.dtype != object
    return column if plain or not hasattr(column, "tolist") else column.tolist()


def _rows(given: Any, tensor: Tensor) -> Sequence[np.ndarray]:
    """Return each row as an array of its own, all of the shape that the graph takes."""
    rows = list(given) if np.iterable(given) and not isinstance(given, str) else []
    if not rows:
        raise DataError(f"'{tensor.name}': expected {_wanted(tensor)}, got no rows")
    return [_row(row, at, tensor) for at, row in enumerate(rows)]


def _row(row: Any, at: int, tensor: Tensor) -> np.ndarray:
    try:
        array = row if isinstance(row, np.ndarray) else np.asarray(row, np.float64)
        array = array if np.issubdtype(array.dtype, np.number) else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{_at(tensor, at)}: expected numbers in {_wanted(tensor)}: {error}"
        ) from error
    shape = tensor.shape[1:]
    if array.ndim == len(shape) - 1 and shape[0] == 1:
        array = array[None]  # a grey image without its one channel
    fits = array.ndim == len(shape) and all(
        size == wanted or (wanted == -1 and size > 0)
        for size, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        found = " x ".join(map(str, array.shape)) or "one number"
        raise DataError(f"{_at(tensor, at)}: expected {_wanted(tensor)}, got a row of {found}")
    return array


def _at(tensor: Tensor, row: int) -> str:
    return f"'{tensor.name}', row {row}"


def _wanted(tensor: Tensor) -> str:
    sizes = " x ".join("any" if size == -1 else str(size) for size in tensor.shape[1:])
    return f"rows of {sizes}"


def _lengths(given: Any, longest: np.ndarray) -> np.ndarray:
    try:
        lengths = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"'{LENGTHS}': expected a whole number for each row: {error}") from error
    if lengths.shape != longest.shape:
        raise DataError(
            f"'{LENGTHS}': expected {len(longest)} of them, one a row, got {lengths.size}"
        )
    wrong = ~((lengths >= 1) & (lengths <= longest) & (np.mod(lengths, 1) == 0))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"'{LENGTHS}', row {at}: expected a whole number from 1 to {longest[at]}, "
            f"got {lengths[at]:g}"
        )
    return lengths.astype(np.int64)


def _typed(array: np.ndarray, tensor: Tensor, signature: Signature) -> np.ndarray:
    """Return numbers as the graph takes them; DataError names the first row with another."""
    if tensor.holds == "sequence":
        right, expected = ~(np.abs(array) > LARGEST), "finite numbers (float32) or nothing"
    elif tensor.holds == "noise":
        right, expected = np.abs(array) <= LARGEST, "finite numbers (float32)"
    else:
        most = signature.text.vocabulary - 1 if signature.text else LEVELS
        right = (array >= 0) & (array <= most) & (np.mod(array, 1) == 0)
        expected = f"whole numbers from 0 to {most}"
    if not right.all():
        at = int(np.flatnonzero(~right.reshape(len(right), -1).all(axis=1))[0])
        raise DataError(f"{_at(tensor, at)}: expected {expected}")
    return array.astype(np.float32 if tensor.type == "float" else tensor.type)
