"""A project of its own for every test that needs one: the working tree, freshly committed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# Nothing is downloaded; the libraries ask for it when they are imported.
os.environ["HF_HUB_OFFLINE"] = "1"

# Several tests share a machine, so how long an example takes says nothing.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# What takes longest begins first, so that two workers end together.
SLOW = ("test_pipeline.py", "end_to_end", "test_tracking", "stages")

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


class Project:
    """A fresh clone in a folder of its own, and the commands that a user types in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(
        self,
        *command: str,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a user would, with the project's environment activated."""
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.environment(env or {}),
            capture_output=True,
            text=True,
            timeout=600,
        )
        if check and done.returncode:
            pytest.fail(
                f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a shell that has just activated ``.venv``."""
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("DVC_", "ASSAY_", "MLFLOW_", "PYTEST_"))
        }
        kept["PATH"] = f"{BIN}{os.pathsep}{kept['PATH']}"
        kept.update({"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a"})
        kept.update({"GIT_COMMITTER_EMAIL": "a@b", "OMP_NUM_THREADS": "1", "COLUMNS": "160"})
        return {**kept, **extra}

    def repro(self, *words: str, check: bool = True) -> list[str]:
        """Run ``dvc repro`` and return the stages that ran, in order."""
        return ran(self("dvc", "repro", *words, check=check).stdout)

    def commit(self, message: str) -> None:
        self("git", "add", "-A")
        self("git", "commit", "-qm", message)


def ran(output: str) -> list[str]:
    """Return the stages that DVC says it ran."""
    lines = [line for line in output.splitlines() if line.startswith("Running stage")]
    return [line.split("'")[1] for line in lines]


def _tracked_files() -> Sequence[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Return a function that makes a fresh project with the working tree's files, committed."""

    def make(name: str) -> Project:
        root = tmp_path_factory.mktemp(name)
        for file in _tracked_files():
            target = root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, target)
        project = Project(root)
        project("git", "init", "-qb", "main")
        project.commit("start")
        return project

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take: slow ones first, the others as they were found."""

    def rank(item: pytest.Item) -> int:
        return next((i for i, word in enumerate(SLOW) if word in str(item.path)), len(SLOW))

    items.sort(key=rank)
