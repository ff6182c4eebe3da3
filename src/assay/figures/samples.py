"""Pictures of generated images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assay.figures.style import BLACK, BLUE, GREY, canvas, grid, title


def sample_grid(images: np.ndarray, *, heading: str, columns: int = 10) -> Figure:
    """Draw images (N, C, H, W) of 0 to 1 close together, row by row."""
    rows = -(-len(images) // columns)
    figure, axes = canvas(columns, rows, width=0.62 * columns + 0.2, height=0.62 * rows + 0.5)
    for place, one in enumerate(axes):
        _bare(one)
        if place < len(images):
            _image(one, images[place])
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def neighbour_pairs(
    samples: np.ndarray, *, nearest: np.ndarray, captions: Sequence[str], heading: str
) -> Figure:
    """Draw each sample above its nearest training row."""
    count = len(samples)
    figure, axes = canvas(count, 2, width=0.9 * count + 0.9, height=3.0)
    for column in range(count):
        _image(axes[column], samples[column])
        _image(axes[count + column], nearest[column])
        axes[column].set_title(captions[column], fontsize=8, color=BLACK)
    for one in axes:
        _bare(one)
    axes[0].set_ylabel("sample")
    axes[count].set_ylabel("nearest\ntraining row")
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def walk_grid(walks: np.ndarray, *, labels: Sequence[str], heading: str, below: str) -> Figure:
    """Draw walks (walks, steps, C, H, W) of images of 0 to 1, one a row."""
    rows, columns = walks.shape[:2]
    figure, axes = canvas(columns, rows, width=0.62 * columns + 1.6, height=0.62 * rows + 0.8)
    for place, one in enumerate(axes):
        row, column = divmod(place, columns)
        _bare(one)
        _image(one, walks[row, column])
        if column == 0:
            one.set_ylabel(labels[row], rotation=0, ha="right", va="center", fontsize=9)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel(below, fontsize=9, color=GREY)
    return figure


def prototype_grid(
    images: np.ndarray, *, captions: Sequence[str], heading: str, below: str
) -> Figure:
    """Draw images (N, C, H, W) of 0 to 1, each with its caption."""
    columns = min(5, len(images))
    rows = -(-len(images) // columns)
    figure, axes = canvas(columns, rows, width=max(5.6, 1.5 * columns), height=1.75 * rows + 0.8)
    for place, one in enumerate(axes):
        _bare(one)
        one.set_visible(place < len(images))
        if place < len(images):
            _image(one, images[place])
            one.set_title(captions[place], fontsize=10, color=BLACK)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel(below, fontsize=9, color=GREY)
    return figure


def class_shares(shares: np.ndarray, *, expected: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw the share of samples that are judged to be of each class, beside the training rows'."""
    figure, (axes, *_) = canvas(width=6.4, height=3.4)
    places = np.arange(len(names))
    grid(axes)
    axes.bar(places - 0.2, shares, width=0.4, color=BLUE, label="samples")
    axes.bar(places + 0.2, expected, width=0.4, color=GREY, label="training rows")
    axes.set_xticks(places, names, rotation=45 if max(map(len, names)) > 3 else 0)
    axes.set_ylabel("share")
    axes.set_ylim(top=1.25 * max(float(shares.max()), float(expected.max())))
    axes.legend(frameon=False, ncols=2, loc="upper right")
    title(axes, "Classes among the samples, as the judge sees them")
    return figure


def _image(axes: Axes, image: np.ndarray) -> None:
    shown = np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)
    axes.imshow(np.clip(shown, 0, 1), cmap="gray", vmin=0, vmax=1)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
