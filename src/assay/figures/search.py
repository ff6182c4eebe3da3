"""How a search went: every trial's value and the best one so far."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLUE, FAINT, GREY, ORANGE, canvas, grid

_STATES = {"complete": ("o", BLUE, "finished"), "pruned": ("x", GREY, "stopped early")}
_TAIL = 3.0


def history(trials: pd.DataFrame, *, objective: str, direction: str) -> Figure:
    """Draw ``number``, ``value`` and ``state`` (complete or pruned) of each trial.

    Values far worse than the others are cut off at the edge, so that the rest can be told apart.
    """
    figure, (axes, *_) = canvas(width=7.2, height=4.0)
    grid(axes)
    known = trials[trials["value"].notna()]
    state = known["state"].astype(str).str.lower()
    for name, (marker, color, label) in _STATES.items():
        rows = known[state == name]
        axes.scatter(rows["number"], rows["value"], marker=marker, color=color, label=label, s=34)
    done = known[state == "complete"].sort_values("number")
    if len(done):
        _best_so_far(axes, done, direction)
        _bound(axes, known["value"], direction)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {objective.replace('_', ' ')}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(f"{len(trials)} trials, {len(done)} finished")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure


def _best_so_far(axes: Axes, done: pd.DataFrame, direction: str) -> None:
    is_less = direction == "minimize"
    best = done["value"].cummin() if is_less else done["value"].cummax()
    axes.step(done["number"], best, where="post", color=ORANGE, zorder=0, label="best so far")
    place = int(done["value"].argmin() if is_less else done["value"].argmax())
    number, value = done["number"].iloc[place], done["value"].iloc[place]
    axes.scatter([number], [value], s=120, facecolors="none", edgecolors=ORANGE, linewidths=1.8)
    axes.annotate(
        f"best: {value:.4g} (trial {number})",
        (number, value),
        xytext=(0, -14 if is_less else 12),
        textcoords="offset points",
        ha="center",
        va="center",
        color=ORANGE,
        bbox={"facecolor": "white", "edgecolor": FAINT, "pad": 1.5, "linewidth": 0},
    )


def _bound(axes: Axes, values: pd.Series, direction: str) -> None:
    low, middle, high = (float(values.quantile(q)) for q in (0.25, 0.5, 0.75))
    spread = high - low
    axes.margins(y=0.14)
    if direction == "minimize" and values.max() > middle + _TAIL * spread > values.min():
        axes.set_ylim(top=middle + _TAIL * spread)
    if direction == "maximize" and values.min() < middle - _TAIL * spread < values.max():
        axes.set_ylim(bottom=middle - _TAIL * spread)
