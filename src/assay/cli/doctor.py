"""The verb ``assay doctor``: find what was cut off, and mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from pathlib import Path

import click
from filelock import FileLock, Timeout

from assay.artifacts.paths import home, project_root
from assay.doctor.examine import Line, examine
from assay.errors import EXIT_FAILED, ArtifactError, ConfigError

_COLOURS = {"ok": "green", "mended": "green", "note": "cyan", "found": "yellow", "left": "yellow"}


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what was found, and say what was done.")
def command(*, fix: bool) -> None:
    """Find what was cut off or damaged. Without --fix nothing is changed; status 0 is healthy."""
    root = project_root()
    if not (root / "dvc.yaml").is_file():
        raise ConfigError(
            [f"{root} is no Assay project (it has no dvc.yaml): call this inside one"]
        )
    with chdir(root), _alone() if fix else nullcontext():
        wrong = [line for line in _shown(root, fix=fix) if not line.is_healthy]
    click.echo(_sum(wrong, fix=fix))
    if wrong:
        sys.exit(EXIT_FAILED)


def _shown(root: Path, *, fix: bool) -> Iterator[Line]:
    for line in examine(root, fix=fix):
        state = click.style(f"{line.state:<6}", fg=_COLOURS.get(line.state, "red"))
        click.echo(f"{line.check:<12} {state}  {line.text}")
        yield line


def _sum(wrong: list[Line], *, fix: bool) -> str:
    if not wrong:
        return "healthy"
    is_one = len(wrong) == 1
    count = "1 thing is not as it" if is_one else f"{len(wrong)} things are not as they"
    can_be_mended = not fix and any("; --fix " in line.text for line in wrong)
    return f"{count} should be" + (": assay doctor --fix" if can_be_mended else "")


@contextmanager
def _alone() -> Iterator[None]:
    """Mend as the only doctor of the project. Raises ArtifactError where the home is read-only."""
    folder = home() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "doctor.lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ArtifactError("another 'assay doctor --fix' is at work on this project") from error
    except OSError as error:
        raise ArtifactError(
            f"{home()} cannot be written ({os.strerror(error.errno or 0)}), so nothing can be "
            "mended: make it writable, or name another place in ASSAY_HOME"
        ) from error
    try:
        yield
    finally:
        lock.release()
