"""What all pictures of attributions share: colours, what a method said, a headline, tinted images.

Orange pushes a prediction up, blue pushes it down, everywhere; purple is a size without direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from assay.figures.style import BLACK, BLUE, GREY, ORANGE

UP, DOWN, SIZE = ORANGE, BLUE, "#8E4A9E"
DIVERGING = LinearSegmentedColormap.from_list("assay-diverging", [DOWN, "#FFFFFF", UP])
BAR = 0.62
HEAD_INCHES = 0.68
_LETTERS_AN_INCH = 13  # of the subtitle, at its usual size
_DARK_GROUND = 0.4  # of the range of brightness, at an image's border
_INK = 0.4
_SMALL_PIXELS = 32
_STRENGTH = 0.7  # the exponent that keeps small attributions visible
_LONGEST_NOTE = 44
_NOTE_BESIDE_NAME = 0.8  # how wide its letters are


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What stands over one explained prediction: a title and a quieter line below it."""

    title: str
    subtitle: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a method said of one prediction: its ``name``, ``values`` in the row's form, and a ``note``.

    ``values`` are (features,) for a row of a table and a text, (height, width) for an image and
    (channels, segments) for a sequence; without ``is_signed`` they are sizes, from 0 upwards.
    """

    name: str
    note: str
    values: np.ndarray
    is_signed: bool = True

    @property
    def reach(self) -> float:
        """The largest size, to which colours are scaled; 1 where all is nil."""
        return reach(self.values)


def with_sizes(headline: Headline, said: Sequence[Said]) -> Headline:
    """Add to the headline what purple means, where something is purple."""
    if all(one.is_signed for one in said):
        return headline
    words = f"{headline.subtitle}; purple: how much, without direction"
    return Headline(title=headline.title, subtitle=words)


def tint(value: float, *, of: Said) -> tuple[float, float, float]:
    """Return the colour of a value, from white to the full colour at the method's reach."""
    share = min(abs(value) / of.reach, 1.0)
    full = np.array(to_rgb(_full(of, value)))
    red, green, blue = (1 - share) + share * full
    return float(red), float(green), float(blue)


def _full(of: Said, value: float) -> str:
    if not of.is_signed:
        return SIZE
    return UP if value >= 0 else DOWN


def sides(of: Said, values: np.ndarray) -> list[str]:
    """Return the full colour of each value."""
    return [_full(of, value) for value in values.tolist()]


def overlay(axes: Axes, of: Said, backdrop: np.ndarray, *, scale: float) -> None:
    """Tint a pale picture: hue by sign, strength by size up to ``scale``.

    Small pictures show their ink as an outline.
    """
    low, high = float(backdrop.min()), float(backdrop.max())
    bright = (backdrop - low) / ((high - low) or 1.0)
    ink = bright if greys(backdrop) == "gray_r" else 1 - bright
    is_small = max(backdrop.shape) <= _SMALL_PIXELS
    paper = np.repeat((1 - (0.0 if is_small else 0.4) * ink)[..., None], 3, axis=2)
    strength = np.minimum(np.abs(of.values) / scale, 1)[..., None] ** _STRENGTH
    above, below = (to_rgb(_full(of, sign)) for sign in (1.0, -1.0))
    full = np.where(of.values[..., None] >= 0, above, below)
    axes.imshow(paper * (1 - strength) + full * strength)
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


def greys(image: np.ndarray) -> str:
    """Show bright ink on a dark ground as dark ink on white paper; other images as they are."""
    ground = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))
    low, high = float(image.min()), float(image.max())
    return "gray_r" if ground - low < _DARK_GROUND * (high - low) else "gray"


def reach(values: np.ndarray) -> float:
    """Return the largest size; 1 where all is nil."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


def name_bars(axes: Axes, labels: Sequence[str]) -> None:
    """Name the bars of a panel, from the top downwards."""
    axes.set_yticks(range(len(labels)), list(labels))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def bare(axes: Axes) -> None:
    """Take away all that surrounds a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def caption(axes: Axes, text: str) -> None:
    """Write quietly over a panel, at its left."""
    axes.set_title(text, loc="left", fontsize=10, fontweight="normal", color=GREY)


def said_caption(axes: Axes, said: Said, *, letters: int = 0) -> None:
    """Write a method's name over its panel, and its note below, on lines of so many ``letters``.

    With 0 letters each has one line, however long, but for what no panel has room for.
    """
    name, note = said.name, said.note
    if letters:
        name = fill(name, round(letters * _NOTE_BESIDE_NAME))
        note = fill(note, letters)
    elif len(note) > _LONGEST_NOTE:
        note = f"{note[: _LONGEST_NOTE - 1]}…"
    below = "\n" * (1 + note.count("\n"))
    axes.set_title(f"{name}{below}", loc="left", fontsize=10, fontweight="bold", color=BLACK)
    told = axes.annotate(
        note,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        fontsize=8.5,
        color=GREY,
        annotation_clip=False,
    )
    told.set_in_layout(False)  # it may reach over the next panel's edge, but takes no room


def head(figure: Figure, headline: Headline) -> None:
    """Write title and subtitle above the panels, the subtitle small enough for the width."""
    height = figure.get_figheight()
    room = _LETTERS_AN_INCH * figure.get_figwidth()
    size = 10 * min(1, room / max(1, len(headline.subtitle)))
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - HEAD_INCHES / height))
    figure.text(0.012, 1 - 0.28 / height, headline.title, fontsize=13, fontweight="bold")
    figure.text(0.012, 1 - 0.52 / height, headline.subtitle, fontsize=size, color=GREY)


def save(figure: Figure, path: Path) -> None:
    """Write a figure, the same bytes for the same picture."""
    figure.savefig(path, metadata={"Software": None})
