"""Pictures of a classifier on known rows: confusion, ROC, precision-recall, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assay.figures.style import (
    BLACK,
    BLUE,
    CYCLE,
    FAINT,
    GREY,
    SEQUENTIAL,
    canvas,
    grid,
    title,
)

Place = Literal["lower left", "lower right"]

_ALL_NAMED, _WORST_NAMED = 5, 3
_MOST_CELLS_WRITTEN, _MOST_NAMED = 20, 50
_HALF = 0.5


def confusion_matrix(table: pd.DataFrame, *, classes: Sequence[str]) -> Figure:
    """Draw ``actual`` and ``predicted``: counts, shaded by the share of the actual class.

    Of more classes than there is room for, every second, third, ... is named.
    """
    counts = (
        pd.crosstab(table["actual"], table["predicted"])
        .reindex(index=list(classes), columns=list(classes), fill_value=0)
        .to_numpy()
    )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(10.0, 2.6 + 0.48 * len(classes))
    figure, (axes, *_) = canvas(width=size + 0.6, height=size)
    axes.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1)
    every = -(-len(classes) // _MOST_NAMED)
    ticks, names = np.arange(0, len(classes), every), list(classes)[::every]
    is_long = max(len(name) for name in names) > 3
    axes.set_xticks(
        ticks, names, rotation=45 if is_long else 0, ha="right" if is_long else "center"
    )
    axes.set_yticks(ticks, names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    if len(classes) <= _MOST_CELLS_WRITTEN:
        _write_counts(axes, counts, shares)
    right, rows = int(np.trace(counts)), int(counts.sum())
    title(axes, f"{right:,} of {rows:,} rows right")
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > _HALF else BLACK
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)


def roc_curve(points: pd.DataFrame, *, area: float | None) -> Figure:
    """Draw ``class``, ``false_positive_rate``, ``true_positive_rate``; ``area`` under the curve."""
    figure, (axes, *_) = canvas(width=4.9, height=4.6)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.text(0.62, 0.55, "guessing", color=GREY, rotation=45, va="top", rotation_mode="anchor")
    _curves(axes, points, x="false_positive_rate", y="true_positive_rate", place="lower right")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    title(axes, _of_one("ROC", points) + ("" if area is None else f", area {area:.3f}"))
    return figure


def precision_recall_curve(points: pd.DataFrame, *, share: float | None) -> Figure:
    """Draw ``class``, ``recall``, ``precision``; ``share`` of the positive class, if there is one."""
    figure, (axes, *_) = canvas(width=4.9, height=4.6)
    if share is not None:
        axes.axhline(share, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.01, share + 0.015, "guessing", color=GREY)
    _curves(axes, points, x="recall", y="precision", place="lower left")
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    title(axes, _of_one("Precision and recall", points))
    return figure


def _curves(axes: Axes, points: pd.DataFrame, *, x: str, y: str, place: Place) -> None:
    """One line a class, the worst ones named where there are many.

    Where all are named, a class has one colour in every picture.
    """
    grid(axes, axis="both")
    names = list(dict.fromkeys(points["class"]))
    areas = {n: _area(points[points["class"] == n], x, y) for n in names}
    named = sorted(names, key=lambda n: areas[n])
    named = named if len(names) <= _ALL_NAMED else named[:_WORST_NAMED]
    for name in names:
        line = points[points["class"] == name]
        if name not in named:
            axes.plot(line[x], line[y], color=FAINT, linewidth=1.2)
    colors = dict(zip(names if len(named) == len(names) else named, CYCLE, strict=False))
    for name in named:
        line = points[points["class"] == name]
        axes.plot(line[x], line[y], color=colors[name], label=f"{name} ({areas[name]:.3f})")
    if len(names) > 1:
        heading = "class (area)" if len(named) == len(names) else "lowest classes (area)"
        axes.legend(loc=place, frameon=True, edgecolor="white", fontsize=9, title=heading)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_aspect("equal")


def _of_one(words: str, points: pd.DataFrame) -> str:
    names = set(points["class"])
    return f"{words} of '{names.pop()}'" if len(names) == 1 else words


def _area(line: pd.DataFrame, x: str, y: str) -> float:
    return float(abs(np.trapezoid(line[y], line[x])))


def reliability(
    bins: pd.DataFrame, *, error: float | None, ends: tuple[float, float] | None = None
) -> Figure:
    """Draw ``confidence``, ``accuracy`` and ``rows`` of each bin; ``error`` is the ECE.

    ``ends`` are those of its interval.
    """
    figure, (top, below) = canvas(1, 2, width=4.9, height=5.4, sharex=True, height_ratios=[4, 1])
    grid(top, axis="both")
    top.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    top.vlines(bins["confidence"], bins["accuracy"], bins["confidence"], color=FAINT, linewidth=3)
    sizes = 18 + 120 * np.sqrt(bins["rows"] / max(1, bins["rows"].sum()))
    top.scatter(bins["confidence"], bins["accuracy"], s=sizes, color=BLUE, zorder=3)
    top.text(0.02, 0.97, "above the line: too careful", va="top", color=GREY, fontsize=9)
    top.text(0.98, 0.03, "below it: too sure", ha="right", color=GREY, fontsize=9)
    top.set_ylabel("share that is right")
    top.set_ylim(-0.02, 1.03)
    interval = "" if ends is None else f" ({ends[0]:.3f} to {ends[1]:.3f})"
    title(top, "Calibration" if error is None else f"Calibration, error {error:.3f}{interval}")
    below.bar(bins["confidence"], bins["rows"], width=0.03, color=BLUE)
    below.set_ylabel("rows")
    below.set_xlabel("probability of the predicted class")
    below.set_xlim(0, 1.02)
    return figure
