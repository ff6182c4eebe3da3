"""What repeated fits say: how far a result is the seed's luck, and what more rows would give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

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

    The last step in size tells: a gain of more than 2 %, beyond chance over the seeds that both sizes
    share, says that more rows would help, one below 2 % that they would hardly. Between these only more
    seeds can tell.
    """
    return "; ".join(_sentences(fits, size_table(fits), goal))


def _sentences(fits: pd.DataFrame, sizes: pd.DataFrame, goal: Objective) -> Iterator[str]:
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
    said = _verdict(_gains(fits, before["rows"], whole["rows"], goal), little=before["mean"])
    yield (
        f"with {before['rows']:.0f} training rows {name} is {before['mean']:.4g}, with all "
        f"{whole['rows']:.0f} it is {whole['mean']:.4g}: {said}"
    )


def _gains(fits: pd.DataFrame, fewer: float, more: float, goal: Objective) -> list[float]:
    """Return by how much each seed gained from the smaller size to the larger."""
    values = fits.pivot_table(index="seed", columns="rows", values="value")[[fewer, more]].dropna()
    gain = values[fewer] - values[more]
    return (gain if goal.direction == "minimize" else -gain).tolist()


def _verdict(gains: Sequence[float], *, little: float) -> str:
    """Say what the gains of seeds mean; ``little`` is the objective before them."""
    if not gains:
        return "no seed came through both, so whether more rows would help cannot be told"
    gain, luck = fmean(gains), margin(gains)
    if gain > _LITTLE * abs(little) and gain > (luck or 0.0):
        return "more rows would help still"
    if gain <= _LITTLE * abs(little):
        return "more rows of this kind would hardly help"
    return (
        "whether more rows would help cannot be told from the luck of the seeds (gain "
        f"{gain:.2g}, give or take {luck:.2g}): raise repeats.seeds"
    )
