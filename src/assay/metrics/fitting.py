"""What a training's history says about over- and underfitting, in words, with what may help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from assay.data.spec import Kind
from assay.metrics.objective import Objective

_LATE = 0.2
_STILL_FALLING = 0.02
_RISE = 0.05
_GAP = 1.5
_NO_GAIN = 0.02
_FEWEST_EPOCHS = 3

_OF_CLASSES = "training.label_smoothing"  # does nothing where no likelihood is learned
_HOLD_BACK = {
    "training.weight_decay": "raise",
    "model.dropout": "raise",
    _OF_CLASSES: "raise",
    "model.width": "lower",
}
_GO_ON = {"training.max_epochs": "raise", "training.lr": "raise", "model.width": "raise"}
_MOVE = {
    "training.lr": "change by a factor of ten",
    "model.width": "raise",
    "model.dropout": "lower",
    "training.weight_decay": "lower",
}
_AUGMENTED: Mapping[Kind, str] = {"image": "images", "sequence": "sequences", "text": "text"}


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the words on a training depend on, beside its history.

    ``trivial`` is the task's ``goal`` as the trivial baseline reaches it, None where that is not known;
    ``knobs`` are the effective values by dotted key, of which remedies name those that there are.
    """

    goal: Objective | None = None
    trivial: float | None = None
    kind: Kind | None = None
    knobs: Mapping[str, Any] = field(default_factory=dict)


def judge_fitting(history: pd.DataFrame, about: Circumstances) -> str:
    """Return a sentence on ``history``: ``epoch``, ``train_loss`` and ``valid_loss``, in order.

    Flat at the baseline: the best validation objective is at most 2 % better than the trivial
    baseline's. Overfitting: the validation loss ended more than 5 % above its lowest, while the
    training loss fell. Underfitting: it fell by more than 2 % over the last fifth of the epochs and
    was lowest at the end. A gap: at the lowest it is more than 1.5 times the training loss, which
    smoothing and dropout make larger than it is, so a gap is no artefact of them.
    """
    valid = history["valid_loss"].to_numpy(float)
    train = history["train_loss"].to_numpy(float)
    if len(valid) < _FEWEST_EPOCHS:
        return f"{len(valid)} epochs are too few to tell over- from underfitting"
    best, late = int(valid.argmin()), max(2, round(_LATE * len(valid)))
    epoch = int(history["epoch"].iloc[best])
    if flat := _flat(history, about):
        return flat
    if valid[-1] > valid[best] * (1 + _RISE) and train[-1] < train[best]:
        return (
            f"overfitting after epoch {epoch}: the validation loss rose from {valid[best]:.3g} to "
            f"{valid[-1]:.3g} while the training loss fell from {train[best]:.3g} to "
            f"{train[-1]:.3g}; the weights kept are from before; {_held_back(about)}"
        )
    fall = (valid[-late] - valid[-1]) / abs(valid[-late]) if valid[-late] else 0.0
    if best >= len(valid) - 2 and fall > _STILL_FALLING:
        return (
            f"underfitting: the validation loss still fell by {fall:.0%} over the last {late} "
            f"epochs; {_remedies(about, _GO_ON)}"
        )
    if 0 < _GAP * train[best] < valid[best]:
        return (
            f"a gap: in epoch {epoch}, the best one, the validation loss ({valid[best]:.3g}) is "
            f"{valid[best] / train[best]:.1f} times the training loss ({train[best]:.3g}), though it "
            f"has not risen; {_held_back(about)}"
        )
    return f"no sign of over- or underfitting: the validation loss was lowest in epoch {epoch}"


def _flat(history: pd.DataFrame, about: Circumstances) -> str:
    goal, trivial = about.goal, about.trivial
    column = f"valid_{goal.name}" if goal else ""
    if goal is None or trivial is None or column not in history:
        return ""
    values = history[column].to_numpy(float)
    best = float(values.min() if goal.direction == "minimize" else values.max())
    gain = trivial - best if goal.direction == "minimize" else best - trivial
    if gain > _NO_GAIN * abs(trivial):
        return ""
    name = goal.name.replace("_", " ")
    return (
        f"flat at the baseline: the best validation {name} ({best:.3g}) is no better than the trivial "
        f"baseline's ({trivial:.3g} on the test rows), so the network has learned nothing that "
        f"carries over; {_remedies(about, _MOVE)}"
    )


def _held_back(about: Circumstances) -> str:
    remedy = _remedies(about, _HOLD_BACK)
    name = _AUGMENTED.get(about.kind) if about.kind else None
    if name and not _is_augmented(about):
        remedy += f", choose augmentation={name}"
    return f"{remedy}, or train on more rows"


def _is_augmented(about: Circumstances) -> bool:
    part = f"training.augmentation.{about.kind}."
    return any(value for key, value in about.knobs.items() if key.startswith(part))


def _remedies(about: Circumstances, wanted: Mapping[str, str]) -> str:
    """Return what may help, by key: ``raise model.dropout (0.1)``."""
    by_verb: dict[str, list[str]] = {}
    for key, verb in wanted.items():
        is_idle = key == _OF_CLASSES and about.goal is not None and about.goal.name != "log_loss"
        if not is_idle and (value := about.knobs.get(key)) is not None:
            by_verb.setdefault(verb, []).append(f"{key} ({value:g})")
    parts = [f"{verb} {' or '.join(keys)}" for verb, keys in by_verb.items()]
    return "what may help: " + (", ".join(parts) if parts else "another model")
