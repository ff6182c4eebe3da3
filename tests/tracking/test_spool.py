"""Changes that wait for the store: whole lines on a full disk, and true ends before orphans."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.tracking.recorded import ran, runs

from assay.tracking.spool import Spool
from assay.tracking.store import open_store

pytestmark = pytest.mark.usefixtures("home")
CHANGE = {"op": "tags", "run": "r", "values": {"a": "b"}}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def lines(home: Path) -> list[str]:
    (file,) = home.glob("spool/*/*.jsonl")
    return file.read_text().splitlines()


def test_a_full_disk_leaves_no_half_line_before_the_next_change(home: Path) -> None:
    spool = Spool.new(open_store())
    spool.append(CHANGE)
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        spool.append({**CHANGE, "values": {"a": "b" * 1000}})
    spool.append(CHANGE)
    assert [json.loads(line) for line in lines(home)] == [CHANGE, CHANGE]


def test_nothing_kept_leaves_no_file(home: Path) -> None:
    spool = Spool.new(open_store())
    with files_of_at_most(0), pytest.raises(OSError, match="File too large"):
        spool.append(CHANGE)
    spool.release()
    assert not list(home.glob("spool/*/*"))


def test_an_end_that_was_kept_is_no_orphans_end(home: Path) -> None:
    """A run whose last status waits in a spool says RUNNING although its process is gone."""
    store = open_store()
    gone = f"{socket.gethostname()}:999999999:1.00"
    run_id = store.create_run("old", {"assay.process": gone})
    spool = Spool.new(store)
    spool.append({"op": "status", "run": run_id, "status": "FINISHED", "end": 1})
    spool.release()
    with ran("prepare"):
        pass
    old = next(run for run in runs() if run.info.run_id == run_id)
    assert old.info.status == "FINISHED"
    assert "error" not in old.data.tags
