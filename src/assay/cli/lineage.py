"""``assay lineage``: the chain from the raw data to the alias of a registered version."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from assay.artifacts.files import read_yaml
from assay.tracking.registry import Version, address, aliases_of, fetch, resolve

_MISSING = "not recorded"
_STAGES = ("compose", "prepare", "search", "train", "export", "evaluate", "explain")


@click.command()
@click.argument("model", metavar="MODEL")
def command(model: str) -> None:
    """Print what MODEL (models:/NAME@champion, models:/NAME/VERSION or NAME) came from, link by link."""
    version = resolve(address(model))
    with tempfile.TemporaryDirectory() as scratch:
        origin = fetch(version, Path(scratch)) / "origin"
        for what, found in _chain(version, origin):
            click.echo(f"{what:<18} {found}")


def _chain(version: Version, origin: Path) -> Iterator[tuple[str, str]]:
    tags = version.tags
    yield "raw data", f"{tags.get('data', '')} {tags.get('data_digest', _MISSING)}"
    yield from (("built on", found) for found in _builds_on(origin / "effective.yaml"))
    yield "configuration", tags.get("config_digest", _MISSING)
    yield "code", _code(version, origin)
    for stage, outputs in _recorded(origin / "dvc.lock"):
        yield f"stage {stage}", outputs
    yield "test split", tags.get("test_digest", _MISSING)
    yield "looks at it", tags.get("test_looks", _MISSING)
    yield "graph", tags.get("graph_digest", _MISSING)
    yield "version", f"{version.uri}, files {tags.get('manifest_digest', _MISSING)}"
    yield "verdict", tags.get("verdict", _MISSING)
    for key in ("promoted_because", "promoted_by", "promoted_gate", "rolled_back_because"):
        if key in tags:
            yield key.replace("_", " "), tags[key]
    yield "alias", ", ".join(f"@{name}" for name in aliases_of(version)) or "none"


def _builds_on(effective: Path) -> Iterator[str]:
    """Yield what was pinned beside the data: a trunk, members, a generator; each with its digest."""
    found = read_yaml(effective) if effective.is_file() else {}
    model = found.get("model", {})
    samples = found.get("training", {}).get("augmentation", {}).get("samples", {})
    for node in (model, samples):
        if node.get("source"):
            yield f"{node['source']} {node.get('digest')}"
    yield from (f"{version} {digest}" for version, digest in (model.get("pins") or {}).items())


def _code(version: Version, origin: Path) -> str:
    commit, patch = version.tags.get("git_commit", "none"), origin / "changes.diff"
    if commit == "none":
        return "no git repository: the code is not recorded"
    if not patch.is_file():
        return f"commit {commit}, its difference is {_MISSING}"
    lines = len(patch.read_text(encoding="utf-8", errors="replace").splitlines())
    return f"commit {commit}" + (f" and a difference of {lines} lines" if lines else "")


def _recorded(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield each stage that DVC had recorded, and the MD5 of what it wrote."""
    stages = (read_yaml(lock) or {}).get("stages", {}) if lock.is_file() else {}
    for stage in _STAGES:
        outs = stages.get(stage, {}).get("outs", []) if isinstance(stages, dict) else []
        told = [f"{Path(o['path']).name} {o['md5'][:12]}" for o in outs if _is_kept(o["path"])]
        yield stage, ", ".join(told) or _MISSING


def _is_kept(path: str) -> bool:
    return Path(path).name not in ("run.json", "manifest")
