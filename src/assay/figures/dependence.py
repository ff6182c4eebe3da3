"""Pictures of what a whole sample says: dependence on a value, groups side by side, pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from assay.figures.attribution import Headline, head, save
from assay.figures.explanation import LOW_HIGH
from assay.figures.style import BLACK, BLUE, CYCLE, FAINT, GREY, canvas, grid

_ACROSS = 3
_MOST_WORDS = 8
_LONGEST_WORD = 14
_BINS = 8
_MOST_GROUPS = 6
_JITTER = 0.18


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """A column's values (rows,), what they move the output by, and the column they work with.

    ``levels`` (rows,) are ranks from 0 to 1 of the values of ``partner``, None where there is none.
    """

    name: str
    values: np.ndarray
    moved: np.ndarray
    partner: str = ""
    levels: np.ndarray | None = None


def dependence_panels(path: Path, *, columns: Sequence[Dependence], explained: str) -> None:
    """Draw one panel a column: its value across, its SHAP value up, a point a row."""
    across = min(_ACROSS, len(columns))
    down = -(-len(columns) // across)
    figure, axes = canvas(
        across, down, width=3.5 * across + 0.4, height=3.0 * down + 0.9, sharey=True
    )
    random = np.random.default_rng(0)
    for place, panel in enumerate(axes):
        panel.set_visible(place < len(columns))
        if place < len(columns):
            _panel(panel, columns[place], random)
            if place % across == 0:
                panel.set_ylabel("SHAP value")
    headline = Headline(
        title="How predictions depend on single values",
        subtitle=f"change of {explained}, a point a row; black: the mean",
    )
    head(figure, headline)
    save(figure, path)


def _panel(axes: Axes, column: Dependence, random: np.random.Generator) -> None:
    axes.axhline(0, color=FAINT, linewidth=0.9, zorder=0)
    is_number = column.values.dtype.kind in "fiu" and len(np.unique(column.values)) > _MOST_WORDS
    if is_number:
        values = column.values.astype(np.float64)
        known = ~np.isnan(values)
        _points(axes, column, values, here=known)
        axes.plot(*_means(values[known], column.moved[known]), color=BLACK, linewidth=1.6)
    else:
        words = np.array([_word(v) for v in column.values.tolist()], dtype=object)
        names, counts = np.unique(words.astype(str), return_counts=True)
        names = _in_order(names[np.argsort(-counts, kind="stable")][:_MOST_WORDS])
        for place, name in enumerate(names):
            here = words == name
            spread = place + random.uniform(-_JITTER, _JITTER, len(words))
            _points(axes, column, spread, here=here)
            mean = column.moved[here].mean()
            axes.plot([place - 0.3, place + 0.3], [mean, mean], color=BLACK, linewidth=1.6)
        short = [n if len(n) <= _LONGEST_WORD else f"{n[: _LONGEST_WORD - 1]}…" for n in names]
        turn = 35 if sum(map(len, short)) > 2 * _LONGEST_WORD else 0
        axes.set_xticks(range(len(names)), short, rotation=turn, ha="right" if turn else "center")
    title = f"{column.name}\n" if column.partner else column.name
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=BLACK)
    if column.partner:
        key = f"blue: low {column.partner}, red: high"
        axes.text(0, 1.02, key, transform=axes.transAxes, fontsize=8, color=GREY)
    axes.tick_params(labelsize=8)


def _points(axes: Axes, column: Dependence, x: np.ndarray, *, here: np.ndarray) -> None:
    color = BLUE if column.levels is None else LOW_HIGH(np.nan_to_num(column.levels, nan=0.5))[here]
    axes.scatter(x[here], column.moved[here], s=10, c=color, linewidths=0, alpha=0.75)


def _means(values: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of both in bins that hold equally many rows."""
    order = np.argsort(values, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    return (
        np.array([values[b].mean() for b in bins]),
        np.array([moved[b].mean() for b in bins]),
    )


def _word(value: object) -> str:
    if isinstance(value, float):
        return "missing" if np.isnan(value) else f"{value:g}"
    return str(value).strip("\0") or "missing"


def _in_order(names: np.ndarray) -> np.ndarray:
    """Sort names that are numbers by these; leave others as they are."""
    try:
        return np.asarray(names[np.argsort(names.astype(np.float64), kind="stable")])
    except ValueError:
        return names


def group_panels(path: Path, *, table: pd.DataFrame, unit: str, top: int) -> None:
    """Draw importance with its interval for each group, a panel for each way of grouping.

    ``table`` has the columns by, group, rows, feature, importance, low and high; each way has
    several groups.
    """
    ways = list(dict.fromkeys(table["by"]))
    names = table.groupby("feature")["importance"].mean().sort_values(ascending=False).index[:top]
    figure, axes = canvas(
        len(ways), width=3.0 + 3.6 * len(ways), height=1.9 + 0.42 * len(names), sharey=True
    )
    for panel, by in zip(axes, ways, strict=True):
        part = table[table["by"] == by]
        groups = list(part.groupby("group")["rows"].first().sort_values(ascending=False).index)
        _groups(panel, part, groups=groups[:_MOST_GROUPS], names=names, unit=unit)
        more = len(groups) - _MOST_GROUPS
        panel.set_title(
            f"by {by}" + (f" (the {_MOST_GROUPS} largest)" if more > 0 else ""),
            loc="left",
            fontsize=10,
        )
    axes[0].set_yticks(range(len(names)), list(names))
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    subtitle = "mean |SHAP value| with its 95 % interval in each group"
    head(figure, Headline(title="What matters for whom", subtitle=subtitle))
    save(figure, path)


def _groups(
    axes: Axes, part: pd.DataFrame, *, groups: Sequence[str], names: pd.Index, unit: str
) -> None:
    grid(axes, axis="x")
    for number, group in enumerate(groups):
        own = part[part["group"] == group].set_index("feature").reindex(names)
        places = np.arange(len(names)) + (number - (len(groups) - 1) / 2) * 0.6 / len(groups)
        mean = own["importance"].to_numpy(np.float64)
        reach = np.stack([mean - own["low"], own["high"] - mean]).clip(min=0)
        axes.errorbar(
            mean,
            places,
            xerr=reach,
            fmt="o",
            markersize=4,
            elinewidth=1.1,
            color=CYCLE[number],
            label=f"{group} ({int(own['rows'].max())} rows)",
        )
    axes.set_xlim(left=0)
    axes.set_xlabel(unit)
    axes.tick_params(axis="y", length=0)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def interaction_bars(path: Path, *, table: pd.DataFrame, unit: str, top: int) -> None:
    """Draw the strongest pairs as bars with their 95 % intervals; those within chance are grey.

    ``table`` has the columns feature, other, interaction, low, high and is_found.
    """
    shown = table.head(top)
    figure, (axes,) = canvas(width=7.4, height=1.6 + 0.32 * len(shown))
    places, mean = np.arange(len(shown)), shown["interaction"].to_numpy(np.float64).clip(min=0)
    reach = np.stack([mean - shown["low"].clip(lower=0), shown["high"] - mean]).clip(min=0)
    colors = [BLUE if found else FAINT for found in shown["is_found"]]
    axes.barh(places, mean, color=colors, height=0.62)
    axes.errorbar(mean, places, xerr=reach, fmt="none", ecolor=BLACK, elinewidth=1.1, capsize=2)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"root mean square, in {unit}, with its 95 % interval", loc="right")
    labels = [f"{a} × {b}" for a, b in zip(shown["feature"], shown["other"], strict=True)]
    axes.set_yticks(places, labels)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    grid(axes, axis="x")
    subtitle = "what two columns do beyond the sum of both; grey: no more than chance"
    head(figure, Headline(title="Which columns work together", subtitle=subtitle))
    save(figure, path)
