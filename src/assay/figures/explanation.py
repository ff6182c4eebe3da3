"""Pictures of explanations: what matters on the whole, and what made single predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

UP, DOWN, INK, MUTED, PALE = "#c8452d", "#2d6ca8", "#22272e", "#6b7280", "#e5e7eb"
DIVERGING = LinearSegmentedColormap.from_list("assay-diverging", [DOWN, "#ffffff", UP])
LOW_HIGH = LinearSegmentedColormap.from_list("assay-low-high", ["#2d6ca8", "#9a7fb8", "#d9442b"])
HEAT = LinearSegmentedColormap.from_list("assay-heat", ["#ffffff", "#f5b78a", UP, "#5c1a0f"])
STYLE = {
    "font.size": 10,
    "axes.edgecolor": PALE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "ytick.left": False,
    "axes.grid.axis": "x",
    "grid.color": PALE,
    "axes.axisbelow": True,
    "figure.dpi": 130,
    "savefig.bbox": "tight",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What stands over one explained prediction: a title line and a quieter line below it."""

    title: str
    subtitle: str


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Both methods' attributions of one prediction, with LIME's R² and SHAP's two ends.

    ``shap`` and ``lime`` are (features,) for a row of a table, (height, width) for an image.
    ``base`` is the mean prediction of the background, ``output`` the explained one, in ``unit``.
    """

    shap: np.ndarray
    lime: np.ndarray
    r2: float
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
    order = np.argsort(-mean, kind="stable")[:top][::-1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 1.3 + 0.34 * len(order)))
        axes = figure.subplots()
        reach = np.maximum(np.stack([mean - low, high - mean])[:, order], 0)
        axes.barh(_labels(names, order), mean[order], color=DOWN, height=0.62)
        axes.errorbar(
            mean[order],
            np.arange(len(order)),
            xerr=reach,
            fmt="none",
            ecolor=INK,
            elinewidth=1.2,
            capsize=2.5,
        )
        axes.set_xlim(left=0)
        axes.grid(visible=True)
        axes.set_xlabel(f"mean |SHAP value|, in {unit}, with its 95 % interval")
        _title(axes, "What moves the predictions", _shown(len(order), len(names)))
        _save(figure, path)


def importance_map(path: Path, *, mean: np.ndarray, backdrop: np.ndarray, unit: str) -> None:
    """Draw the importance of each pixel, (height, width), beside the mean image behind it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 3.7))
        left, right = figure.subplots(1, 2)
        left.imshow(backdrop, cmap="gray_r")
        shown = right.imshow(mean, cmap=HEAT, vmin=0)
        _bar(figure, shown, right, f"mean |SHAP value|, in {unit}")
        left.set_title("mean training image", fontsize=10, color=MUTED)
        right.set_title("where predictions are moved", fontsize=10, color=MUTED)
        for axes in (left, right):
            _bare(axes)
        figure.suptitle("What moves the predictions", fontweight="bold", x=0.13, ha="left", y=1.03)
        _save(figure, path)


def class_maps(
    path: Path, *, maps: np.ndarray, backdrops: np.ndarray, names: Sequence[str]
) -> None:
    """Draw for each class where its own images speak for it: (classes, height, width), signed."""
    across = min(5, len(names))
    down = -(-len(names) // across)
    reach = _reach(maps)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.75 * across + 1.2, 2.0 * down + 0.8))
        grid = np.atleast_1d(figure.subplots(down, across)).ravel()
        for axes in grid:
            _bare(axes)
            axes.set_visible(False)
        for axes, values, backdrop, name in zip(grid, maps, backdrops, names, strict=False):
            axes.set_visible(True)
            shown = _overlay(axes, values, backdrop, reach)
            axes.set_title(name, fontsize=11, fontweight="bold")
        figure.suptitle(
            "What speaks for each class (red) and against it (blue), on its own images",
            fontweight="bold",
            fontsize=11,
            y=1.0,
        )
        _bar(figure, shown, list(grid), "mean SHAP value of a pixel")
        _save(figure, path)


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
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:top][::-1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.5 + 0.42 * len(order)))
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=1)
        spots = None
        for height, feature in enumerate(order):
            x, level = values[:, feature], levels[:, feature]
            y = height + _swarm(x, reach=_reach(values))
            is_plain = np.isnan(level)
            axes.scatter(x[is_plain], y[is_plain], s=13, color="#a3a9b3", linewidths=0)
            spots = axes.scatter(
                x[~is_plain],
                y[~is_plain],
                c=level[~is_plain],
                s=13,
                cmap=LOW_HIGH,
                vmin=0,
                vmax=1,
                linewidths=0,
            )
        axes.set_yticks(np.arange(len(order)), _labels(names, order))
        axes.set_ylim(-0.7, len(order) - 0.3)
        axes.set_xlabel(f"SHAP value: change of {explained}")
        _level_bar(figure, axes, spots)
        _title(
            axes,
            "How each value pushes the prediction",
            "one point a row; grey: texts and missing values",
        )
        _save(figure, path)


def table_row(
    path: Path, *, headline: Headline, names: Sequence[str], found: Contributions, top: int
) -> None:
    """Draw one prediction of a table: SHAP as a waterfall from the base, LIME as bars beside it."""
    order = np.argsort(-np.abs(found.shap), kind="stable")
    few = order[:top]
    rest = float(found.shap[order[top:]].sum())
    steps, labels = [*found.shap[few]], [names[i] for i in few]
    if len(order) > top:
        steps, labels = [*steps, rest], [*labels, f"{len(order) - top} others together"]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 1.9 + 0.37 * len(labels)))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.5, 1])
        _waterfall(left, np.array(steps), found)
        lime = found.lime[few]
        right.barh(np.arange(len(lime)), lime, color=_sides(lime), height=0.62)
        right.axvline(0, color=MUTED, linewidth=1)
        right.set_title(f"LIME (local R² {found.r2:.2f})", fontsize=10, color=MUTED, loc="left")
        right.set_xlabel(f"contribution to {found.unit}")
        left.set_yticks(np.arange(len(labels)), labels)
        left.invert_yaxis()
        _heading(figure, headline)
        _save(figure, path)


