"""Learning curves: loss and metrics over the epochs of a training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from assay.figures.style import BLUE, ORANGE, canvas, grid, label_ends, title

_LOSSES = {"train_loss": ("training", BLUE), "valid_loss": ("validation", ORANGE)}
_LOG_FROM = 20
_WORDS = {
    "r2": "R²",
    "roc_auc": "ROC AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "mase": "MASE",
    "frechet": "Fréchet distance",
}
_PREFERRED = ("valid_accuracy", "valid_r2", "valid_roc_auc", "valid_mase", "valid_rmse")


def learning_curves(history: pd.DataFrame, *, kept: int, objective: str) -> Figure:
    """Draw ``history``: ``epoch``, ``train_loss``, ``valid_loss`` and ``valid_<metric>`` columns.

    The left panel holds the losses; the right one a metric of the validation rows, or the
    ``objective`` by which weights are chosen, where there is one. The epoch whose weights are kept is
    marked on both: where the loss does not choose, as for a generator, it need not be the lowest.
    """
    wanted = (*_PREFERRED, f"valid_{objective}")
    metric = next((name for name in wanted if _differs(history, name)), None)
    figure, axes = canvas(2 if metric else 1, width=9.6 if metric else 6.4, height=3.8)
    losses = {name: label for name, label in _LOSSES.items() if name in history}
    _lines(axes[0], history, losses)
    title(axes[0], f"Loss (weights kept: epoch {kept})")
    _mark(axes[0], history, "valid_loss", kept=kept)
    if metric:
        _lines(axes[1], history, {metric: ("validation", ORANGE)})
        name, value = _worded(metric), history.loc[history["epoch"] == kept, metric].iloc[0]
        title(axes[1], f"{name}, kept {value:.3g}")
        _mark(axes[1], history, metric, kept=kept)
    return figure


def _differs(history: pd.DataFrame, name: str) -> bool:
    """Return whether a column is there and says more than the loss on validation rows does."""
    if name not in history or history[name].isna().any():
        return False
    return "valid_loss" not in history or not np.allclose(history[name], history["valid_loss"])


def _worded(metric: str) -> str:
    name = metric.removeprefix("valid_")
    return _WORDS.get(name, name.replace("_", " ").capitalize())


def _lines(axes: Axes, history: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> None:
    grid(axes)
    epochs = history["epoch"]
    marker = "o" if len(history) == 1 else None
    for name, (_, color) in columns.items():
        axes.plot(epochs, history[name], color=color, marker=marker)
    values = history[list(columns)].to_numpy(float)
    if values.min() > 0 and values.max() > _LOG_FROM * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(LogFormatter())
    ends = [(float(epochs.iloc[-1]), float(history[name].iloc[-1])) for name in columns]
    labels, colors = zip(*columns.values(), strict=True)
    label_ends(axes, ends, labels, colors)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(history) == 1:
        axes.set_xlim(float(epochs.iloc[0]) - 1, float(epochs.iloc[0]) + 1)


def _mark(axes: Axes, history: pd.DataFrame, name: str, *, kept: int) -> None:
    if name in history:
        at = history.loc[history["epoch"] == kept]
        axes.plot(at["epoch"], at[name], "o", color=ORANGE, markersize=6)


def data_size_curve(sizes: pd.DataFrame, fits: pd.DataFrame, *, objective: str) -> Figure:
    """Draw what parts of the training rows reach on the validation rows, seed by seed and on average.

    ``sizes`` has ``rows``, ``mean`` and ``margin`` (NaN where one seed was tried), ``fits`` ``rows`` and
    ``value`` of each fit.
    """
    figure, (axes, *_) = canvas(width=6.4, height=3.8)
    grid(axes)
    axes.plot(fits["rows"], fits["value"], "o", color=BLUE, alpha=0.35, markersize=5)
    axes.errorbar(
        sizes["rows"],
        sizes["mean"],
        yerr=sizes["margin"].fillna(0.0),
        color=BLUE,
        marker="o",
        markersize=7,
        capsize=3,
    )
    axes.set_xlim(0, 1.06 * float(sizes["rows"].max()))
    axes.set_xlabel("training rows")
    axes.set_ylabel(f"valid {objective.replace('_', ' ')}")
    is_sure = bool(sizes["margin"].notna().any())
    title(
        axes, "Repeated fits: each, and the mean" + (" with its 95 % interval" if is_sure else "")
    )
    return figure
