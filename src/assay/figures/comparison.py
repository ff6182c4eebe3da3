"""The model and its baselines, metric by metric, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLUE, GREY, canvas, grid, title

Intervals = Mapping[str, Mapping[str, Any]]


def forest(scores: Mapping[str, Intervals], *, metrics: Mapping[str, str]) -> Figure:
    """Draw each model's value and interval in a panel a metric.

    ``scores`` maps a model's name to its metrics' ``value``, ``low`` and ``high``, the model
    itself first; ``metrics`` maps the metrics to show to ``more`` or ``less``, whichever is better.
    """
    figure, panels = canvas(
        len(metrics), width=2.0 + 2.9 * len(metrics), height=1.5 + 0.42 * len(scores), sharey=True
    )
    for axes, (metric, better) in zip(panels, metrics.items(), strict=True):
        _panel(axes, scores, metric)
        title(axes, metric.replace("_", " "))
        axes.set_xlabel(f"{better} is better")
    panels[0].set_yticks(range(len(scores)), list(scores))
    panels[0].invert_yaxis()
    return figure


def _panel(axes: Axes, scores: Mapping[str, Intervals], metric: str) -> None:
    grid(axes, axis="x")
    for place, (_, intervals) in enumerate(scores.items()):
        interval = intervals.get(metric, {})
        value, low, high = (interval.get(key) for key in ("value", "low", "high"))
        color = BLUE if place == 0 else GREY
        if value is None:
            axes.text(0.5, place, "undefined", transform=axes.get_yaxis_transform(), ha="center")
            continue
        if low is not None and high is not None:
            axes.plot([low, high], [place, place], color=color, linewidth=3, alpha=0.45)
        axes.plot(value, place, "o", color=color, markersize=7)
        axes.annotate(
            f"{value:.3g}",
            (value, place),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            color=color,
            fontsize=9,
        )
    axes.set_ylim(-0.7, len(scores) - 0.4)
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="y", length=0)
