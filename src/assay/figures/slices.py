"""Parts of the rows side by side: the metric of slices, and rates of groups of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLUE, GREY, ORANGE, canvas, grid, title

_MOST = 24
_BAR: Any = {"linewidth": 3, "alpha": 0.4, "solid_capstyle": "butt"}
_RATES = {
    "selection_rate": "of all: predicted {}",
    "true_positive_rate": "of those who are {}: predicted so",
    "false_positive_rate": "of those who are not {}: predicted so",
}


def slice_forest(
    slices: Sequence[Mapping[str, Any]],
    *,
    metric: str,
    better: str,
    whole: Mapping[str, Any],
    level: float,
) -> Figure:
    """Draw a metric of each slice with its interval, in the order given, beside that of all rows.

    ``beside.p_holm`` of a slice at or below ``level`` colours it; ``better`` is more or less.
    """
    shown = list(slices[:_MOST])
    figure, (axes, *_) = canvas(width=8.4, height=1.7 + 0.32 * len(shown))
    grid(axes, axis="x")
    if whole["low"] is not None:
        axes.axvspan(whole["low"], whole["high"], color=GREY, alpha=0.12, linewidth=0)
    axes.axvline(whole["value"], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    is_behind = [_is_behind(part, level) for part in shown]
    for place, (part, behind) in enumerate(zip(shown, is_behind, strict=True)):
        _dot(axes, part["metrics"][metric], place, color=ORANGE if behind else BLUE)
    names = [f"{p['column']}: {p['value']} ({p['rows']})" for p in shown]
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(
        f"{metric.replace('_', ' ')}, {better} is better\ngrey: all rows; orange: worse than the others (Holm)"
    )
    more = f" {len(shown)} of {len(slices)}" if len(slices) > len(shown) else ""
    count = sum(is_behind)
    words = f"{count or 'none'} beyond chance"
    title(axes, f"Worst slices{more}: {words}")
    return figure


def _is_behind(part: Mapping[str, Any], level: float) -> bool:
    return bool(part.get("beside")) and part["beside"]["p_holm"] <= level


def _dot(axes: Axes, found: Mapping[str, Any], place: float, *, color: str) -> None:
    if found["value"] is None:
        return
    if found["low"] is not None:
        axes.plot([found["low"], found["high"]], [place] * 2, color=color, **_BAR)
    axes.plot(found["value"], place, "o", color=color, markersize=6)


def group_rates(entries: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw selection, true and false positive rates of each group of each sensitive column.

    An entry has ``column``, ``positive`` (the class in question) and ``groups``, each with ``rows``
    and its rates' ``value``, ``low`` and ``high``.
    """
    names, places, at = [], [], 0.0
    for entry in entries:
        for name, group in entry["groups"].items():
            names.append(f"{entry['column']}: {name} ({group['rows']})")
            places.append(at)
            at += 1
        at += 0.6
    positive = " or ".join(dict.fromkeys(f"'{entry['positive']}'" for entry in entries))
    figure, panels = canvas(3, width=11.4, height=1.6 + 0.34 * at, sharey=True)
    groups = [group for entry in entries for group in entry["groups"].values()]
    for axes, (rate, words) in zip(panels, _RATES.items(), strict=True):
        grid(axes, axis="x")
        for place, group in zip(places, groups, strict=True):
            _dot(axes, group[rate], place, color=BLUE)
        axes.set_xlim(-0.02, 1.02)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(words.format(positive))
        title(axes, rate.replace("_", " "))
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(at - 0.9, -0.6)
    return figure
