"""Pictures of explained sequences and texts: bands over channels, coloured words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from assay.figures.explanation import DIVERGING, Headline, head, save
from assay.figures.style import BLACK, GREY, canvas

_MOST_CHANNELS = 8
_LINE_INCHES, _LINE_WIDTH = 0.34, 92
_MARGIN = 0.25


def series_row(
    path: Path,
    *,
    headline: Headline,
    steps: np.ndarray,
    channels: Sequence[str],
    bounds: np.ndarray,
    bands: np.ndarray,
) -> None:
    """Draw a sequence, (length, channels), each segment in the colour of its attribution.

    ``bands`` is (channels, segments), and ``bounds`` where segments begin and end. Of many channels
    those with the largest attributions are drawn.
    """
    order = np.argsort(-np.abs(bands).max(axis=1), kind="stable")[:_MOST_CHANNELS]
    shown = np.sort(order)
    figure, panels = canvas(1, len(shown), width=9.6, height=1.5 + 1.05 * len(shown), sharex=True)
    scale = Normalize(-_reach(bands), _reach(bands))
    for axes, channel in zip(panels, shown, strict=True):
        for segment, value in enumerate(bands[channel]):
            first, end = bounds[segment] + 0.5, bounds[segment + 1] + 0.5
            axes.axvspan(first, end, color=DIVERGING(scale(value)), linewidth=0)
        places = np.arange(1, len(steps) + 1)
        axes.plot(places, steps[:, channel], color=BLACK, linewidth=1.3)
        axes.set_xlim(0.5, max(len(steps), 2) + 0.5)
        axes.set_ylabel(channels[channel], rotation=0, ha="right", va="center", color=BLACK)
        axes.tick_params(labelsize=8, colors=GREY)
    panels[-1].set_xlabel("step")
    head(figure, headline)
    save(figure, path)


def text_row(
    path: Path, *, headline: Headline, words: Sequence[tuple[str, float]], unit: str
) -> None:
    """Write a text, each word on the colour of its attribution to ``unit``."""
    lines = _lines(words)
    height = 1.35 + _LINE_INCHES * len(lines)
    figure, (axes,) = canvas(width=9.6, height=height)
    reach = _reach(np.array([value for _, value in words] or [0.0]))
    for number, line in enumerate(lines):
        _write(axes, line, row=number, reach=reach)
    axes.set_xlim(0, _LINE_WIDTH)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.axis("off")
    figure.text(
        0.012, 0.16 / height, f"the strongest word moves the {unit} by {reach:.2g}", color=GREY
    )
    head(figure, headline)
    save(figure, path)


def _lines(words: Sequence[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    lines: list[list[tuple[str, float]]] = [[]]
    for word, value in words:
        width = sum(len(w) + 1 for w, _ in lines[-1])
        if lines[-1] and width + len(word) > _LINE_WIDTH:
            lines.append([])
        lines[-1].append((word, value))
    return lines


def _write(axes: Axes, line: Sequence[tuple[str, float]], *, row: int, reach: float) -> None:
    place = 0.0
    scale = Normalize(-reach, reach)
    for word, value in line:
        axes.text(
            place,
            row,
            word,
            family="monospace",
            fontsize=10,
            color=BLACK,
            va="center",
            bbox={
                "facecolor": DIVERGING(scale(value)),
                "edgecolor": "none",
                "boxstyle": f"round,pad={_MARGIN}",
            },
        )
        place += len(word) + 1.2


def _reach(values: np.ndarray) -> float:
    return float(np.abs(values).max()) or 1.0
