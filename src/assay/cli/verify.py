"""``assay verify``: is a registered version still what it was measured as?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path

import click

from assay.artifacts.paths import project_root
from assay.cli.retrain import retrained
from assay.doctor.commands import dvc_cache
from assay.errors import EXIT_FAILED
from assay.pipeline.registering.verification import (
    Checked,
    of_cache,
    of_metrics,
    of_tags,
    recorded_data,
    recorded_outputs,
    restored_test,
)
from assay.tracking.registry import Version, address, fetch, resolve

_COLOURS = {"same": "green", "within": "green", "missing": "yellow"}
_RAW = "raw data"
_ITSELF = "register"  # the lock beside a version was written before it was registered
_STAGE = "stage "
_LEVELS = ("hashes", "evaluate", "retrain")


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--level", type=click.Choice(_LEVELS), default="evaluate", show_default=True)
def command(model: str, level: str) -> None:
    """Verify MODEL (models:/NAME@champion, models:/NAME/VERSION or NAME).

    hashes: the digests of every file and of the recorded data, seconds. evaluate: also score it
    on its own test split, restored by digest, minutes. retrain: also build it again from the
    recorded source, and say which stage first differs. Status 0 means that nothing differs.
    """
    version = resolve(address(model))
    with tempfile.TemporaryDirectory() as scratch, chdir(project_root()):
        found = [_shown(checked) for checked in _verified(version, level, Path(scratch))]
    is_well, said = conclusion(found, level=level)
    click.echo(f"{version.uri} {said}")
    if not is_well:
        sys.exit(EXIT_FAILED)


def conclusion(found: Sequence[Checked], *, level: str) -> tuple[bool, str]:
    """Return whether a version is what was registered, and that in words.

    A stage whose bytes differ is named, but the metrics decide: another machine gives other bytes.
    """
    stages = [c.what for c in found if c.state == "differs" and c.what.startswith(_STAGE)]
    differing = [c.what for c in found if c.state == "differs" and c.what not in stages]
    unknown = [c.what for c in found if c.state == "missing"]
    note = f"; the first bytes that differ are of {stages[0]}" if stages else ""
    note += f"; not to be told: {', '.join(unknown)}" if unknown else ""
    if differing:
        return False, f"is not what was registered: {', '.join(differing)}{note}"
    return True, f"is what was registered, as far as {level} goes{note}"


def _shown(checked: Checked) -> Checked:
    state = click.style(f"{checked.state:<8}", fg=_COLOURS.get(checked.state, "red"))
    click.echo(f"{checked.what:<22} {state} {checked.found}")
    return checked


def _verified(version: Version, level: str, scratch: Path) -> Iterator[Checked]:
    folder = fetch(version, scratch)
    yield Checked(what="files", state="same", found="every file is as its manifest says")
    yield from of_tags(version, folder)
    origin, cache = folder / "origin", dvc_cache(project_root())
    yield from _recorded(origin / "dvc.lock", cache)
    if level == "hashes":
        return
    test = restored_test(version, origin, cache=cache, scratch=scratch)
    yield Checked(what="test split", state="same", found=version.tags.get("test_digest", "")[:12])
    yield from of_metrics(folder, test)
    if level == "retrain":
        yield from retrained(version, origin, scratch=scratch)


def _count(name: str, number: int) -> str:
    if name == _RAW:
        return "1 file or folder as it was read" if number == 1 else f"{number} as they were read"
    return "1 output as it was written" if number == 1 else f"{number} outputs as they were written"


def _recorded(lock: Path, cache: Path) -> Iterator[Checked]:
    """Hash what DVC keeps of the raw data and of every stage before this registration."""
    data = recorded_data(lock)
    tracked = {path: md5 for path, md5 in data.items() if not path.endswith(".dvc")}
    stages = {name: outputs for name, outputs in recorded_outputs(lock).items() if name != _ITSELF}
    for name, outputs in {_RAW: tracked, **stages}.items():
        found = of_cache(outputs, cache=cache, root=project_root())
        if not outputs:
            yield Checked(what=name, state="missing", found="was not recorded")
        elif found is None:
            yield Checked(what=name, state="same", found=_count(name, len(outputs)))
        else:
            yield Checked(what=name, state=found.state, found=f"{found.what}: {found.found}")
