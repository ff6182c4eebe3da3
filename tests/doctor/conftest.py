"""A project of three stages that need no Assay: DVC and git are real, and it is made in a moment."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Project, ran

from assay.doctor.examine import Line, examine

UNSET = ("ASSAY_HOME", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_ROOT", "DVC_EXP_NAME")
UPPER = """\
import pathlib
import sys

target = pathlib.Path(sys.argv[2])
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(pathlib.Path(sys.argv[1]).read_text().upper())
"""
MANY = """\
import pathlib

folder = pathlib.Path("artifacts/many")
folder.mkdir(parents=True)
for i in range(3):
    (folder / str(i)).write_text(str(i))
"""
PIPELINE = """\
stages:
  first:
    cmd: {python} upper.py data/words/words.csv artifacts/first.txt
    deps: [data/words, upper.py]
    params: [seed, {{params.yaml: [lr]}}]
    outs: [artifacts/first.txt]
  second:
    cmd: {python} many.py
    deps: [artifacts/first.txt, many.py]
    outs: [artifacts/many]
  third:
    cmd: {python} upper.py artifacts/many/1 artifacts/third.txt
    deps: [artifacts/many, upper.py]
    outs: [artifacts/third.txt]
"""


class Tiny(Project):
    """The project, and the doctor as a function."""

    def doctor(self, *checks: str, fix: bool = False) -> list[Line]:
        return list(examine(self.root, fix=fix, checks=checks))

    def find(self, check: str) -> Line:
        """Look without mending: nothing is changed, and one line is said."""
        before = self.digest()
        (line,) = self.doctor(check)
        assert self.digest() == before
        return line

    def mend(self, check: str) -> Line:
        """Mend, and look again: it is healthy."""
        (line,) = self.doctor(check, fix=True)
        (again,) = self.doctor(check)
        assert again.is_healthy, again
        return line

    def repro(self, *words: str, check: bool = True) -> list[str]:
        return ran(self("dvc", "repro", *words, check=check).stdout)

    def digest(self) -> dict[str, str]:
        return tree(self.root)


def tree(root: Path) -> dict[str, str]:
    """Return every file's content and every folder, apart from what is rewritten by mere reading.

    That is DVC's own lock, and SQLite's index of a journal that a killed process left.
    """
    scratch = {root / ".dvc/tmp/lock", *root.rglob("*-shm")}
    files = set(root.rglob("*")) - scratch
    return {str(p.relative_to(root)): _content(p) for p in files}


def _content(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "folder"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, run once, committed."""
    root = tmp_path_factory.mktemp("tiny") / "project"
    (root / "data/words").mkdir(parents=True)
    (root / "data/words/words.csv").write_text("a,b\nc,d\n")
    (root / "upper.py").write_text(UPPER)
    (root / "many.py").write_text(MANY)
    (root / "dvc.yaml").write_text(PIPELINE.format(python=sys.executable))
    (root / "params.yaml").write_text("data: words\nseed: 1\nlr: 1e-05\n")
    (root / "constraints.txt").write_text("dvc==3.67.1\n")
    (root / ".gitignore").write_text("/.assay/\n/artifacts/\n/dvc.lock.damaged*\n")
    (root / "conf/data").mkdir(parents=True)
    (root / "conf/data/words.yaml").write_text("path: data/words/words.csv\n")
    project = Tiny(root)
    project("git", "init", "-qb", "main")
    project("dvc", "init", "-q")
    project("dvc", "config", "core.analytics", "false")
    project("dvc", "add", "-q", "data/words/words.csv")
    assert project.repro() == ["first", "second", "third"]
    project.commit("start")
    return root


@pytest.fixture
def tiny(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    root = tmp_path / "project"
    shutil.copytree(made, root, symlinks=True)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(root)
    return Tiny(root)


@pytest.fixture
def sleeper(tiny: Tiny) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that works in the project, by its command line a ``dvc repro``."""
    program = tiny.root.parent / "dvc"
    program.write_text("import time\nprint(flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, str(program), "repro"]
    process = subprocess.Popen(command, cwd=tiny.root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
