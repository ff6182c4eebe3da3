"""Bad input, stage by stage: one clear message, status 1, FAILED in MLflow, nothing half-written.

The many cases are in tests/bad_input; here are those of processes, of full disks and of what MLflow keeps.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import ROOT, Project
from tests.sealed import seal

from assay.tracking.store import _ensure_database

pytestmark = pytest.mark.xdist_group("bad")
CONTEXT = multiprocessing.get_context("forkserver")
STAGES = ("compose", "prepare", "search", "train", "export", "evaluate")
TIMEOUT_SECONDS = 120
SMALL = {"training": {"max_epochs": 2, "threads": 1}, "evaluate": {"resamples": 50}}
FREE_BYTES = (0, 24 << 10)
ROOM_FOR_ROWS = 64 << 10
MANIFEST = "compose/manifest/config.yaml.json"
COMPOSED = {"config.yaml", "compose", "compose/manifest", MANIFEST}


def _stage(name: str, folder: str, env: Mapping[str, str]) -> None:
    """Be ``python -m assay.stages name`` in a folder, with what it says in ``said.txt`` there."""
    os.chdir(folder)
    os.environ.update(env)
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["assay.stages", name]
    runpy.run_module("assay.stages", run_name="__main__", alter_sys=True)


@dataclass(frozen=True)
class Ended:
    status: int | None
    said: str


class Folder:
    """A project whose stages run in processes forked from one that has imported everything."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / ".assay"
        shutil.copytree(ROOT / "conf", root / "conf")

    def run(self, name: str, **env: str) -> Ended:
        places = {"DVC_ROOT": str(ROOT), "ASSAY_HOME": str(self.home)}
        process = CONTEXT.Process(target=_stage, args=(name, str(self.root), {**places, **env}))
        process.start()
        process.join(TIMEOUT_SECONDS)
        return Ended(process.exitcode, (self.root / "said.txt").read_text())

    def params(self, settings: Any, **choices: str) -> None:
        chosen = {"data": "breast_cancer", "model": "mlp", "search": "none", **choices}
        text = yaml.safe_dump({**chosen, "set": settings}, sort_keys=False)
        (self.root / "params.yaml").write_text(text)

    def files(self) -> set[str]:
        """Return what lies in artifacts/, by path, but the locks of stages."""
        artifacts = self.root / "artifacts"
        found = {p.relative_to(artifacts) for p in artifacts.rglob("*")}
        return {str(path) for path in found if ".locks" not in path.parts}

    def runs(self) -> list[Run]:
        return _runs(self.home)


def _runs(home: Path) -> list[Run]:
    client = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
    experiments = [e.experiment_id for e in client.search_experiments()]
    return list(client.search_runs(experiments, order_by=["attributes.start_time"]))


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    CONTEXT.set_forkserver_preload([f"assay.stages.{name}" for name in STAGES])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, made once."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(file.parent))
        _ensure_database(file)
    return file


