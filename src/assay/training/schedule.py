"""Learning-rate schedules as pure functions of the step."""

from __future__ import annotations

import math

from assay.training.knobs import ScheduleName

_ONECYCLE_RISE = 0.3
_ONECYCLE_START = 1 / 25
_STEPS = ((0.5, 1.0), (0.75, 0.1), (1.0, 0.01))


def factor(name: ScheduleName, *, step: int, steps: int, warmup: float) -> float:
    """Return what the learning rate is multiplied by at ``step`` of ``steps``, above 0 to 1.

    During the first ``warmup`` share of the steps it rises linearly to 1. Then: ``constant``;
    ``linear`` and ``cosine`` (Loshchilov and Hutter 2016, arXiv:1608.03983) fall towards 0;
    ``step`` is a tenth after half and a hundredth after three quarters; ``onecycle`` (Smith and
    Topin 2017, arXiv:1708.07120) has its own rise, over 30 % of the steps, and ignores ``warmup``.
    """
    if name == "onecycle":
        return _onecycle((step + 1) / (steps + 1))
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    share = (step - rising) / max(1, steps - rising)
    if name == "cosine":
        return _falling(share)
    if name == "linear":
        return 1 - share
    if name == "step":
        return next(value for end, value in _STEPS if share < end)
    return 1.0


def _onecycle(share: float) -> float:
    if share < _ONECYCLE_RISE:
        return 1 - (1 - _ONECYCLE_START) * _falling(share / _ONECYCLE_RISE)
    return _falling((share - _ONECYCLE_RISE) / (1 - _ONECYCLE_RISE))


def _falling(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))
