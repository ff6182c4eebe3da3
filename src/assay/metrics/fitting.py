"""What a training's history says about over- and underfitting, in words."""

from __future__ import annotations

import pandas as pd

_LATE = 0.2
_STILL_FALLING = 0.02
_RISE = 0.05
_FEWEST_EPOCHS = 3


def judge_fitting(history: pd.DataFrame) -> str:
    """Return a sentence on ``history``: ``epoch``, ``train_loss`` and ``valid_loss``, in order.

    Overfitting: the validation loss ended more than 5 % above its lowest, while the training loss
    fell. Underfitting: it fell by more than 2 % over the last fifth of the epochs and was lowest
    at the end. The losses are compared each with its own past, since smoothing, dropout and class
    weights act on one of them only.
    """
    valid = history["valid_loss"].to_numpy(float)
    train = history["train_loss"].to_numpy(float)
    if len(valid) < _FEWEST_EPOCHS:
        return f"{len(valid)} epochs are too few to tell over- from underfitting"
    best, late = int(valid.argmin()), max(2, round(_LATE * len(valid)))
    epoch = int(history["epoch"].iloc[best])
    if valid[-1] > valid[best] * (1 + _RISE) and train[-1] < train[best]:
        return (
            f"overfitting after epoch {epoch}: the validation loss rose from {valid[best]:.3g} to "
            f"{valid[-1]:.3g} while the training loss fell from {train[best]:.3g} to "
            f"{train[-1]:.3g}; the weights kept are from before"
        )
    fall = (valid[-late] - valid[-1]) / abs(valid[-late]) if valid[-late] else 0.0
    if best >= len(valid) - 2 and fall > _STILL_FALLING:
        return (
            f"underfitting: the validation loss still fell by {fall:.0%} over the last {late} "
            "epochs; more epochs (training.max_epochs) or a larger learning rate may help"
        )
    return f"no sign of over- or underfitting: the validation loss was lowest in epoch {epoch}"