@pytest.fixture
def folder(tmp_path: Path, database: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.home.mkdir()
    shutil.copy(database, folder.home)
    return folder


def _assert_clear(ended: Ended, *messages: str) -> None:
    assert ended.status == 1, ended.said
    assert "Traceback" not in ended.said
    for message in messages:
        assert message in ended.said


def _assert_failed(folder: Folder, stage: str, *messages: str) -> None:
    parent, run = folder.runs()[-2:]
    assert (parent.info.status, run.info.status) == ("FAILED", "FAILED")
    assert parent.data.tags["pipeline"].startswith(f"failed at {stage}")
    assert run.info.run_name == stage
    for message in messages:
        assert message in run.data.tags["error"]


HEAD = "age,visits,churned\n"
ROWS = "".join(f"{i % 11},{i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(80))
TABLES: dict[str, tuple[bytes | str | None, dict[str, Any], list[str]]] = {
    "missing": (None, {}, ["churn.csv: there is no such file"]),
    "a target that lacks": (HEAD + ROWS + "1,1,\n", {}, ["the target 'churned' is missing in 1 row"]),
    "infinite numbers": (HEAD + ROWS + "inf,1,no\n", {}, ["column 'age' holds 1 number, infinite", "row 81"]),
    "another encoding": ((HEAD + ROWS + "1,1,né\n").encode("latin-1"), {}, ["is not utf-8", "latin-1"]),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_cannot_be_used(folder: Folder, case: str) -> None:
    content, knobs, messages = TABLES[case]
    table = folder.root / "churn.csv"
    if content is not None:
        table.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = {"data": {"path": "churn.csv", "target": "churned", **knobs}}
    folder.params(settings, data="csv")
    assert folder.run("compose").status == 0
    _assert_clear(folder.run("prepare"), *messages)
    assert folder.files() == COMPOSED
    _assert_failed(folder, "prepare", *messages)


STORES = {
    "no server": ("http://127.0.0.1:9", "127.0.0.1:9 cannot be reached"),
    "a folder": ("./mlruns", "a folder, which MLflow no longer writes"),
    "no such thing": ("carrier://pigeon", "carrier://pigeon"),
    "a folder that cannot be made": ("sqlite:////proc/none/mlflow.db", "/proc/none/mlflow.db"),
}


@pytest.mark.parametrize("case", STORES)
def test_a_store_out_of_reach(folder: Folder, case: str) -> None:
    uri, message = STORES[case]
    folder.params({})
    folder.run("compose")
    _assert_clear(folder.run("prepare", MLFLOW_TRACKING_URI=uri), message)
    assert folder.files() == COMPOSED


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Folder:
    """Every stage up to evaluate, ended well."""
    folder = Folder(tmp_path_factory.mktemp("evaluated"))
    folder.home.mkdir()
    shutil.copy(database, folder.home)
    folder.params(SMALL)
    for name in STAGES:
        ended = folder.run(name)
        assert ended.status == 0, ended.said
    return folder


def test_a_model_that_cannot_take_the_data_is_refused_by_train_too(
    folder: Folder, evaluated: Folder
) -> None:
    shutil.copytree(evaluated.root / "artifacts", folder.root / "artifacts")
    config = folder.root / "artifacts/config.yaml"
    content = yaml.safe_load(config.read_text())
    content["model"] = {"_target_": "assay.model.cnn.Cnn"}
    config.write_text(yaml.safe_dump(content))
    seal("compose", root=folder.root)
    shutil.rmtree(folder.root / "artifacts/train")
    before = folder.files()
    _assert_clear(folder.run("train"), "cnn takes image input")
    assert folder.files() == before
    _assert_failed(folder, "train")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Return a function that puts a folder on a small disk of its own."""
    mounted: list[Path] = []

    def mount(path: Path) -> None:
        held = tmp_path / "held"
        path.rename(held)
        path.mkdir()
        size = 16 << 20  # a search's page alone has five MiB
        size += 2 * sum(p.stat().st_size for p in held.rglob("*") if p.is_file())
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("a small disk cannot be mounted here: it takes the rights of root")
        mounted.append(path)
        shutil.copytree(held, path, dirs_exist_ok=True)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _fill(disk: Path, *, free: int) -> None:
    room = shutil.disk_usage(disk).free - free
    (disk / "filler").write_bytes(b"\0" * room)


@pytest.mark.parametrize("free", FREE_BYTES)
@pytest.mark.parametrize("stage", ["prepare", "train", "export", "evaluate"])
def test_a_full_disk_under_artifacts(
    folder: Folder, evaluated: Folder, disk: Callable[[Path], None], stage: str, free: int
) -> None:
    artifacts = folder.root / "artifacts"
    shutil.copytree(evaluated.root / "artifacts", artifacts)
    shutil.rmtree(artifacts / stage)
    disk(artifacts)
    _fill(artifacts, free=free)
    before = folder.files()
    _assert_clear(folder.run(stage), "No space left on device")
    assert folder.files() == before
    _assert_failed(folder, stage)


@pytest.mark.parametrize("stage", ["prepare", "train", "export", "evaluate"])
def test_a_full_disk_under_the_store(
    folder: Folder, evaluated: Folder, disk: Callable[[Path], None], stage: str
) -> None:
    shutil.copytree(evaluated.root / "artifacts", folder.root / "artifacts")
    shutil.rmtree(folder.root / "artifacts" / stage)
    before = folder.files()
    shutil.copy(evaluated.home / "mlflow.db", folder.home)
    disk(folder.home)
    _fill(folder.home, free=0)
    _assert_clear(folder.run(stage), f"{folder.home}/mlflow.db", "database or disk is full")
    assert folder.files() == before


def test_a_full_disk_under_the_trials(
    folder: Folder, evaluated: Folder, disk: Callable[[Path], None]
) -> None:
    """There is room for the rows of MLflow, none for a study; once there is, all is made up for."""
    shutil.copytree(evaluated.root / "artifacts", folder.root / "artifacts")
    folder.params({**SMALL, "search": {"trials": 2}}, search="tpe")
    assert folder.run("compose").status == 0
    shutil.rmtree(folder.root / "artifacts/search")
    before = folder.files()
    disk(folder.home)
    _fill(folder.home, free=ROOM_FOR_ROWS)
    ended = folder.run("search")
    _assert_clear(ended, f"{folder.home}/study.db", "free some space")
    assert folder.files() == before
    assert "has everything" not in ended.said
    (folder.home / "filler").unlink()
    ended = folder.run("search")
    assert ended.status == 0, ended.said
    searches = [run for run in folder.runs() if run.info.run_name == "search"]
    assert searches[0].info.status in ("FAILED", "KILLED")  # where not even that could be kept
    assert searches[1].info.status == "FINISHED"


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    return new_project("bad")


def test_dvc_repro_says_it_too(project: Project) -> None:
    path, good = project.root / "params.yaml", (project.root / "params.yaml").read_text()
    path.write_text(good.replace("model: cnn", "model: cnnn"))
    assert "there is no option 'cnnn'; did you mean 'cnn'?" in _refused(project)
    path.write_text(good.replace("model: cnn", "model: mlp").replace("search: tpe", "search: none"))
    table = project.root / "churn.csv"
    table.write_text(HEAD + ROWS)
    project("assay", "add", "churn.csv", "--target", "churned")
    stored = project.root / "data/churn/churn.csv"
    stored.unlink()  # DVC may have linked it to its cache
    assert "data/churn/churn.csv" in _refused(project)
    stored.write_text(HEAD + ROWS + "inf,1,no\n")
    assert "column 'age' holds 1 number, infinite" in _refused(project)
    assert not (project.root / "artifacts/prepare/spec.json").exists()
    statuses = [run.info.status for run in _runs(project.root / ".assay")]
    assert statuses == ["FAILED", "FAILED"]


def _refused(project: Project) -> str:
    done = project("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr
