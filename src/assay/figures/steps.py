"""Pictures of explained sequences and texts: bands over channels, coloured words, for every method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from assay.figures.attribution import Headline, Said, head, said_caption, save, tint, with_sizes
from assay.figures.style import BLACK, GREY, canvas

_MOST_CHANNELS = 8
_METHODS_ACROSS, _LETTERS = 5, 30
_LINE_INCHES, _HEADING_LINES, _GAP_LINES = 0.3, 1.0, 0.7
_LINE_WIDTH = 92
_MARGIN = 0.25
_WORD_SHADE = 0.85  # of the full colour: black letters stay legible on it


def series_row(
    path: Path,
    *,
    headline: Headline,
    steps: np.ndarray,
    channels: Sequence[str],
    bounds: np.ndarray,
    said: Sequence[Said],
) -> None:
    """Draw a sequence, (length, channels), each segment in the colour of its attribution.

    The values of each method are (channels, segments), and ``bounds`` where segments begin and end. Of
    many channels those with the largest attributions by the first method are drawn. One channel
    has its methods below each other, several have a column a method.
    """
    sizes = np.abs(said[0].values).max(axis=1)
    shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_CHANNELS])
    across = 1 if len(shown) == 1 else min(_METHODS_ACROSS, len(said))
    blocks = -(-len(said) // across)
    figure, panels = canvas(
        across,
        blocks * len(shown),
        width=9.6 if across == 1 else 1.4 + 2.1 * across,
        height=1.2 + blocks * (0.5 + 0.85 * len(shown)) + (0.4 if across == 1 else 0) * len(said),
        sharex=True,
        sharey="row",
    )
    for axes in panels:
        axes.set_visible(False)
    for number, one in enumerate(said):
        block, column = divmod(number, across)
        for line, channel in enumerate(shown.tolist()):
            axes = panels[(block * len(shown) + line) * across + column]
            _bands(axes, one, steps=steps[:, channel], channel=channel, bounds=bounds)
            if line == 0:
                said_caption(axes, one, letters=0 if across == 1 else _LETTERS)
            if column == 0:
                name = channels[channel]
                axes.set_ylabel(name, rotation=0, ha="right", va="center", color=BLACK)
            if line == len(shown) - 1 and number + across >= len(said):
                axes.set_xlabel("step")
                axes.tick_params(labelbottom=True)
    head(figure, with_sizes(headline, said))
    save(figure, path)


def _bands(axes: Axes, said: Said, *, steps: np.ndarray, channel: int, bounds: np.ndarray) -> None:
    axes.set_visible(True)
    for segment, value in enumerate(said.values[channel].tolist()):
        first, end = bounds[segment] + 0.5, bounds[segment + 1] + 0.5
        axes.axvspan(first, end, color=tint(value, of=said), linewidth=0)
    axes.plot(np.arange(1, len(steps) + 1), steps, color=BLACK, linewidth=1.2)
    axes.set_xlim(0.5, max(len(steps), 2) + 0.5)
    axes.tick_params(labelsize=8, colors=GREY)


def text_row(path: Path, *, headline: Headline, words: Sequence[str], said: Sequence[Said]) -> None:
    """Write a text once for each method, each word on the colour of its attribution (words,)."""
    lines = _lines(words)
    each = _HEADING_LINES + len(lines) + _GAP_LINES
    figure, (axes,) = canvas(width=9.6, height=0.75 + _LINE_INCHES * each * len(said))
    for number, one in enumerate(said):
        top = number * each
        name = axes.text(0, top, one.name, fontsize=10, fontweight="bold", color=BLACK, va="center")
        axes.annotate(
            one.note,
            (1, 0.5),
            xycoords=name,
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=GREY,
        )
        for row, line in enumerate(lines):
            _write(axes, one, [(words[i], i) for i in line], row=top + _HEADING_LINES + row)
    axes.set_xlim(0, _LINE_WIDTH)
    axes.set_ylim(each * len(said) - 0.6, -0.6)
    axes.axis("off")
    head(figure, with_sizes(headline, said))
    save(figure, path)


def _lines(words: Sequence[str]) -> list[list[int]]:
    """Return the places of the words in each line."""
    lines: list[list[int]] = [[]]
    for place, word in enumerate(words):
        width = sum(len(words[i]) + 1 for i in lines[-1])
        if lines[-1] and width + len(word) > _LINE_WIDTH:
            lines.append([])
        lines[-1].append(place)
    return lines


def _write(axes: Axes, said: Said, line: Sequence[tuple[str, int]], *, row: float) -> None:
    left = 0.0
    for word, place in line:
        value = float(said.values[place])
        axes.text(
            left,
            row,
            word,
            family="monospace",
            fontsize=10,
            color=BLACK,
            va="center",
            bbox={
                "facecolor": tint(_WORD_SHADE * value, of=said),
                "edgecolor": "none",
                "boxstyle": f"round,pad={_MARGIN}",
            },
        )
        left += len(word) + 1.2
