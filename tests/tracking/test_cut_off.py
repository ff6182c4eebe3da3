"""A signal at any moment of a tracked run: the store is left whole, and no run says RUNNING."""

from __future__ import annotations

import os
import signal

import pytest
from tests import cut
from tests.tracking.recorded import ran, rows, runs

from assay.errors import Terminated
from assay.tracking.explore import explore_run
from assay.tracking.resume import child_run

pytestmark = pytest.mark.usefixtures("sigterm_unwinds", "home", "dvc")
sigterm_unwinds = cut.sigterm_unwinds


def a_search() -> None:
    with ran("search") as search:
        with child_run(search, "trial 0", key="s 0 0") as trial:
            trial.log_params({"lr": 0.1})
            trial.log_metrics({"loss": 1.0}, step=0)
        with child_run(search, "trial 0", key="s 0 0", is_new=False) as trial:
            trial.set_tags({"overrides": "lr=0.1"})


def a_run() -> None:
    with explore_run(name="lr=0.1", parent=None, config={"lr": 0.1}) as tracked:
        tracked.log_metrics({"loss": 1.0}, step=0)


@pytest.mark.parametrize("work", [a_search, a_run])
@pytest.mark.parametrize("moment", cut.MOMENTS)
def test_a_signal_during_any_statement_leaves_nothing_running(work, moment, home):
    for chosen in range(0, cut.count(work, moment), 5):
        error = cut.terminated_at(chosen, work, moment)
        running = [run.info.run_name for run in runs("attributes.status = 'RUNNING'")]
        assert (chosen, running) == (chosen, [])
        assert cut.is_free(home / "mlflow.db"), (
            "while the exception lives: its frames hold sessions"
        )
        del error
    assert "KILLED" in {run.info.status for run in runs()}


def test_a_signal_as_a_run_is_closed_makes_it_killed(home):
    """What the run was for is not done: its stage is not committed, its trial is begun again."""
    with pytest.raises(Terminated), ran("search") as search, child_run(search, "trial 0") as trial:
        send = trial.close

        def close(status: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            send(status)

        trial.close = close  # type: ignore[method-assign]  # the signal comes first, then the end
    ends = {run.info.run_name: run.info.status for run in runs()}
    assert set(ends.values()) == {"KILLED"}
    assert rows()[0].data.tags["pipeline"].startswith("killed at search")
