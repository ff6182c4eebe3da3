"""A signal at any moment of a search: it ends at once, and the next start as if none had come."""

import os
import shutil
import signal

import pytest
from tests import cut
from tests.tuning.bowl import bowl

from assay.errors import Terminated
from assay.signals import HeldSignals
from assay.tuning.study import Pruned

pytestmark = pytest.mark.usefixtures("sigterm_unwinds")
sigterm_unwinds = cut.sigterm_unwinds
KNOBS = {"trials": 3, "sampler": "random", "pruner": "median"}


def run(values, report, number):
    for epoch in range(2):
        report(epoch, bowl(values, report, number))
    return bowl(values, report, number)


def drawn(result):
    return [(t.number, t.state, t.value, t.values) for t in result.trials]


@pytest.mark.parametrize("moment", cut.MOMENTS)
def test_a_signal_during_any_statement_is_as_none(start, tmp_path, no_studies, moment):
    results = []
    file = shutil.copy(no_studies, tmp_path / "whole.db")
    there_are = cut.count(lambda: results.append(start(run, storage=file, **KNOBS)), moment)
    assert there_are > 100
    for chosen in range(0, there_are, 12):
        file = shutil.copy(no_studies, tmp_path / f"{chosen}.db")
        error = cut.terminated_at(
            chosen, lambda file=file: start(run, storage=file, **KNOBS), moment
        )
        assert error is not None, chosen
        assert cut.is_free(file), "while the exception lives: its frames hold sessions"
        del error
        assert (chosen, drawn(start(run, storage=file, **KNOBS))) == (chosen, drawn(results[0]))


@pytest.mark.parametrize("error", [Pruned("worse"), ValueError("broken")])
def test_a_signal_as_a_trial_is_given_up_ends_the_search(start, error):
    """A fit holds signals to the end of an epoch, in which it may be pruned, or fail."""
    begun = []

    def given_up(values, report, number):
        begun.append(number)
        with HeldSignals():
            os.kill(os.getpid(), signal.SIGTERM)
            raise error

    with pytest.raises(Terminated):
        start(given_up, **KNOBS)
    assert begun == [0]
    assert start(run, **KNOBS).fresh == 3, "the trial is begun again"
