"""Several labels a row: how each of them does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from assay.figures.style import BLACK, BLUE, GREY, ORANGE, canvas, grid, title

_MOST = 30


def label_scores(table: pd.DataFrame) -> Figure:
    """Draw ``precision``, ``recall`` and ``f1`` of each ``label``, with the ``rows`` that have it.

    The labels with the lowest F1 come first; of many labels only those are drawn.
    """
    shown = table.sort_values("f1", kind="stable").head(_MOST)
    figure, (axes, *_) = canvas(width=6.4, height=1.5 + 0.34 * len(shown))
    places = np.arange(len(shown))
    grid(axes, axis="x")
    axes.hlines(places, shown["f1"] * 0, shown["f1"], color=BLUE, linewidth=5, alpha=0.35)
    axes.plot(shown["f1"], places, "o", color=BLUE, markersize=7, label="F1")
    axes.plot(
        shown["precision"], places, "|", color=ORANGE, markersize=13, mew=2, label="precision"
    )
    axes.plot(shown["recall"], places, "|", color=BLACK, markersize=13, mew=2, label="recall")
    names = [f"{label} ({rows})" for label, rows in zip(shown["label"], shown["rows"], strict=True)]
    axes.set_yticks(places, names)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(-0.01, 1.02)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.28 if len(shown) < 5 else -0.14), ncols=3
    )
    left = len(table) - len(shown)
    more = f", the {len(shown)} lowest of {len(table)}" if left else ""
    title(axes, f"Each label, with the number of rows that have it{more}")
    axes.spines["left"].set_color(GREY)
    return figure
