"""The tracking store, real: runs of the dead, kept changes, half an initialisation, lost artifacts."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys

import pytest

from assay.tracking.process import own_key
from assay.tracking.spool import Spool
from assay.tracking.store import make_database, open_store
from assay.tracking.tracked import PROCESS

GONE = f"{socket.gethostname()}:999999999:1.00"


@pytest.fixture
def home(tiny):
    folder = tiny.root / ".assay"
    folder.mkdir()
    return folder


@pytest.fixture
def store(home):
    make_database(home / "mlflow.db")
    return open_store()


def _kept(store, run_id):
    """A change that a process kept and did not live to send."""
    spool = Spool.new(store)
    spool.append({"op": "tags", "run": run_id, "values": {"note": "late"}})
    spool.release()


def test_where_there_is_none_none_is_made(tiny):
    assert tiny.find("store").state == "ok"
    assert not (tiny.root / ".assay").exists()


def test_an_empty_one_is_healthy_and_gets_no_experiment(tiny, home):
    make_database(home / "mlflow.db")
    assert tiny.find("store").state == "ok"


def test_a_run_of_a_dead_process_is_closed_and_one_of_a_living_is_not(tiny, store):
    dead = store.create_run("train", {PROCESS: GONE})
    alive = store.create_run("search", {PROCESS: own_key()})
    line = tiny.find("store")
    assert f"1 run of dead processes still RUNNING: train ({dead[:8]})" in line.text
    tiny.mend("store")
    assert store.client.get_run(dead).info.status == "KILLED"
    assert store.client.get_run(alive).info.status == "RUNNING"


def test_it_is_closed_while_a_pipeline_is_at_work_too(tiny, store, sleeper):
    dead = store.create_run("train", {PROCESS: GONE})
    assert tiny.mend("store").state == "mended"
    assert store.client.get_run(dead).info.status == "KILLED"


def test_what_was_kept_is_sent(tiny, store, home):
    run_id = store.create_run("run", {PROCESS: own_key()})
    _kept(store, run_id)
    assert "1 change " in tiny.find("store").text
    assert "1 change sent" in tiny.mend("store").text
    assert store.client.get_run(run_id).data.tags["note"] == "late"
    assert not list(home.glob("spool/*/*.jsonl"))


def test_what_was_kept_for_another_store_is_told_with_its_address(tiny, store, monkeypatch):
    _kept(store, store.create_run("run", {PROCESS: own_key()}))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tiny.root}/other.db")
    (line,) = tiny.doctor("store", fix=True)
    assert line.state == "found"
    assert f"MLFLOW_TRACKING_URI={store.uri} assay doctor --fix" in line.text


def test_a_server_that_is_away(tiny, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    line = tiny.find("store")
    assert line.state == "found"
    assert "http://127.0.0.1:9 cannot be reached" in line.text


def test_drafts_of_an_initialisation_that_was_cut_off(tiny, home):
    draft = home / ".mlflow.db.new"
    draft.write_bytes(b"half")
    assert "not made to its end" in tiny.find("store").text
    tiny.mend("store")
    assert not draft.exists()


@pytest.mark.parametrize("table", ["runs", "alembic_version"])
def test_half_a_store_without_a_run_is_made_anew(tiny, home, table):
    make_database(home / "mlflow.db")
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute(f"DROP TABLE {table}")
    database.close()
    assert "makes it anew: it holds no run" in tiny.find("store").text
    tiny.mend("store")
    assert open_store().create_run("run", {})
    assert list(home.glob("mlflow.db.damaged-*"))


def test_one_that_no_longer_can_be_read_is_left_to_the_person(tiny, home):
    (home / "mlflow.db").write_bytes(b"no database at all" * 100)
    (line,) = tiny.doctor("store", fix=True)
    assert line.state == "found"
    assert "yours to judge" in line.text
    assert (home / "mlflow.db").read_bytes().startswith(b"no database")


def test_artifacts_of_no_run_are_told_and_kept(tiny, store, home):
    run_id = store.create_run("run", {PROCESS: own_key()})
    store.client.log_text(run_id, "kept", "note.txt")
    lost = home / "mlartifacts/assay" / ("0" * 32)
    (lost / "artifacts").mkdir(parents=True)
    (lost / "artifacts/weights").write_bytes(b"x" * 3000)
    (line,) = tiny.doctor("store", fix=True)
    assert line.state == "note"
    assert "1 folder of artifacts (3 kB)" in line.text
    assert str(lost) in line.text
    assert lost.is_dir()


def test_a_search_that_was_killed_leaves_no_trial_running(tiny, home):
    """A real study, whose process kills itself in its second trial."""
    code = (
        "import os, signal, sys\n"
        "from contextlib import nullcontext\n"
        "from pathlib import Path\n"
        "from assay.space import Interval\n"
        "from assay.tuning.knobs import Search\n"
        "from assay.tuning.problem import Problem\n"
        "from assay.tuning.study import Score, search\n"
        "def run(draw, report):\n"
        "    if draw.number == 1 and len(sys.argv) > 1:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return Score(value=draw.values['x'])\n"
        "problem = Problem(study='s', space={'x': Interval(low=0.0, high=1.0)}, seed=1)\n"
        "knobs = Search(trials=3, repeats=0)\n"
        "done = search(lambda share: nullcontext(run), problem=problem, knobs=knobs,\n"
        "    storage=Path('.assay/study.db'))\n"
        "print(len(done.trials), done.fresh)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, "die"], cwd=tiny.root, capture_output=True)
    assert killed.returncode < 0, killed.stderr
    assert "1 trial of dead processes still RUNNING" in tiny.find("trials").text
    assert "1 closed as failed" in tiny.mend("trials").text
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny.root, capture_output=True, text=True
    )
    assert done.stdout.split() == ["3", "2"], done.stderr


def test_a_study_that_is_no_database_is_kept_aside(tiny, home):
    (home / "study.db").write_bytes(b"no database" * 100)
    assert "cannot be read" in tiny.find("trials").text
    tiny.mend("trials")
    assert (home / "study.db.damaged").read_bytes().startswith(b"no database")
    assert [path.name for path in home.iterdir()] == ["study.db.damaged"]
