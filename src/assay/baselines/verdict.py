"""Say in words whether the model beats a baseline, on which metric, and by how much."""

from __future__ import annotations

from collections.abc import Mapping

from assay.data.spec import Task
from assay.metrics.intervals import Interval, Resampled
from assay.metrics.objective import direction

_LOSES, _BEHIND = "loses", "is behind, though not beyond chance,"
_WINS, _EVEN = "wins", "does not differ beyond chance"
_PHRASES = (_LOSES, _BEHIND, _WINS, _EVEN)
_LOOKED_AT: Mapping[Task, tuple[str, ...]] = {
    "language_modelling": ("log_loss", "perplexity"),
    "tagging": ("log_loss", "accuracy", "f1", "span_f1"),
    "classification": ("log_loss", "cost", "accuracy", "roc_auc"),
    "multilabel": ("log_loss", "f1_macro", "average_precision"),
    "regression": ("rmse", "mae"),
    "forecasting": ("mase", "mae", "rmse"),
    "reconstruction": ("auroc", "average_precision", "reconstruction_mse"),
    "generation": ("frechet", "coverage", "density"),
}


def compare(task: Task, *, model: Resampled, baseline: Resampled, name: str) -> str:
    """Return a sentence about the model beside the baseline called ``name``.

    A difference counts when its bootstrap interval leaves out 0; one that does not is said too.
    Metrics that one of the two leaves undefined are passed over.
    """
    difference = model.minus(baseline)
    said: dict[str, list[str]] = {phrase: [] for phrase in _PHRASES}
    for metric in [name for name in _LOOKED_AT[task] if name in difference.values]:
        interval = difference.interval(metric)
        if interval["low"] is None or interval["high"] is None:
            continue
        phrase = _phrase(metric, interval)
        said[phrase].append(_words(metric, model, baseline, interval))
    parts = [f"{phrase} on {', '.join(words)}" for phrase, words in said.items() if words]
    if not parts:
        return f"no metric compares the model with the {name} baseline"
    return f"the model, beside the {name} baseline, " + "; ".join(parts)


def gain_words(*, model: Resampled, without: Resampled, of: str) -> str:
    """Return a sentence on what training with ``of`` brought in accuracy; ``without`` is the same without."""
    found = model.minus(without).interval("accuracy")
    value, low, high = found["value"], found["low"], found["high"]
    if not (isinstance(value, float) and isinstance(low, float) and isinstance(high, float)):
        return f"{of}: what they bring cannot be told, {found.get('reason', '')}"
    word = "a gain" if low > 0 else "a loss" if high < 0 else "no difference beyond chance"
    return (
        f"{of}: {word} in accuracy beside the same training without them ({value:+.3f}, "
        f"{low:+.3f} to {high:+.3f})"
    )


def _phrase(metric: str, difference: Interval) -> str:
    value, low, high = (_signed(metric, difference[end]) for end in ("value", "low", "high"))
    low, high = min(low, high), max(low, high)
    if high < 0:
        return _LOSES
    if low > 0:
        return _WINS
    return _BEHIND if value < 0 else _EVEN


def _signed(metric: str, value: float | str | None) -> float:
    """Return the difference as a gain: above 0 where the model is better."""
    return float(value or 0.0) * (1 if direction(metric) == "maximize" else -1)


def _words(metric: str, model: Resampled, baseline: Resampled, difference: Interval) -> str:
    ours, theirs = model.values[metric], baseline.values[metric]
    span = f"difference {difference['low']:+.3g} to {difference['high']:+.3g}"
    return f"{metric.replace('_', ' ')} ({ours:.4g} against {theirs:.4g}, {span})"