def image_row(path: Path, *, headline: Headline, image: np.ndarray, found: Contributions) -> None:
    """Draw one prediction of an image, (height, width) or (height, width, 3): it, SHAP, LIME."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.5))
        first, second, third = figure.subplots(1, 3)
        first.imshow(image, cmap="gray_r" if image.ndim == 2 else None)
        first.set_title("the image", fontsize=10, color=MUTED)
        panels = (
            (second, found.shap, "SHAP"),
            (third, found.lime, f"LIME (local R² {found.r2:.2f})"),
        )
        for axes, values, name in panels:
            reach = _reach(values)
            shown = _overlay(axes, values, grey, reach)
            axes.set_title(name, fontsize=10, color=MUTED)
            _bar(figure, shown, axes, "")
        for axes in (first, second, third):
            _bare(axes)
        _heading(figure, headline)
        _save(figure, path)


def _waterfall(axes: Axes, steps: np.ndarray, found: Contributions) -> None:
    ends = found.base + np.cumsum(steps)
    starts = np.concatenate([[found.base], ends[:-1]])
    places = np.arange(len(steps))
    axes.barh(places, steps, left=starts, color=_sides(steps), height=0.62)
    axes.vlines(ends[:-1], places[:-1], places[1:], color=MUTED, linewidth=0.8)
    axes.axvline(found.base, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
    axes.axvline(found.output, color=INK, linewidth=1)
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    room = (high - low) or 1.0
    axes.set_xlim(low - 0.16 * room, high + 0.16 * room)
    for place, start, step in zip(places, starts, steps, strict=True):
        side = 1 if step >= 0 else -1
        axes.text(
            start + step + side * 0.012 * room,
            place,
            f"{step:+.3g}",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8,
            color=UP if side > 0 else DOWN,
        )
    axes.set_title(
        f"SHAP: from {found.base:.3g} on average (dashed) to {found.output:.3g}",
        fontsize=10,
        color=MUTED,
        loc="left",
    )
    axes.set_xlabel(found.unit)


def _overlay(
    axes: Axes, values: np.ndarray, backdrop: np.ndarray, reach: float
) -> matplotlib.cm.ScalarMappable:
    """Tint a pale picture: hue by sign, strength by size."""
    span = float(backdrop.max() - backdrop.min()) or 1.0
    ink = (backdrop - backdrop.min()) / span
    paper = np.repeat((1 - 0.35 * ink)[..., None], 3, axis=2)
    scaled = matplotlib.cm.ScalarMappable(Normalize(-reach, reach), DIVERGING)
    strength = np.minimum(np.abs(values) / reach, 1)[..., None] ** 0.7
    tint = np.where(values[..., None] >= 0, _rgb(UP), _rgb(DOWN))
    axes.imshow(paper * (1 - strength) + tint * strength)
    return scaled


def _rgb(colour: str) -> np.ndarray:
    return np.array(matplotlib.colors.to_rgb(colour))


def _swarm(x: np.ndarray, *, reach: float) -> np.ndarray:
    """Return offsets from -0.4 to 0.4 that pile up points of about the same value."""
    bins = np.round(x / reach * 60).astype(int)
    offsets = np.zeros(len(x))
    for value in np.unique(bins):
        here = np.flatnonzero(bins == value)
        turn = np.arange(len(here))
        offsets[here] = np.where(turn % 2 == 0, 1, -1) * ((turn + 1) // 2)
    widest = np.abs(offsets).max()
    return offsets * min(0.09, 0.4 / widest if widest else 0.09)


def _level_bar(figure: Figure, axes: Axes, spots: matplotlib.cm.ScalarMappable | None) -> None:
    if spots is None:
        return
    bar = figure.colorbar(spots, ax=axes, aspect=40, pad=0.02, ticks=[0, 1])
    bar.ax.set_yticklabels(["low", "high"])
    bar.set_label("the feature's own value", labelpad=-14)
    bar.outline.set_visible(False)


def _bar(
    figure: Figure, shown: matplotlib.cm.ScalarMappable, axes: Axes | list[Axes], label: str
) -> None:
    bar = figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03)
    bar.outline.set_visible(False)
    bar.locator = matplotlib.ticker.MaxNLocator(5)
    bar.update_ticks()
    bar.ax.tick_params(labelsize=8, length=0, colors=MUTED)
    bar.set_label(label, color=MUTED)


def _reach(values: np.ndarray) -> float:
    return float(np.abs(values).max()) or 1.0


def _sides(values: np.ndarray) -> list[str]:
    return [UP if v >= 0 else DOWN for v in values]


def _labels(names: Sequence[str], order: np.ndarray) -> list[str]:
    return [names[i] for i in order]


def _shown(count: int, of: int) -> str:
    return "" if count == of else f"the first {count} of {of} features"


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _title(axes: Axes, title: str, subtitle: str) -> None:
    axes.set_title(f"{subtitle}", fontsize=9, color=MUTED, loc="left")
    axes.annotate(
        title,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 22),
        textcoords="offset points",
        fontweight="bold",
        fontsize=12,
    )


def _heading(figure: Figure, headline: Headline) -> None:
    height = figure.get_figheight()
    figure.text(0.01, 1 + 0.25 / height, headline.title, fontsize=13, fontweight="bold")
    figure.text(0.01, 1 + 0.02 / height, headline.subtitle, fontsize=10, color=MUTED)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
