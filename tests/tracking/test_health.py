"""What a doctor finds of tracking, and mends: kept changes, dead runs, half a store."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from filelock import FileLock

from assay.errors import TrackingError
from assay.tracking.health import (
    close_orphans,
    damaged_spools,
    dead_runs,
    mend_store,
    replay_leftovers,
    spools,
    store_state,
)
from assay.tracking.process import own_key
from assay.tracking.spool import Spool
from assay.tracking.store import open_store

GONE = f"{socket.gethostname()}:999999999:1.00"


def kept_change(store, run_id: str, *, count: int = 1) -> Spool:
    spool = Spool.new(store)
    for i in range(count):
        spool.append({"op": "tags", "run": run_id, "values": {"note": str(i)}})
    return spool


def test_kept_changes_are_counted_told_for_which_store_and_sent(home, monkeypatch):
    store = open_store()
    run_id = store.create_run("run", {})
    spool = kept_change(store, run_id, count=3)
    (held,) = spools(store)
    assert (held.changes, held.is_held, held.address) == (3, True, store.uri)
    assert held.bytes == held.file.stat().st_size
    spool.release()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home}/other.db")
    other = open_store()
    assert spools(other) == []
    assert [kept.is_held for kept in spools()] == [False]
    assert replay_leftovers(store) == 3
    assert store.client.get_run(run_id).data.tags["note"] == "2"
    assert spools() == []


@pytest.mark.parametrize("content", [b"\x00" * 50 + b"\n", b"[1]\n", b'{"op": "tags"}\n', b"{\n"])
def test_an_unreadable_change_is_moved_aside_and_the_rest_is_sent(home, content, caplog):
    store = open_store()
    run_id = store.create_run("run", {})
    spool = kept_change(store, run_id)
    (file,) = home.glob("spool/*/*.jsonl")
    file.write_bytes(content + file.read_bytes())
    spool.release()
    assert replay_leftovers(store) == 2
    assert store.client.get_run(run_id).data.tags["note"] == "0"
    (aside,) = damaged_spools()
    assert aside.read_bytes().startswith(content)
    assert aside.name in caplog.text
    assert replay_leftovers(store) == 0


def test_a_file_that_is_none_stops_nothing(home, caplog):
    store = open_store()
    spool = kept_change(store, "r")
    (file,) = home.glob("spool/*/*.jsonl")
    file.unlink()
    file.mkdir()
    spool._lock.release()
    assert replay_leftovers(store) == 0
    assert damaged_spools() == [file.with_name(file.name + ".damaged")]


@pytest.mark.parametrize("state", [b"", b'{"off', b"[]", b'{"offset": "x", "ids": {}}'])
def test_a_torn_state_sends_again_and_opens_no_second_run(home, state):
    store = open_store()
    spool = Spool.new(store)
    kept = {"run": "local-1", "name": "trial", "start": 1, "tags": {"assay.key": "local-1"}}
    spool.append({"op": "create", **kept})
    spool.append({"op": "metrics", "run": "local-1", "values": [["loss", 0.5, 7, 0]]})
    assert spool._send(next(iter(spool._file.open("rb")))), "sent, and cut off before the note"
    spool._file.with_suffix(".state").write_bytes(state)
    spool._lock.release()
    assert replay_leftovers(store) == 2
    (run,) = store.client.search_runs([store.experiment_id])
    history = store.client.get_metric_history(run.info.run_id, "loss")
    assert [(m.value, m.timestamp) for m in history] == [(0.5, 7)]


def test_runs_of_dead_processes_are_told_and_closed_and_no_other(home):
    store = open_store()
    dead = store.create_run("old", {"assay.process": GONE, "assay.kind": "stage"})
    store.create_run("alive", {"assay.process": own_key()})
    store.create_run("elsewhere", {"assay.process": "other-host:1:1.00"})
    (found,) = dead_runs(store)
    assert (found.run_id, found.name, found.kind) == (dead, "old", "stage")
    assert close_orphans(store) == 1
    assert dead_runs(store) == []
    statuses = {r.info.run_name: r.info.status for r in store.client.search_runs(["1"])}
    assert statuses == {"old": "KILLED", "alive": "RUNNING", "elsewhere": "RUNNING"}


def test_a_whole_store_is_healthy_and_looking_makes_none(project, fresh_database):
    assert store_state().is_healthy
    assert not (project / "home").exists()
    (project / "home").mkdir()
    shutil.copy(fresh_database, project / "home" / "mlflow.db")
    assert store_state().is_healthy


def test_a_draft_is_found_and_removed_but_not_while_it_is_made(home):
    draft = home / ".mlflow.db.new"
    draft.write_bytes(b"half")
    with FileLock(home / "mlflow.db.lock"):
        assert store_state().is_healthy, "another process is making it"
    state = store_state()
    assert state.drafts == (draft,)
    assert "removed 1 file" in mend_store(state)
    assert store_state().is_healthy


def damage(file: Path, how: str) -> None:
    if how == "empty":
        file.write_bytes(b"")
        return
    with sqlite3.connect(file) as database:
        if how == "tables":
            database.execute("DROP TABLE registered_models")
        else:
            words = "DELETE FROM" if how == "no revision" else "UPDATE"
            rest = "" if how == "no revision" else "SET version_num = '0000'"
            database.execute(f"{words} alembic_version {rest}")


@pytest.mark.parametrize("how", ["empty", "tables", "no revision", "revision"])
def test_half_a_store_without_runs_is_made_anew(home, how):
    file = home / "mlflow.db"
    damage(file, how)
    (home / "mlflow.db-journal").write_bytes(b"")
    with pytest.raises(TrackingError):
        open_store()
    state = store_state()
    assert state.problem
    assert "made" in mend_store(state)
    assert open_store().create_run("run", {})
    assert store_state().is_healthy
    assert len(list(home.glob("mlflow.db.damaged-*"))) == 2, "with its journal"


@pytest.mark.parametrize("how", ["tables", "text"])
def test_a_damaged_store_that_may_hold_runs_is_left_and_said(home, how):
    file = home / "mlflow.db"
    store = open_store()
    store.create_run("mine", {})
    store.client._tracking_client.store.engine.dispose()
    if how == "tables":
        damage(file, how)
    else:
        file.write_bytes(b"no database at all" + file.read_bytes()[18:])
    before = file.read_bytes()
    state = store_state()
    with pytest.raises(TrackingError, match="left as it is") as caught:
        mend_store(state)
    assert ("holds 1" if how == "tables" else "cannot be read") in str(caught.value)
    assert file.read_bytes() == before


def test_a_server_has_no_state_of_a_file(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert store_state() is None
