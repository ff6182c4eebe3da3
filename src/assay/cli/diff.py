"""``assay diff``: what differs between two registered versions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from assay.artifacts.files import read_yaml
from assay.errors import AssayError
from assay.inference.signature import Signature
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective, direction
from assay.metrics.paired import estimate
from assay.metrics.scores import score
from assay.pipeline.evaluating.dependence import prepared_dependence
from assay.pipeline.registering.champion import answers_of
from assay.pipeline.registering.promotion import PresentTest, present_test, scores_here
from assay.tracking.registry import Version, address, fetch, resolve

_LEVEL = 0.025
_FILES = 20
_FILE = "diff --git a/"


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
def command(first: str, second: str) -> None:
    """Say what differs between the versions A and B: data, configuration, code, and metrics.

    Metrics are measured on the present test split, with a paired test; intervals are of 95 %.
    """
    a, b = resolve(address(first)), resolve(address(second))
    click.echo(f"{a.uri} -> {b.uri}")
    with tempfile.TemporaryDirectory() as scratch:
        folders = [fetch(v, Path(scratch, end)) / "origin" for end, v in (("a", a), ("b", b))]
        for head, lines in (
            ("data", _tags(a, b, "data_digest", "test_digest")),
            ("configuration", _configuration(*folders)),
            ("code", _code(a, b, folders)),
        ):
            _tell(head, list(lines))
    _tell("metrics", list(_metrics(a, b)))


def _tell(head: str, lines: list[str]) -> None:
    click.echo(f"{head}:" if lines else f"{head}: the same")
    for line in lines:
        click.echo(f"  {line}")


def _tags(a: Version, b: Version, *names: str) -> Iterator[str]:
    for name in names:
        ours, theirs = (v.tags.get(name, "not recorded") for v in (a, b))
        if ours != theirs:
            yield f"{name}: {ours[:16]} -> {theirs[:16]}"


def _configuration(a: Path, b: Path) -> Iterator[str]:
    ours, theirs = (dict(_flat(read_yaml(f / "config.yaml"))) for f in (a, b))
    for key in sorted(ours.keys() | theirs.keys()):
        before, after = ours.get(key, "nothing"), theirs.get(key, "nothing")
        if before != after:
            yield f"{key}: {before} -> {after}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _code(a: Version, b: Version, folders: list[Path]) -> Iterator[str]:
    """Yield the commit, and the files whose uncommitted changes were not the same."""
    yield from _tags(a, b, "git_commit", "assay")
    before, after = (_changes(folder / "changes.diff") for folder in folders)
    names = sorted(name for name in {**before, **after} if before.get(name) != after.get(name))
    for name in names[:_FILES]:
        yield f"{name}: {_uncommitted(before.get(name))} -> {_uncommitted(after.get(name))}"
    if len(names) > _FILES:
        yield f"and {len(names) - _FILES} more files with uncommitted changes"


def _changes(patch: Path) -> dict[str, list[str]]:
    """Return the lines of a patch by the file that they change."""
    text = patch.read_text(encoding="utf-8", errors="replace") if patch.is_file() else ""
    parts = text.split(_FILE)[1:]
    return {part.split(" b/")[0]: part.splitlines()[1:] for part in parts}


def _uncommitted(lines: list[str] | None) -> str:
    if lines is None:
        return "as committed"
    changed = [line for line in lines if not line.startswith(("+++ ", "--- "))]
    added, taken = (sum(line.startswith(sign) for line in changed) for sign in "+-")
    return f"uncommitted +{added} -{taken}"


def _metrics(a: Version, b: Version) -> Iterator[str]:
    try:
        test = present_test()
        signature, ours = scores_here(a, test)
        theirs = answers_of(b, test.rows, signature=signature)
    except AssayError as error:
        yield f"cannot be compared on the present test rows: {' '.join(str(error).split())}"
        return
    for version in (a, b):
        if version.tags.get("test_digest") != test.digest:
            yield f"{version.uri} comes from another split and may have learned from these rows"
    yield from _gains(test, signature, ours, theirs)


def _gains(
    test: PresentTest, signature: Signature, ours: np.ndarray, theirs: np.ndarray
) -> Iterator[str]:
    target, dependence = np.asarray(test.rows.target), prepared_dependence(test.rows.rows())
    scale: Any = {n: getattr(signature, n) for n in ("classes", "naive", "costs")}
    before, after = (
        score(signature.task, target=target, output=o, **scale) for o in (ours, theirs)
    )
    for name in before:
        found = estimate(
            signature.task,
            target=target,
            ours=theirs,
            theirs=ours,
            goal=Objective(name=name, direction=direction(name)),
            knobs=Evaluate(),
            **scale,
            dependence=dependence,
        )
        told = f"{name}: {before[name]:.4g} -> {after[name]:.4g}"
        if not found.is_defined:
            yield f"{told} (undefined on these rows)"
            continue
        low, high = found.interval(_LEVEL)
        p = min(1.0, 2 * min(found.p_better(), found.p_worse(0.0)))
        yield f"{told}, gain {found.gain:+.4g} ({low:+.4g} to {high:+.4g}), {found.test}, p {p:.2g}"
