"""What repeated fits say: how far a result is the seed's luck, and what more rows would give."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from assay.metrics.objective import Objective
from assay.metrics.seeds import margin

_LITTLE = 0.02


def size_table(fits: pd.DataFrame) -> pd.DataFrame:
    """Return of ``fits`` (``share``, ``rows``, ``seed``, ``value``) a line for each size of the data.

    ``rows``, the ``mean`` over seeds, ``margin`` (half the width of its 95 % interval, NaN for one
    seed) and ``seeds``, by rising size. Fits that diverged (NaN) are left out.
    """
    grouped = fits.dropna(subset=["value"]).groupby("rows")["value"]
    margins = [margin(values.tolist()) for _, values in grouped]
    table = pd.DataFrame({"mean": grouped.mean(), "seeds": grouped.size()})
    return table.assign(margin=[float("nan") if m is None else m for m in margins]).reset_index()


def repeat_words(fits: pd.DataFrame, goal: Objective) -> str:
    """Say how far seeds differ, and whether more rows would help; empty for a single fit.

    More rows would help where the last step in size bettered the objective by more than 2 % and by
    more than the margins over seeds, where there are several.
    """
    return "; ".join(_sentences(size_table(fits), goal))


def _sentences(sizes: pd.DataFrame, goal: Objective) -> Iterator[str]:
    if sizes.empty:
        return
    name, whole = f"valid {goal.name.replace('_', ' ')}", sizes.iloc[-1]
    if whole["seeds"] > 1:
        yield (
            f"over {whole['seeds']:.0f} seeds {name} is {whole['mean']:.4g}, "
            f"give or take {whole['margin']:.2g}"
        )
    if len(sizes) < 2:
        return
    before = sizes.iloc[-2]
    gain = before["mean"] - whole["mean"]
    gain = gain if goal.direction == "minimize" else -gain
    luck = (
        0.0 if pd.isna(before["margin"] + whole["margin"]) else before["margin"] + whole["margin"]
    )
    is_more = gain > max(luck, _LITTLE * abs(before["mean"]))
    yield (
        f"with {before['rows']:.0f} training rows {name} is {before['mean']:.4g}, with all "
        f"{whole['rows']:.0f} it is {whole['mean']:.4g}: more rows "
        f"{'would help still' if is_more else 'of this kind would hardly help'}"
    )
