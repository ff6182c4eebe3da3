"""Storage and environment variables that cannot be used: stores, homes, addresses, odd settings."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bad_input.way import Case, Place
from tests.conftest import ROOT

FIT = "assay run model=mlp training.max_epochs=1"
NOWHERE = "http://127.0.0.1:9"


def _fit(says: str | tuple[str, ...], **env: str) -> Case:
    return Case(way=FIT, says=says, env=env)


ENVIRONMENT = {
    "a server that is not there": _fit("127.0.0.1:9 cannot be reached", MLFLOW_TRACKING_URI=NOWHERE),
    "a folder of files": _fit("a folder, which MLflow no longer writes", MLFLOW_TRACKING_URI="./mlruns"),
    "no such scheme": _fit("carrier://pigeon", MLFLOW_TRACKING_URI="carrier://pigeon"),
    "a word": _fit("MLFLOW_TRACKING_URI: expected a server", MLFLOW_TRACKING_URI="nonsense"),
    "a database that cannot be made": _fit("/proc/none", MLFLOW_TRACKING_URI="sqlite:////proc/none/mlflow.db"),
    "a home that cannot be made": _fit("/proc/none", ASSAY_HOME="/proc/none"),
    "a home that is a file": _fit("params.yaml", ASSAY_HOME="params.yaml"),
    "no such root": _fit("/nowhere is no Assay project", DVC_ROOT="/nowhere"),
    "a stage of another checkout": Case(
        way="stage compose", env={"DVC_ROOT": "/nowhere"}, says="this checkout is /nowhere, but 'assay' was imported"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENVIRONMENT)
def test_variables_that_cannot_be_used(place: Place, case: str) -> None:
    place.refuses(ENVIRONMENT[case])


def _garbage(home: Path, name: str) -> None:
    (home / name).write_bytes(b"no database" * 1000)


def _empty(home: Path) -> None:
    (home / "mlflow.db").write_bytes(b"")


def _cut(home: Path) -> None:
    content = (home / "mlflow.db").read_bytes()
    (home / "mlflow.db").write_bytes(content[: len(content) // 2])


def _other_tables(home: Path) -> None:
    (home / "mlflow.db").unlink()
    with sqlite3.connect(home / "mlflow.db") as database:
        database.execute("CREATE TABLE runs (x)")


def _folder(home: Path) -> None:
    (home / "mlflow.db").unlink()
    (home / "mlflow.db").mkdir()


STORES: dict[str, tuple[Callable[[Path], None], str]] = {
    "garbage": (lambda home: _garbage(home, "mlflow.db"), "is damaged"),
    "empty": (_empty, "is damaged (it lacks the tables"),
    "cut": (_cut, "mlflow.db"),
    "of another program": (_other_tables, "is damaged (it lacks the tables"),
    "a folder": (_folder, "mlflow.db"),
}


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_cannot_be_used(place: Place, store: str) -> None:
    damage, says = STORES[store]
    damage(place.root / "home")
    place.refuses(Case(way=FIT, says=(str(place.root / "home/mlflow.db"), says)))


def test_a_file_of_trials_that_is_none(place: Place) -> None:
    _garbage(place.root / "home", "study.db")
    params = "data: diabetes\nmodel: mlp\nsearch: tpe\nset: {search: {trials: 1}, training: {max_epochs: 1}}\n"
    place.put({"params.yaml": params})
    for name in ("compose", "prepare"):
        assert place.run(f"stage {name}").status == 0
    place.refuses(Case(way="stage search", says=("study.db", "move it away to begin afresh")))


SETTINGS = {
    "threads": {"OMP_NUM_THREADS": "many"},
    "columns": {"COLUMNS": "wide", "LINES": "tall"},
    "a terminal": {"TERM": "dumb", "NO_COLOR": "1"},
    "a plain locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "an ASCII output": {"PYTHONIOENCODING": "ascii"},
    "a run to go on with": {"MLFLOW_RUN_ID": "nonsense"},
    "a parent that is none": {"ASSAY_PARENT_RUN": "nonsense"},
    "a path with holes": {"PYTHONPATH": "/nowhere::"},
}


def _typed(way: list[str], root: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "DVC_", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *way], cwd=root, env={**kept, **env}, capture_output=True, timeout=300,
        encoding="utf-8", errors="replace",
    )  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_that_do_not_matter(place: Place, setting: str) -> None:
    """They change no outcome: the message is the same, and it is one."""
    way = ["-m", "assay.stages", "compose"]
    place.put({"params.yaml": "data: digits\nmodel: mlpé\n"})
    done = _typed(way, place.root, {"DVC_ROOT": str(ROOT), **SETTINGS[setting]})
    assert done.returncode == 1, done.stderr
    assert "model: there is no option" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_pickle_switch_has_no_effect(place: Place) -> None:
    """Whoever switched pickles on in MLflow is told that it does not count."""
    read = "from assay.tracking.environment import mlflow; import os; print(os.environ[{0!r}])"
    name = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
    done = _typed(["-c", read.format(name)], place.root, {name: "true"})
    assert done.stdout.strip() == "false", done.stderr
    assert "has no effect" in done.stderr


def test_a_home_that_is_read_only(place: Place) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere: nothing is read-only to it")
    shutil.rmtree(place.root / "home")
    (place.root / "home").mkdir(mode=0o500)
    place.refuses(Case(way=FIT, says="cannot be made"))
