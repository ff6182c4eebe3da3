"""A project, the ways into it, and what each says: the same main functions that the commands call."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.conftest import ROOT

from assay.cli.main import main as verb
from assay.stages.__main__ import main as stage

Content = str | bytes | None
COPIED = ("conf", "experiments", "params.yaml", "dvc.yaml")
# What belongs to tracking and to Hydra's own folders is no output of the pipeline.
ELSEWHERE = ("home", "outputs", "multirun")
LIBRARIES = (
    "Traceback (most",
    "pydantic",
    "omegaconf",
    "pandas.",
    "numpy.",
    "sqlalchemy",
    "pyarrow.",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bad input: the way in as it is typed, what is put into the project, what must be said.

    A file of content None is taken away. ``says`` are telling parts of the one message.
    """

    way: str
    says: tuple[str, ...] | str
    status: int = 1
    files: Mapping[str, Content] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended, and all that it said."""

    status: int
    said: str


class Place:
    """A copy of the project's configuration in a folder of its own."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self._patch = root, patch
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, root / name)
        patch.chdir(root)
        patch.setenv("ASSAY_HOME", str(root / "home"))
        for name in (
            "MLFLOW_TRACKING_URI",
            "MLFLOW_EXPERIMENT_NAME",
            "ASSAY_PARENT_RUN",
            "DVC_ROOT",
        ):
            patch.delenv(name, raising=False)

    def put(self, files: Mapping[str, Content]) -> None:
        """Write files, or take them away."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, way: str, env: Mapping[str, str] | None = None) -> Ended:
        """Do what typing ``way`` does, in this process: ``assay VERB ...`` or ``stage NAME``."""
        program, *words = shlex.split(way)
        self._patch.setattr(sys, "argv", ["assay", *words])
        self._patch.delenv("DVC_ROOT", raising=False)
        if program == "stage":
            self._patch.setenv("DVC_ROOT", str(ROOT))  # whose code it is
        for name, value in (env or {}).items():
            self._patch.setenv(name, value)
        out = io.StringIO()
        with _restored(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                stage(words) if program == "stage" else verb()
                status = 0
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else 1
            except Exception:
                status = -1
                traceback.print_exc()
        return Ended(status=status, said=out.getvalue())

    def tree(self) -> dict[str, str]:
        """Return the digest of every file of the project, by name."""
        files = (p for p in self.root.rglob("*") if p.is_file() or p.is_symlink())
        names = {str(p.relative_to(self.root)): p for p in files}
        return {
            name: hashlib.sha256(p.read_bytes()).hexdigest()
            for name, p in sorted(names.items())
            if name.split("/")[0] not in ELSEWHERE and not name.startswith("artifacts/.locks")
        }

    def refuses(self, case: Case) -> str:
        """Run a case and see it refused: status, message, no library's words, nothing written."""
        self.put(case.files)
        before = self.tree()
        ended = self.run(case.way, case.env)
        says = (case.says,) if isinstance(case.says, str) else case.says
        assert ended.status == case.status, ended.said
        for words in says:
            assert words in ended.said, f"{words!r} is not in:\n{ended.said}"
        for words in LIBRARIES:
            assert words not in ended.said
        assert self.tree() == before
        return ended.said


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Put back what a command changes in its process for good: signals and logging."""
    before, root = signal.getsignal(signal.SIGTERM), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = list(logging.root.manager.loggerDict.values())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        root.handlers[:], root.level = handlers, level
        for log in loggers:
            if isinstance(log, logging.Logger):
                log.disabled = False
