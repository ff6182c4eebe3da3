"""Every pruner: the first trials run to their end, and later ones that lose are stopped."""

import warnings
from typing import get_args

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
