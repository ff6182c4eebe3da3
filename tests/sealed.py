"""Manifests for artifacts that a test wrote by hand, as the stages would have written them."""

from pathlib import Path

from assay.artifacts.manifest import write_manifests

NO_CODE = {"commit": "none", "is_dirty": None}


def seal(*stages: str, root: Path = Path()) -> None:
    """Write the manifests of the stages' present outputs; of all that are there without a name."""
    artifacts = root / "artifacts"
    for folder in sorted(p for p in artifacts.iterdir() if p.is_dir() and p.name[0] != "."):
        if folder.name in (stages or (folder.name,)) and folder.name != "compose":
            write_manifests(folder, stage=folder.name, code=NO_CODE)
    if (artifacts / "config.yaml").is_file() and (not stages or "compose" in stages):
        _seal_config(artifacts)


def _seal_config(artifacts: Path) -> None:
    folder = artifacts / "compose"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_bytes((artifacts / "config.yaml").read_bytes())
    write_manifests(folder, stage="compose", code=NO_CODE)
    (folder / "config.yaml").unlink()
