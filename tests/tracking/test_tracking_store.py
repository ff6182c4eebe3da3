from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.address import tracking_uri
from assay.tracking.server import free_port
from assay.tracking.store import open_store

ROOT = Path(__file__).parents[2]


def test_eight_processes_at_once_on_an_empty_folder(project):
    """A short form: ``python -m tests.tracking.eight FOLDER 10`` plays ten rounds."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tracking.eight", str(project), "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["round 8 8 1"] * 2


def test_a_killed_initialisation_leaves_nothing_that_harms(project):
    home = project / "home"
    home.mkdir()
    draft = home / ".mlflow.db.new"
    with sqlite3.connect(draft) as database:
        database.execute("CREATE TABLE experiments (half INTEGER)")
    (home / ".mlflow.db.new-journal").write_bytes(b"torn")
    assert open_store().experiment_id
    assert not draft.exists()


CUT_OFF = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("CREATE TABLE half (text)")
database.executemany("INSERT INTO half VALUES (?)", [("x" * 2000,)] * 500)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_half_done_is_rolled_back(home):
    open_store()
    database = home / "mlflow.db"
    subprocess.run([sys.executable, "-c", CUT_OFF, str(database)])
    assert (home / "mlflow.db-journal").stat().st_size
    store = open_store()
    store.client.set_terminated(store.create_run("after", {}))
    with sqlite3.connect(database) as opened:
        assert not opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()


def test_one_that_is_locked_is_not_called_damaged(home, monkeypatch):
    open_store()
    monkeypatch.setattr("assay.tracking.store._LOCKED_SECONDS", 0.05)
    with sqlite3.connect(home / "mlflow.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            TrackingError, match=r"was locked by another process for 0\.05 s"
        ) as told:
            open_store()
        assert "damaged" not in str(told.value)
        other.execute("ROLLBACK")
    assert open_store()


def test_a_journal_left_by_a_store_that_was_moved_away_is_not_played_into_the_next(project):
    home = project / "home"
    home.mkdir()
    old = sqlite3.connect(home / "old.db", isolation_level=None)
    old.execute("PRAGMA cache_size = 1")
    old.execute("CREATE TABLE t (x)")
    old.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 50)
    old.execute("BEGIN")
    old.execute("UPDATE t SET x = x || 'y'")
    shutil.copy(home / "old.db-journal", home / "mlflow.db-journal")
    old.close()
    assert open_store().create_run("run", {})
    with sqlite3.connect(home / "mlflow.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert (home / "mlflow.db-journal.old").exists()


@pytest.mark.parametrize("content", ["half", "empty", "text"])
def test_a_database_that_is_not_whole_is_noticed(project, content):
    file = project / "home" / "mlflow.db"
    file.parent.mkdir()
    if content == "half":
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE experiments (half INTEGER)")
    else:
        file.write_text("" if content == "empty" else "this is no database" * 100)
    with pytest.raises(TrackingError, match="damaged") as caught:
        open_store()
    assert str(file) in str(caught.value)
    assert "move the file away" in str(caught.value)


def test_a_store_of_another_release_is_told_apart(home):
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(TrackingError, match="mlflow db upgrade"):
        open_store()


def test_a_server_that_is_not_there_is_told_at_once_without_its_password(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:s3cret@127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(TrackingError, match=r"http://\*\*\*@127.0.0.1") as caught:
        open_store()
    assert time.monotonic() - began < 30, "a hang, not a measurement"
    assert "s3cret" not in str(caught.value)
    assert "Connection refused" in str(caught.value)
    assert "MLFLOW_TRACKING_URI" in str(caught.value)


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "mlruns"])
def test_a_folder_of_files_is_refused_with_what_to_do(project, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match="unset it"):
        open_store()


def test_a_home_that_cannot_be_written_is_told(project, monkeypatch):
    (project / "file").write_text("")
    monkeypatch.setenv("ASSAY_HOME", str(project / "file" / "home"))
    with pytest.raises(TrackingError, match="ASSAY_HOME"):
        open_store()


def test_queued_experiments_land_in_the_store_of_the_real_project(project, monkeypatch):
    copy = project / ".dvc" / "tmp" / "exps" / "temp" / "abc"
    copy.mkdir(parents=True)
    monkeypatch.delenv("ASSAY_HOME")
    monkeypatch.setenv("DVC_ROOT", str(copy))
    monkeypatch.chdir(copy)
    assert tracking_uri() == f"sqlite:///{project}/.assay/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///tracks/own.db")
    assert tracking_uri() == f"sqlite:///{project}/tracks/own.db"


def test_a_database_of_the_users_is_made_with_artifacts_beside_it(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/own/tracks.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "churn")
    store = open_store()
    experiment = store.client.get_experiment(store.experiment_id)
    assert experiment.name == "churn"
    assert experiment.artifact_location == f"{project}/own/mlartifacts/churn"
    assert open_store().experiment_id == store.experiment_id


def test_a_deleted_experiment_is_told_with_how_to_restore_it(home):
    store = open_store()
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(TrackingError, match=f"--experiment-id {store.experiment_id}"):
        open_store()


def test_secrets_are_masked():
    text = masked("see https://ann:pw@host:80/x and postgresql://b:c@db/x?sslkey=abc&token=zz&a=1")
    assert text == "see https://***@host:80/x and postgresql://***@db/x?sslkey=***&token=***&a=1"


def test_the_room_brings_neither_torch_nor_lightning():
    rooms = "run, explore, find, store, server"
    heavy = "{'torch', 'pytorch_lightning', 'lightning', 'sklearn', 'matplotlib'}"
    code = f"from assay.tracking import {rooms}; import sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_importing_and_opening_is_silent_and_pickle_is_off(project):
    code = (
        "from assay.tracking.run import stage_run; import os; from pathlib import Path\n"
        "with stage_run('prepare', folder=Path('artifacts')): pass\n"
        "assert os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] == 'false'"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("given", ["true", "1", "yes"])
def test_pickle_stays_off_whoever_switched_it_on(project, given):
    code = (
        "from assay.tracking.environment import mlflow; import os\n"
        "from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION as switch\n"
        "assert switch.get() is False"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": given},
    )
    assert done.returncode == 0, done.stderr
    assert f"MLFLOW_ALLOW_PICKLE_DESERIALIZATION={given} has no effect" in done.stderr


def test_the_store_is_not_in_the_working_folder(home):
    open_store()
    assert not Path("mlruns").exists()
    assert not Path("mlflow.db").exists()
