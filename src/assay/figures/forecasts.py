"""Pictures of forecasts: beside what came, and how errors grow with the steps ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLACK, BLUE, CYCLE, GREY, ORANGE, canvas, grid, label_ends, title


@dataclass(frozen=True, kw_only=True)
class Window:
    """One series: steps ``seen``, then ``truth``, ``forecast`` and ``naive`` over the same steps."""

    title: str
    seen: np.ndarray
    truth: np.ndarray
    forecast: np.ndarray
    naive: np.ndarray


def windows(shown: Sequence[Window], *, series: str) -> Figure:
    """Draw windows in panels, best forecast first: steps count from the last one seen."""
    figure, panels = canvas(1, len(shown), width=8.4, height=0.9 + 1.9 * len(shown))
    for axes, one in zip(panels, shown, strict=True):
        before, after = np.arange(-len(one.seen) + 1, 1), np.arange(len(one.truth) + 1)
        grid(axes)
        axes.plot(before, one.seen, color=GREY, linewidth=1.2, label="seen")
        axes.axvline(0, color=GREY, linewidth=0.8)
        for values, color, label, style in (
            (one.naive, ORANGE, "seasonal naive", ":"),
            (one.truth, BLACK, "came", "-"),
            (one.forecast, BLUE, "forecast", "-"),
        ):
            line = np.concatenate([one.seen[-1:], values])
            axes.plot(after, line, style, color=color, linewidth=1.6, label=label)
        axes.set_ylabel(series)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        title(axes, one.title)
    panels[-1].set_xlabel("steps after the last one seen")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def by_step(errors: Mapping[str, pd.Series]) -> Figure:
    """Draw MASE by step ahead for the model, the first, and each baseline; indexes are steps."""
    figure, (axes, *_) = canvas(width=7.2, height=4.2)
    grid(axes)
    colors = [BLUE, *(c for c in CYCLE if c != BLUE)]
    for (name, error), color in zip(errors.items(), colors, strict=False):
        is_model = name == "model"
        width, marker = (2.2, "o") if is_model else (1.3, ".")
        axes.plot(error.index, error, marker=marker, color=color, linewidth=width, markersize=4)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("steps ahead")
    axes.set_ylabel("mean absolute error, in units of the naive one")
    title(axes, "MASE by step ahead, on the test split")
    ends = [(float(e.index[-1]), float(e.iloc[-1])) for e in errors.values()]
    label_ends(axes, ends, list(errors), colors[: len(errors)])
    return figure
