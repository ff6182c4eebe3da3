"""How a search went: every trial's value and the best one so far."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLUE, FAINT, GREY, ORANGE, canvas, grid, title

_STATES = {"complete": ("o", BLUE, "finished"), "pruned": ("x", GREY, "stopped early")}
_TAIL, _MARGIN = 3.0, 0.14


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
    title(axes, f"{len(trials)} trials, {len(done)} finished")
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
    quarter, middle, last = (float(values.quantile(q)) for q in (0.25, 0.5, 0.75))
    low, high, reach = float(values.min()), float(values.max()), _TAIL * (last - quarter)
    if direction == "minimize" and reach:
        high = min(high, middle + reach)
    elif reach:
        low = max(low, middle - reach)
    margin = _MARGIN * (high - low) or abs(high) or 1.0
    axes.set_ylim(low - margin, high + margin)
