"""A ``dvc exp run`` that was killed, really: git is put back on its branch."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from tests.conftest import ROOT
from tests.doctor.conftest import tree

SLOW = "import pathlib, sys, time\npathlib.Path('begun').touch()\ntime.sleep(600)\n"
SECONDS = 60


@pytest.fixture
def killed(tiny):
    """The project after SIGKILL of an experiment, and of the stage that it had begun."""
    (tiny.root / "upper.py").write_text(SLOW)
    tiny.commit("slow")
    command = ["dvc", "exp", "run", "-S", "lr=0.5"]
    with (tiny.root.parent / "said").open("w") as said:
        process = subprocess.Popen(
            command,
            cwd=tiny.root,
            env=tiny.environment({}),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        deadline = time.monotonic() + SECONDS
        while not (tiny.root / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert (tiny.root / "begun").exists(), (tiny.root.parent / "said").read_text()
    (tiny.root / "begun").unlink()
    return tiny


def _head(tiny):
    return tiny("git", "rev-parse", "--abbrev-ref", "HEAD").stdout.strip()


def _files(tiny):
    return {name: text for name, text in tree(tiny.root).items() if not name.startswith(".git")}


def test_git_is_back_on_its_branch_with_every_file_as_it_was(killed):
    assert _head(killed) == "HEAD"
    assert "git is on no branch" in killed.find("experiments").text
    before = _files(killed)
    assert "back on main" in killed.mend("experiments").text
    assert _head(killed) == "main"
    assert _files(killed) == before
    assert "lr: 0.5" in (killed.root / "params.yaml").read_text()


def test_of_two_branches_it_is_the_one_that_was_left(killed):
    killed("git", "branch", "another")
    killed.mend("experiments")
    assert _head(killed) == "main"


def test_a_branch_that_cannot_be_told_is_asked_for(killed):
    for name in ("another", "third"):
        killed("git", "branch", name)
    killed("git", "reflog", "expire", "--expire=all", "--all")
    (line,) = killed.doctor("experiments", fix=True)
    assert line.state == "found"
    assert "git switch BRANCH" in line.text
    assert _head(killed) == "HEAD"


def test_the_rest_is_mended_too_and_the_next_experiment_runs(killed):
    states = {
        line.check: line.state for line in killed.doctor("dvc_locks", "experiments", fix=True)
    }
    assert states == {"DVC's locks": "mended", "experiments": "mended"}
    (killed.root / "upper.py").write_text(SLOW.replace("600", "0"))
    assert killed("dvc", "exp", "run", "-S", "lr=0.7", check=False).returncode != 0  # no output
    assert _head(killed) == "main"


def test_a_person_may_work_without_a_branch(tiny):
    tiny("git", "checkout", "-q", "--detach")
    assert tiny.find("experiments").state == "ok"


@pytest.mark.parametrize("place", ["exps", "exps/standalone"])
def test_copies_of_dead_experiments_are_removed(tiny, place):
    copy = tiny.root / ".dvc/tmp" / place / "tmpabc"
    copy.mkdir(parents=True)
    (copy / "README.md").write_bytes((ROOT / "README.md").read_bytes())
    assert "1 copy of the project" in tiny.find("experiments").text
    tiny.mend("experiments")
    assert not copy.exists()


def test_a_copy_that_an_experiment_runs_in_stays(tiny, sleeper):
    copy = tiny.root / ".dvc/tmp/exps/tmpabc"
    copy.mkdir(parents=True)
    (line,) = tiny.doctor("experiments", fix=True)
    assert line.state == "ok"
    assert copy.is_dir()
