"""A signal at a chosen moment of what goes to a database."""

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

from assay.errors import Terminated, end_on_signals

MOMENTS = ("before_cursor_execute", "after_cursor_execute", "commit")


@pytest.fixture
def sigterm_unwinds() -> Iterator[None]:
    """Have SIGTERM raise Terminated in this process, as in every command."""
    before = signal.getsignal(signal.SIGTERM)
    end_on_signals()
    yield
    signal.signal(signal.SIGTERM, before)


def count(work: Callable[[], Any], moment: str) -> int:
    """Return how often a moment comes while the work is done."""
    came: list[int] = []
    with _at_each(moment, came.append):
        work()
    return len(came)


def terminated_at(chosen: int, work: Callable[[], Any], moment: str) -> Terminated | None:
    """Do the work, with SIGTERM at one of its moments; return what it raised."""

    def kill(number: int) -> None:
        if number == chosen:
            os.kill(os.getpid(), signal.SIGTERM)

    end_on_signals()  # each is one of its own, however soon it comes after another
    with _at_each(moment, kill):
        try:
            work()
        except Terminated as error:
            return error
    return None


def is_free(file: Path) -> bool:
    """Tell whether another may write to an SQLite file at once."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True


@contextmanager
def _at_each(moment: str, act: Callable[[int], None]) -> Iterator[None]:
    numbers = iter(range(1_000_000))

    def told(*_: Any) -> None:
        act(next(numbers))

    sqlalchemy.event.listen(sqlalchemy.Engine, moment, told)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, moment, told)
