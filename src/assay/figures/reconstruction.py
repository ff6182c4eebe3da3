"""Pictures of reconstructions: what scores tell apart, and the rows that came back worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assay.figures.style import BLACK, BLUE, FAINT, GREY, ORANGE, canvas, grid, title

_BINS = 40
_MOST_NAMES = 30


def score_histogram(scores: np.ndarray, *, target: np.ndarray, threshold: float) -> Figure:
    """Draw scores (N,) of normal rows, anomalies and rows not known, and the threshold."""
    figure, (axes, *_) = canvas(width=6.4, height=3.6)
    edges = np.histogram_bin_edges(scores, bins=_BINS).tolist()
    kinds = ((0, "normal", BLUE), (1, "anomaly", ORANGE), (-1, "not known", GREY))
    for code, name, color in kinds:
        if np.any(target == code):
            label = f"{name} ({int(np.sum(target == code)):,})"
            axes.hist(scores[target == code], bins=edges, color=color, alpha=0.6, label=label)
    axes.axvline(threshold, color=BLACK, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.annotate(
        f"flagged above {threshold:.3g}",
        (threshold, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        va="top",
        fontsize=9,
    )
    axes.legend(frameon=False, loc="center right")
    axes.set_xlabel("score: mean square error of the reconstruction")
    axes.set_ylabel("rows")
    title(axes, "Scores on the test split")
    return figure


def image_rows(
    given: np.ndarray, *, returned: np.ndarray, captions: Sequence[str], heading: str
) -> Figure:
    """Draw images (N, C, H, W) of 0 to 1, what came back and the error, a column for each row."""
    count = len(given)
    figure, axes = canvas(count, 3, width=max(4.0, 1.25 * count + 0.9), height=4.6)
    error = np.abs(given - returned).mean(axis=1)
    reach = max(float(error.max(initial=0.0)), 1e-6)
    for column in range(count):
        _image(axes[column], given[column])
        _image(axes[count + column], returned[column])
        last = axes[2 * count + column]
        last.imshow(error[column], cmap="Oranges", vmin=0, vmax=reach)
        axes[column].set_title(captions[column], fontsize=8, color=BLACK)
    for one in axes:
        one.set_xticks([])
        one.set_yticks([])
        one.spines[:].set_visible(False)
    for place, name in enumerate(("given", "came back", "error")):
        axes[place * count].set_ylabel(name)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def line_rows(
    given: np.ndarray, *, returned: np.ndarray, captions: Sequence[str], heading: str
) -> Figure:
    """Draw rows (N, steps, channels) as lines, what came back over what was given."""
    figure, panels = canvas(
        1, len(given), width=7.2, height=0.9 + 1.3 * len(given), sharex=True, sharey=True
    )
    for axes, before, after, caption in zip(panels, given, returned, captions, strict=True):
        axes.plot(before, color=GREY, linewidth=1.2)
        axes.plot(after, color=ORANGE, linewidth=1.2)
        axes.set_title(caption, fontsize=8, loc="left", color=BLACK)
    panels[-1].set_xlabel("step (grey: given, orange: came back; in standard deviations)")
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def feature_rows(
    errors: np.ndarray, *, names: Sequence[str], captions: Sequence[str], heading: str
) -> Figure:
    """Draw each row's square errors (N, features) as points, the features of most error first."""
    order = np.argsort(-errors.mean(axis=0), kind="stable")[:_MOST_NAMES]
    figure, (axes, *_) = canvas(width=7.2, height=1.4 + 0.26 * len(order))
    grid(axes, axis="x")
    for row, caption in zip(errors, captions, strict=True):
        axes.plot(row[order], np.arange(len(order)), "o", alpha=0.75, label=caption, markersize=5)
    axes.set_yticks(range(len(order)), [names[i] for i in order])
    axes.invert_yaxis()
    axes.set_xlabel("square error, in variances of the feature")
    axes.legend(frameon=False, fontsize=8)
    title(axes, heading)
    return figure


def _image(axes: Axes, image: np.ndarray) -> None:
    shown = np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)
    axes.imshow(np.clip(shown, 0, 1), cmap="gray", vmin=0, vmax=1)
    axes.set_facecolor(FAINT)
