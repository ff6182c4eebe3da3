"""Which rows depend on each other, and how a bootstrap draws them: one by one, by group, by time.

Rows of one group (a patient, a shop) or near each other in time tell less than as many rows of
their own, so an interval that draws them one by one is too narrow. Groups are drawn whole (Davison
and Hinkley 1997, section 3.8, doi:10.1017/CBO9780511802843), and rows in time as blocks that follow
each other, in a circle (Politis and Romano 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assay.metrics.forecasts import block_length


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """What is drawn together: single ``rows``, rows of a ``group``, or rows near in ``time``.

    ``code`` (N,) is each row's group from 0, or where it comes in time.
    """

    way: Literal["rows", "group", "time"] = "rows"
    code: np.ndarray | None = None

    def of(self, here: np.ndarray) -> Dependence:
        """Return the dependence of a part of the rows, by mask or by positions."""
        return self if self.code is None else replace(self, code=self.code[here])

    def units(self, rows: int) -> int:
        """Return how many independent parts so many rows have."""
        if self.code is None:
            return rows
        if self.way == "time":
            return max(1, rows // block_length(rows, 1)) if rows else 0
        return len(np.unique(self.code))

    def too_few(self, rows: int) -> str:
        """Return why so few parts tell nothing of chance; empty where they do."""
        if self.way != "group" or self.units(rows) != 1:
            return ""
        return "all rows are of one group, which says nothing of how groups differ"


ONE_BY_ONE = Dependence()


def draw_rows(
    rng: np.random.Generator, strata: Sequence[np.ndarray], *, size: int, rows: int
) -> np.ndarray:
    """Return (size, rows) counts, as many of each stratum (positions) as it has."""
    counts = np.zeros((size, rows))
    for resample in counts:
        for stratum in strata:
            drawn = rng.integers(len(stratum), size=len(stratum)) if len(stratum) else stratum
            resample[stratum] = np.bincount(drawn, minlength=len(stratum))
    return counts


def draw_groups(
    rng: np.random.Generator, code: np.ndarray, *, stratum: np.ndarray, size: int
) -> np.ndarray:
    """Return (size, rows) counts of whole groups; ``code`` and ``stratum`` are (rows,).

    Groups are drawn within their stratum where no group has rows of two.
    """
    groups, first, place = np.unique(code, return_index=True, return_inverse=True)
    of_group = stratum[first]
    is_pure = bool(np.all(of_group[place] == stratum))
    kinds = np.unique(of_group) if is_pure else np.zeros(1)
    strata = [np.flatnonzero(of_group == k) for k in kinds] if is_pure else [np.arange(len(groups))]
    return draw_rows(rng, strata, size=size, rows=len(groups))[:, place]


def draw_blocks(rng: np.random.Generator, *, size: int, rows: int, length: int) -> np.ndarray:
    """Return (size, rows) counts of blocks of ``length`` rows that follow each other in a circle."""
    if not rows:
        return np.zeros((size, rows))
    starts = rng.integers(rows, size=(size, -(-rows // length)))
    drawn = (starts[:, :, None] + np.arange(length)).reshape(size, -1)[:, :rows] % rows
    return np.stack([np.bincount(one, minlength=rows) for one in drawn]).astype(float)
