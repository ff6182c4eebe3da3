"""Every pruner: the first trials run to their end, and later ones that lose are stopped."""

import math
import warnings
from typing import get_args

import optuna
import pytest
from tests.tuning.bowl import SPACE

from assay.tuning.knobs import PrunerName, Search
from assay.tuning.pruner import pruner

EPOCHS, STARTUP = 9, 3


@pytest.mark.parametrize("name", sorted({*get_args(PrunerName)} - {"none"}))
def test_the_first_trials_are_never_stopped_and_losing_ones_after_them_are(start, name):
    def worse_and_worse(values, report, number):
        for epoch in range(1, EPOCHS + 1):
            report(epoch, number + 1 / epoch)
        return float(number)

    knobs = {"pruner": name, "startup_trials": STARTUP, "warmup_epochs": 1, "trials": 8}
    found = start(worse_and_worse, space=SPACE, **knobs)
    states = [trial.state for trial in found.trials]
    assert states[:STARTUP] == ["complete"] * STARTUP
    assert "pruned" in states[STARTUP:]


@pytest.mark.parametrize("name", get_args(PrunerName))
def test_nothing_is_said_that_no_user_can_change(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pruner(Search(pruner=name))


def _asked(curves, own, *, direction="minimize", **knobs):
    """Return whether a trial with the curve ``own`` is stopped after complete ones with ``curves``."""
    study = optuna.create_study(direction=direction, pruner=pruner(Search(**knobs)))
    for curve in curves:
        steps = dict(enumerate(curve, start=1))
        ended = min(curve) if direction == "minimize" else max(curve)
        study.add_trial(optuna.trial.create_trial(value=ended, intermediate_values=steps))
    trial = study.ask()
    for step, value in enumerate(own, start=1):
        trial.report(value, step)
    return trial.should_prune()


# From epoch 2 on they fell to 1/5, 2/3 and 1/2, by 4, 1 and 3; their ends are 1, 2 and 3.
CURVES = [[9, 5, 1, 1], [4, 3, 2, 2], [8, 6, 4, 3]]


@pytest.mark.parametrize(
    ("own", "factor", "is_stopped"),
    [
        ([20, 10.1], 1.0, True),
        ([20, 9.9], 1.0, False),
        ([9.9, 20], 1.0, False),  # the best until now counts
        ([30, 22.3], 1.5, False),
        ([30, 22.5], 1.5, True),
        ([30, 22.5], None, False),
        ([math.nan, 22.5], 1.5, True),
    ],
)
def test_in_the_warmup_only_who_cannot_reach_the_median_is_stopped(own, factor, is_stopped):
    knobs = {"startup_trials": 3, "warmup_epochs": 4, "hopeless": factor}
    assert _asked(CURVES, own, **knobs) is is_stopped


@pytest.mark.parametrize(
    ("own", "factor", "is_stopped"),
    [([-9, -6.1], 1.0, True), ([-9, -5.9], 1.0, False), ([-9, -8.1], 1.5, True)],
)
def test_what_is_to_be_large_or_not_positive_gains_by_differences(own, factor, is_stopped):
    knobs = {"startup_trials": 3, "warmup_epochs": 4, "hopeless": factor}
    falling = [[-value for value in curve] for curve in CURVES]
    assert _asked(falling, own, direction="maximize", **knobs) is is_stopped
    below = [[value - 9 for value in curve] for curve in CURVES]
    lower = [-value - 9 for value in own]
    assert _asked(below, lower, **knobs) is is_stopped


def test_the_warmup_of_the_hopeless_asks_for_the_first_trials_too():
    knobs = {"warmup_epochs": 4, "hopeless": 1.0}
    assert not _asked(CURVES, [99, 99], startup_trials=4, **knobs)
    assert not _asked([], [99, 99], startup_trials=0, **knobs)


def test_after_the_warmup_the_median_alone_decides():
    knobs = {"startup_trials": 3, "warmup_epochs": 2, "hopeless": 1.0}
    assert _asked(CURVES, [20, 5.1], **knobs)  # of 5, 3 and 6
    assert not _asked(CURVES, [20, 4.9], **knobs)


def test_trials_that_reported_nothing_stop_nobody():
    study = optuna.create_study(pruner=pruner(Search(startup_trials=1, warmup_epochs=4)))
    study.add_trial(optuna.trial.create_trial(value=1.0))
    trial = study.ask()
    trial.report(99.0, 1)
    assert not trial.should_prune()
