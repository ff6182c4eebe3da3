"""Applications of Hydra as users write them, and how a test starts one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.global_hydra import GlobalHydra

from assay.tuning.current import report

CONF = """
defaults:
  - _self_
  - override hydra/sweeper: assay
hydra:
  sweeper: {sampler: {seed: 123}, direction: minimize, study_name: sphere, storage: null, n_trials: 5, n_jobs: 1}
x: 1
y: 1
z: 0
"""
SPACE = {"x": "range(-5.5, 5.5, step=0.5)", "y": "choice(-5, 0, 5)"}


def sphere(cfg: Any) -> float:
    """Return a number to be minimised."""
    return float(cfg.x**2 + cfg.y**2 + cfg.z)


def two(cfg: Any) -> tuple[float, float]:
    """Return two objectives that pull apart."""
    return cfg.x**2, (cfg.x - 1) ** 2


def layered(cfg: Any) -> float:
    """Return a number that lists and keys with values decide, as such."""
    return 0.0 if isinstance(cfg.layers, int) else -float(len(cfg.layers))


def broken(cfg: Any) -> float:
    """Fail for what lies right of zero."""
    if cfg.x > 0:
        raise RuntimeError("x is positive")
    return float(cfg.x)


def reporting(cfg: Any) -> float:
    """Report each step, as a training does."""
    for step in range(4):
        report(step, float(cfg.x))
    return float(cfg.x)


def extended(cfg: Any, trial: Any) -> None:
    """Suggest y in the neighbourhood of x, and a key that the configuration does not have."""
    trial.suggest_float("y", trial.params["x"] - 1, trial.params["x"] + 1)
    trial.suggest_int("+w", 0, 3)


def start(task: Any, folder: Path, *words: str, params: Any = None, conf: str = CONF) -> Path:
    """Run an application's sweep in this process; return the folder that it names."""
    whole = yaml.safe_load(conf)
    whole["hydra"]["sweeper"]["params"] = SPACE if params is None else params
    place = folder / "conf"
    place.mkdir(exist_ok=True)
    (place / "app.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    given = [w for w in words if w.startswith("hydra.sweep.dir=")]
    own = [] if given else [f"hydra.sweep.dir={folder}/sweep"]
    before = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["app", "-m", *words, *own], "1"
    GlobalHydra.instance().clear()
    try:
        hydra.main(config_path=str(place), config_name="app")(task)()
    finally:
        sys.argv = before[0]
        os.environ.pop("HYDRA_FULL_ERROR")
        GlobalHydra.instance().clear()
    return Path(given[0].partition("=")[2]) if given else folder / "sweep"


def trials(folder: Path) -> list[dict[str, Any]]:
    """Return what each job of a sweep was given, in the order of their numbers."""
    jobs = sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    assert [int(p.name) for p in jobs] == list(range(len(jobs)))
    lines = [yaml.safe_load((job / ".hydra" / "overrides.yaml").read_text()) for job in jobs]
    return [dict(_pair(line) for line in job) for job in lines]


def _pair(line: str) -> tuple[str, Any]:
    key, _, value = line.partition("=")
    return key, yaml.safe_load(value)


def results(folder: Path) -> dict[str, Any]:
    """Return what the sweep wrote down."""
    found: dict[str, Any] = yaml.safe_load((folder / "optimization_results.yaml").read_text())
    return found
