"""Pictures of single explained predictions of tables and images: every method side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from assay.figures.attribution import (
    BAR,
    Headline,
    Said,
    bare,
    caption,
    greys,
    head,
    name_bars,
    overlay,
    said_caption,
    save,
    sides,
    with_sizes,
)
from assay.figures.style import BLACK, GREY, canvas

_BARS_ACROSS, _IMAGES_ACROSS = 4, 4
_LONGEST_LABEL, _LETTER_INCHES = 48, 0.078
_LETTERS = 28  # of a note over a panel of bars


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What is explained: the mean prediction of the background, and the row's own, in ``unit``."""

    base: float
    output: float
    unit: str


def table_row(
    path: Path,
    *,
    headline: Headline,
    labels: Sequence[str],
    said: Sequence[Said],
    prediction: Prediction,
    top: int,
) -> None:
    """Draw one prediction of a table: the first method as a waterfall from the base, others as bars.

    Of the features, named by ``labels``, the ``top`` ones of the first method are drawn, and the sum
    of the others.
    """
    order = np.argsort(-np.abs(said[0].values), kind="stable")
    bars = [_summed(one, order, top=top) for one in said]
    shown = [_shortened(labels[i]) for i in order[:top]]
    if len(order) > top:
        shown.append(f"{len(order) - top} others together")
    across = min(_BARS_ACROSS, len(said))
    down = -(-len(said) // across)
    longest = max(map(len, shown))
    figure, panels = canvas(
        across,
        down,
        width=_LETTER_INCHES * longest + 3.0 + 2.0 * (across - 1),
        height=1.0 + down * (0.95 + 0.34 * len(shown)),
        sharey=True,
        width_ratios=[1.5, *[1.0] * (across - 1)],
    )
    for place, axes in enumerate(panels):
        axes.set_visible(place < len(bars))
        if place == 0:
            _waterfall(axes, bars[0], prediction)
        elif place < len(bars):
            _bars(axes, bars[place])
    name_bars(panels[0], shown)
    head(figure, with_sizes(headline, said))
    save(figure, path)


def _shortened(label: str) -> str:
    """Leave out the middle of a long label: it begins with a name and ends with its value."""
    half = _LONGEST_LABEL // 2
    return label if len(label) <= _LONGEST_LABEL else f"{label[: half - 1]}…{label[-half:]}"


def _summed(said: Said, order: np.ndarray, *, top: int) -> Said:
    """Return a method's values in this order, those after the ``top`` first summed up."""
    few, rest = order[:top], order[top:]
    values = np.concatenate([said.values[few], [said.values[rest].sum()] if len(rest) else []])
    return Said(name=said.name, note=said.note, values=values, is_signed=said.is_signed)


def _waterfall(axes: Axes, said: Said, prediction: Prediction) -> None:
    steps = said.values
    ends = prediction.base + np.cumsum(steps)
    starts = np.concatenate([[prediction.base], ends[:-1]])
    places = np.arange(len(steps))
    axes.barh(places, steps, left=starts, color=sides(said, steps), height=BAR)
    axes.vlines(ends[:-1], places[:-1], places[1:], color=GREY, linewidth=0.8)
    axes.axvline(prediction.base, color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=0)
    axes.axvline(prediction.output, color=BLACK, linewidth=0.9, zorder=0)
    _amounts(axes, said, starts)
    note = f"{prediction.base:.3g} is usual (dashed), {prediction.output:.3g} here"
    said_caption(axes, Said(name=said.name, note=note, values=steps))
    axes.set_xlabel(prediction.unit)


def _bars(axes: Axes, said: Said) -> None:
    axes.barh(np.arange(len(said.values)), said.values, color=sides(said, said.values), height=BAR)
    _amounts(axes, said, np.zeros(len(said.values)))
    axes.axvline(0, color=GREY, linewidth=0.9)
    axes.spines["left"].set_visible(False)  # amounts reach over it
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    said_caption(axes, said, letters=_LETTERS)
    axes.set_xlabel("change of it" if said.is_signed else "size")


def _amounts(axes: Axes, said: Said, starts: np.ndarray) -> None:
    """Write each bar's amount at its end, and make room for it."""
    steps = said.values
    ends = starts + steps
    low, high = float(min(starts.min(), ends.min())), float(max(starts.max(), ends.max()))
    room = (high - low) or 1.0
    axes.set_xlim(low - 0.22 * room, high + 0.22 * room)
    decimals = max(0, 2 - math.floor(math.log10(said.reach)))
    form = "+" if said.is_signed else ""
    colours = sides(said, steps)
    for place, (end, step) in enumerate(zip(ends.tolist(), steps.tolist(), strict=True)):
        is_up = step >= 0
        axes.annotate(
            f"{step:{form}.{decimals}f}" if round(step, decimals) else "0",
            (end, place),
            xytext=(4 if is_up else -4, 0),
            textcoords="offset points",
            va="center",
            ha="left" if is_up else "right",
            fontsize=8,
            color=colours[place],
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def image_row(path: Path, *, headline: Headline, image: np.ndarray, said: Sequence[Said]) -> None:
    """Draw one prediction of an image, (height, width) or (height, width, 3): it, and a map a method."""
    down = -(-(1 + len(said)) // _IMAGES_ACROSS)
    across = -(-(1 + len(said)) // down)  # rows of about the same length
    figure, panels = canvas(across, down, width=2.45 * across, height=0.75 + 2.75 * down)
    grey = image if image.ndim == 2 else image.mean(axis=2)
    panels[0].imshow(image, cmap=greys(grey) if image.ndim == 2 else None)
    caption(panels[0], "the image")
    for axes, one in zip(panels[1:], said, strict=False):
        overlay(axes, one, grey, scale=one.reach)
        said_caption(axes, one)
    for place, axes in enumerate(panels):
        bare(axes)
        axes.set_visible(place <= len(said))
    head(figure, with_sizes(headline, said))
    save(figure, path)
