"""Pictures of explanations: what matters on the whole, and what made single predictions.

Orange pushes a prediction up, blue pushes it down, everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from assay.figures.style import BLACK, BLUE, FAINT, GREY, ORANGE, canvas, grid

UP, DOWN, PLAIN = ORANGE, BLUE, "#B4B4B4"
DIVERGING = LinearSegmentedColormap.from_list("assay-diverging", [DOWN, "#FFFFFF", UP])
LOW_HIGH = LinearSegmentedColormap.from_list("assay-low-high", ["#56B4E9", "#7B5EA7", "#B2182B"])
HEAT = LinearSegmentedColormap.from_list("assay-heat", ["#FFFFFF", "#F3B27A", UP, "#5A2500"])
_BAR = 0.62
_HEAD_INCHES = 0.62
_DARK_GROUND = 0.4  # of the range of brightness, at an image's border
_INK = 0.4
_SMALL_PIXELS = 32


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What stands over one explained prediction: a title and a quieter line below it."""

    title: str
    subtitle: str


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Both methods' attributions of one prediction, LIME's fit in words, and SHAP's two ends.

    ``shap`` and ``lime`` are (features,) for a row of a table, (height, width) for an image.
    ``base`` is the mean prediction of the background, ``output`` the explained one, in ``unit``.
    """

    shap: np.ndarray
    lime: np.ndarray
    fit: str
    base: float
    output: float
    unit: str


def importance_bars(
    path: Path,
    *,
    names: Sequence[str],
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    unit: str,
    top: int,
) -> None:
    """Draw the ``top`` most important features as bars with their 95 % intervals."""
    order = np.argsort(-mean, kind="stable")[:top]
    figure, (axes,) = canvas(width=7, height=1.5 + 0.32 * len(order))
    reach = np.maximum(np.stack([mean - low, high - mean])[:, order], 0)
    places = np.arange(len(order))
    axes.barh(places, mean[order], color=BLUE, height=_BAR)
    axes.errorbar(
        mean[order], places, xerr=reach, fmt="none", ecolor=BLACK, elinewidth=1.1, capsize=2
    )
    axes.set_xlim(left=0)
    axes.set_xlabel(f"mean |SHAP value|, in {unit}, with its 95 % interval")
    _names(axes, [names[i] for i in order])
    grid(axes, axis="x")
    few = (
        f"the first {len(order)} of {len(names)} features"
        if len(order) < len(names)
        else "all features"
    )
    head(figure, Headline(title="What moves the predictions", subtitle=few))
    save(figure, path)


def importance_map(path: Path, *, mean: np.ndarray, backdrop: np.ndarray, unit: str) -> None:
    """Draw the importance of each pixel, (height, width), beside the mean image."""
    figure, (left, right) = canvas(2, width=8, height=4)
    left.imshow(backdrop, cmap=_greys(backdrop))
    shown = right.imshow(mean, cmap=HEAT, vmin=0)
    _bar(figure, shown, right, label=f"mean |SHAP value|, in {unit}")
    for axes, title in ((left, "mean image"), (right, "where predictions are moved")):
        _bare(axes)
        _caption(axes, title)
    head(figure, Headline(title="What moves the predictions", subtitle="darker: moves them more"))
    save(figure, path)


def class_maps(
    path: Path, *, maps: np.ndarray, backdrops: np.ndarray, names: Sequence[str]
) -> None:
    """Draw for each class what speaks for it on its own images: (classes, height, width)."""
    across = min(5, len(names))
    down = -(-len(names) // across)
    figure, axes = canvas(across, down, width=1.7 * across + 1.3, height=1.95 * down + _HEAD_INCHES)
    shown = _scale(_reach(maps))
    for place, values, backdrop, name in zip(axes, maps, backdrops, names, strict=False):
        _overlay(place, values, backdrop, shown)
        place.set_title(name, loc="center", fontsize=11)
    for place in axes:
        _bare(place)
        place.set_visible(place in axes[: len(names)])
    _bar(figure, shown, axes, label="mean SHAP value")
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
        y = place + _swarm(x, reach=_reach(values))
        axes.scatter(x, y, s=13, color=_tints(level), linewidths=0)
    axes.set_xlabel(f"SHAP value: change of {explained}")
    _names(axes, [names[i] for i in order])
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


def table_row(
    path: Path, *, headline: Headline, names: Sequence[str], found: Contributions, top: int
) -> None:
    """Draw one prediction of a table: SHAP as a waterfall from the base, LIME as bars beside it."""
    order = np.argsort(-np.abs(found.shap), kind="stable")
    few, rest = order[:top], order[top:]
    steps, labels = list(found.shap[few]), [names[i] for i in few]
    lime = list(found.lime[few])
    if len(rest):
        steps.append(found.shap[rest].sum())
        lime.append(found.lime[rest].sum())
        labels.append(f"{len(rest)} others together")
    height = 1.6 + 0.34 * len(labels)
    figure, (left, right) = canvas(2, width=11, height=height, sharey=True, width_ratios=[1.5, 1])
    _waterfall(left, np.array(steps), found)
    places = np.arange(len(lime))
    right.barh(places, lime, color=_sides(np.array(lime)), height=_BAR)
    _amounts(right, np.array(lime), np.zeros(len(lime)))
    right.axvline(0, color=GREY, linewidth=0.9)
    right.set_xlabel(f"share in {found.unit}")
    right.tick_params(axis="y", length=0)
    _caption(right, f"LIME: {found.fit}")
    _names(left, labels)
    head(figure, headline)
    save(figure, path)


def image_row(path: Path, *, headline: Headline, image: np.ndarray, found: Contributions) -> None:
    """Draw one prediction of an image, (height, width) or (height, width, 3): it, SHAP, LIME."""
    figure, (first, *others) = canvas(3, width=9.6, height=3.7)
    grey = image if image.ndim == 2 else image.mean(axis=2)
    first.imshow(image, cmap=_greys(grey) if image.ndim == 2 else None)
    _caption(first, "the image")
    captions = (
        f"SHAP: adds up to {found.output - found.base:+.2g}",
        f"LIME: {found.fit}",
    )
    for axes, values, caption in zip(others, (found.shap, found.lime), captions, strict=True):
        shown = _scale(_reach(values))
        _overlay(axes, values, grey, shown)
        _bar(figure, shown, axes)
        _caption(axes, caption)
    for axes in (first, *others):
        _bare(axes)
    head(figure, headline)
    save(figure, path)


def _waterfall(axes: Axes, steps: np.ndarray, found: Contributions) -> None:
    ends = found.base + np.cumsum(steps)
    starts = np.concatenate([[found.base], ends[:-1]])
    places = np.arange(len(steps))
    axes.barh(places, steps, left=starts, color=_sides(steps), height=_BAR)
    axes.vlines(ends[:-1], places[:-1], places[1:], color=GREY, linewidth=0.8)
    axes.axvline(found.base, color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=0)
    axes.axvline(found.output, color=BLACK, linewidth=0.9, zorder=0)
    _amounts(axes, steps, starts)
    _caption(axes, f"SHAP: from {found.base:.3g} on average (dashed) to {found.output:.3g}")
    axes.set_xlabel(found.unit)


def _amounts(axes: Axes, steps: np.ndarray, starts: np.ndarray) -> None:
    """Write each bar's amount at its end, and make room for it."""
    ends = starts + steps
    low, high = float(min(starts.min(), ends.min())), float(max(starts.max(), ends.max()))
    room = (high - low) or 1.0
    axes.set_xlim(low - 0.15 * room, high + 0.15 * room)
    decimals = max(0, 2 - math.floor(math.log10(float(np.abs(steps).max()) or 1.0)))
    for place, (end, step) in enumerate(zip(ends.tolist(), steps.tolist(), strict=True)):
        is_up = step >= 0
        axes.annotate(
            f"{step:+.{decimals}f}" if round(step, decimals) else "0",
            (end, place),
            xytext=(4 if is_up else -4, 0),
            textcoords="offset points",
            va="center",
            ha="left" if is_up else "right",
            fontsize=8,
            color=UP if is_up else DOWN,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def _overlay(axes: Axes, values: np.ndarray, backdrop: np.ndarray, shown: ScalarMappable) -> None:
    """Tint a pale picture: hue by sign, strength by size. Small ones show their ink as an outline."""
    low, high = float(backdrop.min()), float(backdrop.max())
    bright = (backdrop - low) / ((high - low) or 1.0)
    ink = bright if _greys(backdrop) == "gray_r" else 1 - bright
    is_small = max(backdrop.shape) <= _SMALL_PIXELS
    paper = np.repeat((1 - (0.0 if is_small else 0.4) * ink)[..., None], 3, axis=2)
    strength = np.minimum(np.abs(values) / shown.norm.vmax, 1)[..., None] ** 0.7
    tint = np.where(values[..., None] >= 0, to_rgb(UP), to_rgb(DOWN))
    axes.imshow(paper * (1 - strength) + tint * strength)
    if is_small:
        axes.add_collection(LineCollection(_edges(ink > _INK), colors=BLACK, linewidths=1.1))


def _edges(mask: np.ndarray) -> list[list[tuple[float, float]]]:
    """Return the pixel edges between a mask and its outside, as pairs of (x, y)."""
    padded = np.pad(mask, 1).astype(int)
    upright = np.argwhere(np.diff(padded, axis=1)[1:-1] != 0)
    level = np.argwhere(np.diff(padded, axis=0)[:, 1:-1] != 0)
    return [
        *([(x - 0.5, y - 0.5), (x - 0.5, y + 0.5)] for y, x in upright.tolist()),
        *([(x - 0.5, y - 0.5), (x + 0.5, y - 0.5)] for y, x in level.tolist()),
    ]


def _scale(reach: float) -> Any:
    return ScalarMappable(Normalize(-reach, reach), DIVERGING)


def _greys(image: np.ndarray) -> str:
    """Show bright ink on a dark ground as dark ink on white paper; other images as they are."""
    ground = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))
    low, high = float(image.min()), float(image.max())
    return "gray_r" if ground - low < _DARK_GROUND * (high - low) else "gray"


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


def _reach(values: np.ndarray) -> float:
    return float(np.abs(values).max()) or 1.0


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _sides(values: np.ndarray) -> list[str]:
    return [UP if v >= 0 else DOWN for v in values]


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _caption(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, fontweight="normal", color=GREY)


def head(figure: Figure, headline: Headline) -> None:
    """Write title and subtitle above the panels."""
    height = figure.get_figheight()
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - _HEAD_INCHES / height))
    figure.text(0.012, 1 - 0.28 / height, headline.title, fontsize=13, fontweight="bold")
    figure.text(0.012, 1 - 0.52 / height, headline.subtitle, fontsize=10, color=GREY)


def save(figure: Figure, path: Path) -> None:
    """Write a figure, the same bytes for the same picture."""
    figure.savefig(path, metadata={"Software": None})
