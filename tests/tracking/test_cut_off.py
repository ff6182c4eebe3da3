"""A signal at any moment of a tracked run: the store is left whole, and no run says RUNNING."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from tests.tracking.recorded import ran, rows, runs

from assay.errors import Terminated, end_on_sigterm
from assay.tracking.explore import explore_run
from assay.tracking.resume import child_run

pytestmark = pytest.mark.usefixtures("home", "dvc")


@pytest.fixture(autouse=True)
def _sigterm_unwinds() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    end_on_sigterm()
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def at_statement(
    act: Callable[[int], None], event: str = "before_cursor_execute"
) -> Iterator[None]:
    """Call ``act`` with the number of each statement that goes to a database in the block."""
    count = iter(range(1_000_000))

    def told(*_: Any) -> None:
        act(next(count))

    sqlalchemy.event.listen(sqlalchemy.Engine, event, told)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, event, told)


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


def is_free(file: Path) -> bool:
    """Tell whether another may write at once."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True


@pytest.mark.parametrize("work", [a_search, a_run])
@pytest.mark.parametrize("event", ["before_cursor_execute", "after_cursor_execute", "commit"])
def test_a_signal_during_any_statement_leaves_nothing_running(work, event, home):
    statements = []
    with at_statement(statements.append, event):
        work()
    assert len(statements) > 10
    for chosen in range(0, len(statements), 5):
        error = _killed_at(chosen, work, event)
        running = [run.info.run_name for run in runs("attributes.status = 'RUNNING'")]
        assert (chosen, running) == (chosen, [])
        assert is_free(home / "mlflow.db"), "while the exception lives: its frames hold sessions"
        del error
    assert "KILLED" in {run.info.status for run in runs()}


def _killed_at(chosen: int, work: Callable[[], None], event: str) -> Terminated | None:
    def kill(number: int) -> None:
        if number == chosen:
            os.kill(os.getpid(), signal.SIGTERM)

    with at_statement(kill, event):
        try:
            work()
        except Terminated as error:
            return error
    return None


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
