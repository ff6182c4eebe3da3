"""Pictures of a regression on known rows: predicted against actual, and what is left over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLUE, GREY, ORANGE, canvas, grid, title

_MOST_POINTS = 4000
_FEW = 30


def residual_plots(table: pd.DataFrame, *, target: str) -> Figure:
    """Draw ``actual``, ``predicted`` and ``residual`` (actual minus predicted) in three panels.

    Of more than 4000 rows, 4000 drawn at random are shown as points; the line and the histogram
    stand for all.
    """
    figure, (left, middle, right) = canvas(3, width=12.0, height=3.9)
    shown = table if len(table) <= _MOST_POINTS else table.sample(_MOST_POINTS, random_state=0)
    size, alpha = (16, 0.7) if len(shown) < 10 * _FEW else (9, 0.4)
    style: Any = {"s": size, "alpha": alpha, "color": BLUE, "linewidths": 0}
    grid(left, axis="both")
    left.scatter(shown["actual"], shown["predicted"], **style)
    _diagonal(left, table)
    left.set_xlabel(f"actual {target}")
    left.set_ylabel(f"predicted {target}")
    title(left, "Predicted against actual")
    grid(middle)
    middle.axhline(0, color=GREY, linewidth=1)
    middle.scatter(shown["predicted"], shown["residual"], **style)
    _trend(middle, table)
    middle.set_xlabel(f"predicted {target}")
    middle.set_ylabel("actual minus predicted")
    title(middle, "Residuals")
    _histogram(right, table)
    return figure


def _diagonal(axes: Axes, table: pd.DataFrame) -> None:
    both = table[["actual", "predicted"]].to_numpy()
    ends = [both.min(), both.max()] if both.size else [0, 1]
    axes.plot(ends, ends, color=GREY, linewidth=1)
    axes.annotate(
        "perfect",
        (ends[1], ends[1]),
        xytext=(-4, 2),
        textcoords="offset points",
        ha="right",
        color=GREY,
        fontsize=9,
    )


def _trend(axes: Axes, table: pd.DataFrame) -> None:
    """The mean residual in bins of equally many rows: a model without a bent has none."""
    if len(table) < _FEW:
        return
    order = table.sort_values("predicted")
    parts = np.array_split(np.arange(len(order)), min(12, len(order) // 10))
    x = [order["predicted"].to_numpy()[part].mean() for part in parts]
    y = [order["residual"].to_numpy()[part].mean() for part in parts]
    axes.plot(x, y, color=ORANGE)
    axes.annotate(
        "mean", (x[-1], y[-1]), xytext=(5, 0), textcoords="offset points", color=ORANGE, va="center"
    )


def _histogram(axes: Axes, table: pd.DataFrame) -> None:
    residual = table["residual"].to_numpy()
    bins = int(np.clip(np.sqrt(len(residual)), 8, 60))
    axes.hist(residual, bins=bins, color=BLUE)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xlabel("actual minus predicted")
    axes.set_ylabel("rows")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    mean, std = (residual.mean(), residual.std()) if len(residual) else (0.0, 0.0)
    title(axes, f"Mean {mean:.3g}, standard deviation {std:.3g}")
