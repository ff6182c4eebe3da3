"""Several labels a row: from columns of yes and no, or from one cell that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.data.table import as_text
from assay.errors import DataError

_YES = {"1", "true", "yes", "y", "t"}
_NO = {"0", "false", "no", "n", "f"}
JOINT = "|"
"""What stands between labels where they are shown in one cell."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """``present``: uint8 (rows, labels), 1 where a row has a label; ``names`` of the labels."""

    present: np.ndarray
    names: tuple[str, ...]


def labels_of_columns(frame: pd.DataFrame, columns: Sequence[str]) -> Labels:
    """Return one label a column; DataError names the first cell that is neither yes nor no."""
    found = [_yes_or_no(frame[name]) for name in columns]
    return Labels(present=np.stack(found, axis=1), names=tuple(columns))


def labels_of_cells(cells: pd.Series, *, separator: str) -> Labels:
    """Return the labels that cells list, sorted by name; an empty cell has none.

    Raises DataError where no cell has any.
    """
    lists = [_listed(text, separator) for text in as_text(cells)]
    names = sorted({name for row in lists for name in row})
    if not names:
        raise DataError(f"column '{cells.name}' has no label in any row")
    places = {name: place for place, name in enumerate(names)}
    present = np.zeros((len(lists), len(names)), np.uint8)
    for row, found in enumerate(lists):
        present[row, [places[name] for name in found]] = 1
    return Labels(present=present, names=tuple(names))


def joined(present: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return each row's labels as one text, such as ``bird|sky``; empty for none."""
    return np.array([JOINT.join(np.array(names)[row.astype(bool)]) for row in present], object)


def _listed(text: str | None, separator: str) -> list[str]:
    parts = (part.strip() for part in (text or "").split(separator))
    return [part for part in dict.fromkeys(parts) if part]


def _yes_or_no(series: pd.Series) -> np.ndarray:
    words = as_text(series).map(lambda text: None if text is None else text.strip().lower())
    is_yes, is_known = words.isin(_YES), words.isin(_YES | _NO)
    if not is_known.all():
        row = int(np.flatnonzero(~is_known.to_numpy())[0])
        raise DataError(
            f"label '{series.name}', row {row + 1} below the header: expected 1 or 0, true or false, "
            f"yes or no; got {series.iloc[row]!r} ({int((~is_known).sum())} such rows)"
        )
    return is_yes.to_numpy(np.uint8)
