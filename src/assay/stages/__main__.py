"""Run one stage of the pipeline: ``python -m assay.stages train``."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import assay
from assay.artifacts.manifest import artifact
from assay.artifacts.paths import project_root
from assay.artifacts.process import end_with_parent
from assay.config.load import load
from assay.errors import ArtifactError, ConfigError, exit_plainly, nearest
from assay.secrets import mask_logs


def main(arguments: list[str]) -> None:
    """Run the stage that the one argument names, on the code of its own checkout."""
    name = arguments[0] if len(arguments) == 1 else ""
    with exit_plainly(name or "assay.stages"):
        end_with_parent()
        _show_progress()
        stage = _stage(name)
        _require_own_code()
        stage.run(_params(stage, name))


def _params(stage: Any, name: str) -> Any:
    if name == "compose":
        return stage.Params()
    return load(stage.Params, artifact("compose", "config.yaml"))


def _show_progress() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("assay").setLevel(logging.INFO)
    mask_logs()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _stage(name: str) -> Any:
    folder = Path(__file__).parent
    names = [p.stem for p in folder.glob("[a-z]*.py")]
    if name not in names:
        raise ConfigError([f"'{name}' is no stage{nearest(name, names)}"])
    return importlib.import_module(f"assay.stages.{name}")


def _require_own_code() -> None:
    root, used = project_root(), Path(assay.__file__).resolve()
    if root not in used.parents:
        raise ArtifactError(
            f"this checkout is {root}, but 'assay' was imported from {used.parent}: "
            "run stages as dvc.yaml does, with PYTHONPATH=src"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
