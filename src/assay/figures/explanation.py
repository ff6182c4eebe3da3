"""Pictures of explanations of a sample as a whole: what matters, for which class, and in which way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.attribution import (
    BAR,
    DIVERGING,
    HEAD_INCHES,
    UP,
    Headline,
    Said,
    bare,
    caption,
    greys,
    head,
    name_bars,
    overlay,
    reach,
    save,
)
from assay.figures.style import BLACK, BLUE, FAINT, GREY, canvas, grid

PLAIN = "#B4B4B4"
LOW_HIGH = LinearSegmentedColormap.from_list("assay-low-high", ["#56B4E9", "#7B5EA7", "#B2182B"])
HEAT = LinearSegmentedColormap.from_list("assay-heat", ["#FFFFFF", "#F3B27A", UP, "#5A2500"])


def importance_bars(
    path: Path,
    *,
    names: Sequence[str],
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    label: str,
    heading: str,
    top: int,
) -> None:
    """Draw the ``top`` most important features as bars with their 95 % intervals."""
    order = np.argsort(-mean, kind="stable")[:top]
    figure, (axes,) = canvas(width=7, height=1.5 + 0.32 * len(order))
    reach = np.maximum(np.stack([mean - low, high - mean])[:, order], 0)
    places = np.arange(len(order))
    axes.barh(places, mean[order], color=BLUE, height=BAR)
    axes.errorbar(
        mean[order], places, xerr=reach, fmt="none", ecolor=BLACK, elinewidth=1.1, capsize=2
    )
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{label}, with its 95 % interval")
    name_bars(axes, [names[i] for i in order])
    grid(axes, axis="x")
    few = (
        f"the first {len(order)} of {len(names)} features"
        if len(order) < len(names)
        else "all features"
    )
    head(figure, Headline(title=heading, subtitle=few))
    save(figure, path)


def importance_map(
    path: Path, *, mean: np.ndarray, backdrop: np.ndarray, label: str, heading: str
) -> None:
    """Draw the importance of each pixel, (height, width), beside the mean image."""
    figure, (left, right) = canvas(2, width=8, height=4)
    left.imshow(backdrop, cmap=greys(backdrop))
    shown = right.imshow(mean, cmap=HEAT, vmin=0)
    _bar(figure, shown, right, label=label)
    for axes, title in ((left, "mean image"), (right, "by place")):
        bare(axes)
        caption(axes, title)
    head(figure, Headline(title=heading, subtitle="darker: more"))
    save(figure, path)


def class_maps(
    path: Path, *, maps: np.ndarray, backdrops: np.ndarray, names: Sequence[str]
) -> None:
    """Draw for each class what speaks for it on its own images: (classes, height, width)."""
    across = min(5, len(names))
    down = -(-len(names) // across)
    figure, axes = canvas(across, down, width=1.7 * across + 1.3, height=1.95 * down + HEAD_INCHES)
    limit = reach(maps)
    for place, values, backdrop, name in zip(axes, maps, backdrops, names, strict=False):
        overlay(place, Said(name=name, note="", values=values), backdrop, scale=limit)
        place.set_title(name, loc="center", fontsize=11)
    for place in axes:
        bare(place)
        place.set_visible(place in axes[: len(names)])
    _bar(figure, _scale(limit), axes, label="mean SHAP value")
    subtitle = "on the images given to the class; orange speaks for it, blue against it"
    head(figure, Headline(title="What speaks for each class", subtitle=subtitle))
    save(figure, path)


def beeswarm(
    path: Path,
    *,
    names: Sequence[str],
    values: np.ndarray,
    levels: np.ndarray,
    explained: str,
    top: int,
) -> None:
    """Draw one point a row and feature: SHAP value across, the feature's own value as colour.

    ``values`` and ``levels`` are (rows, features); ``levels`` is the value's rank from 0 to 1, NaN
    where it has none (texts, missing values), which is drawn grey.
    """
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:top]
    figure, (axes,) = canvas(width=8, height=1.5 + 0.42 * len(order))
    axes.axvline(0, color=GREY, linewidth=0.9, zorder=0)
    axes.hlines(range(len(order)), *_ends(values), color=FAINT, linewidth=0.7, zorder=0)
    for place, feature in enumerate(order):
        x, level = values[:, feature], levels[:, feature]
        y = place + _swarm(x, reach=reach(values))
        axes.scatter(x, y, s=13, color=_tints(level), linewidths=0)
    axes.set_xlabel(f"SHAP value: change of {explained}")
    name_bars(axes, [names[i] for i in order])
    if not np.isnan(levels[:, order]).all():
        bar = figure.colorbar(
            ScalarMappable(Normalize(0, 1), LOW_HIGH), ax=axes, aspect=40, ticks=[0, 1]
        )
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("the feature's own value", labelpad=-10, color=GREY)
        _quiet(bar)
    subtitle = "one point a row; grey: texts and missing values"
    head(figure, Headline(title="How each value pushes the prediction", subtitle=subtitle))
    save(figure, path)


def _scale(limit: float) -> Any:
    return ScalarMappable(Normalize(-limit, limit), DIVERGING)


def _tints(levels: np.ndarray) -> np.ndarray:
    tints = LOW_HIGH(np.nan_to_num(levels))
    tints[np.isnan(levels), :3] = to_rgb(PLAIN)
    return np.asarray(tints)


def _swarm(x: np.ndarray, *, reach: float) -> np.ndarray:
    """Return offsets from -0.4 to 0.4 that pile up points of about the same value."""
    bins = np.round(x / reach * 60).astype(int)
    offsets = np.zeros(len(x))
    for value in np.unique(bins):
        here = np.flatnonzero(bins == value)
        turn = np.arange(len(here))
        offsets[here] = np.where(turn % 2 == 0, 1, -1) * ((turn + 1) // 2)
    widest = float(np.abs(offsets).max())
    return offsets * min(0.09, 0.4 / widest if widest else 0.09)


def _bar(figure: Figure, shown: Any, axes: Axes | list[Axes], *, label: str = "") -> None:
    bar = figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03, ticks=MaxNLocator(5))
    bar.set_label(label, color=GREY)
    _quiet(bar)


def _quiet(bar: Any) -> None:
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0, colors=GREY)


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
