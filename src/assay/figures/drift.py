"""How far each quantity of new rows lies from that of the rows a model was measured on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from assay.figures.attribution import BAR
from assay.figures.style import BLACK, FAINT, GREY, ORANGE, canvas, grid, title

_SHOWN = 20


def drift(table: pd.DataFrame, *, told_from: float) -> Figure:
    """Draw ``name``, ``distance`` (0 to 1) and ``drifted`` of the quantities that differ most.

    ``told_from`` is the distance that so many rows tell from chance.
    """
    shown = table.iloc[:_SHOWN]
    figure, (axes, *_) = canvas(width=7.2, height=1.3 + 0.3 * len(shown))
    grid(axes, axis="x")
    places = np.arange(len(shown))
    colors = [ORANGE if drifted else FAINT for drifted in shown["drifted"]]
    bars = axes.barh(places, shown["distance"], color=colors, height=BAR)
    labels = axes.bar_label(bars, fmt="%.2f", padding=4, fontsize=9)
    for label, drifted in zip(labels, shown["drifted"], strict=True):
        label.set_color(ORANGE if drifted else GREY)
    axes.axvline(told_from, color=BLACK, linewidth=0.9, linestyle=":")
    axes.annotate(
        "told from chance",
        (told_from, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=GREY,
    )
    axes.set_yticks(places, list(shown["name"]))
    axes.set_ylim(len(shown) - 0.4, -1.0)  # the first on top, below the words on the line
    axes.set_xlim(0, min(1.0, max(0.3, 1.15 * float(shown["distance"].max()), 1.3 * told_from)))
    axes.set_xlabel("distance of the distributions (0 to 1)")
    count = int(table["drifted"].sum())
    title(axes, f"{count} of {len(table)} quantities drifted" if count else "no drift")
    return figure
