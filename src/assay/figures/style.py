"""The one style of all pictures: white, few lines, direct labels, colours that all can tell apart.

Colours are those of Okabe and Ito (2008, https://jfly.uni-koeln.de/color/). Figures are made
without pyplot, so there is no global state and nothing to close.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Figure
from matplotlib.text import Text

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, BLACK, GREY = "#56B4E9", "#E69F00", "#1A1A1A", "#6E6E6E"
CYCLE = (BLUE, ORANGE, GREEN, PINK, SKY, YELLOW, BLACK, GREY)
FAINT = "#D9D9D9"
SEQUENTIAL = "Blues"

_RC: Any = {
    "font.size": 10,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
}
DPI = 130
_LABEL_SHARE = 0.065


class _Literal(Figure):
    """A figure that shows dollar signs: names of columns and classes are no formulas."""

    def draw(self, renderer: Any) -> None:
        for text in self.findobj(Text):
            text.set_parse_math(False)
        with mpl.rc_context({"text.parse_math": False}):  # of labels that are made as it is drawn
            super().draw(renderer)


def canvas(
    columns: int = 1, rows: int = 1, *, width: float = 6.4, height: float = 4.2, **layout: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``width`` by ``height`` inches and its axes, row by row."""
    with mpl.rc_context(_RC):
        figure = _Literal(figsize=(width, height), dpi=DPI, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **layout)
    return figure, list(axes.flat)


def grid(axes: Axes, *, axis: Any = "y") -> None:
    """Draw faint lines behind the data."""
    axes.grid(visible=True, axis=axis, color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)


def title(axes: Axes, text: str) -> None:
    """Write a panel's title, at its left."""
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold", color=BLACK)


def label_ends(
    axes: Axes, ends: Sequence[tuple[float, float]], labels: Sequence[str], colors: Sequence[str]
) -> None:
    """Write each line's label at its end, (x, y) in data units, moved apart where they collide.

    Scale and limits of the axes must be set before.
    """
    to_share = axes.transScale + axes.transLimits
    axes.autoscale_view()
    heights = [float(to_share.transform(end)[1]) for end in ends]
    lowest = -1.0
    for i in sorted(range(len(ends)), key=lambda i: heights[i]):
        lowest = max(heights[i], lowest + _LABEL_SHARE)
        axes.annotate(
            labels[i],
            (ends[i][0], lowest),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colors[i],
            annotation_clip=False,
        )
