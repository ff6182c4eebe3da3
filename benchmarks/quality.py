"""Test accuracy of the built-in experiments over seeds, and whether a seed gives the same weights.

Run: python benchmarks/quality.py [--seeds 3]. Each is the real ``dvc repro`` in a fresh clone of
HEAD, with the experiment's own settings; a seed changes training and search, never the split.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
WANTED = {
    "digits-cnn": ("accuracy", 0.98),
    "mnist-cnn": ("accuracy", 0.97),
    "cancer-mlp": ("accuracy", 0.95),
    "diabetes-mlp": ("r2", 0.40),
}


def main() -> None:
    """Print a row for each experiment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for name, (metric, wanted) in WANTED.items():
            values = [reached(clone, name, seed, metric) for seed in range(seeds)]
            shown = ", ".join(f"{value:.4f}" for value in values)
            mean = statistics.fmean(values)
            print(
                f"{name:14} {metric:9} {shown}   mean {mean:.4f}, to reach {wanted:.2f}", flush=True
            )
        print(f"same seed, same weights: {is_repeatable(clone)}")


def reached(clone: Path, name: str, seed: int, metric: str) -> float:
    """Run an experiment with a seed; return the metric on the test split."""
    params = yaml.safe_load((ROOT / "experiments" / f"{name}.yaml").read_text())
    params["set"] = {**params["set"], "seed": seed}
    (clone / "params.yaml").write_text(yaml.safe_dump(params))
    run(clone, "dvc", "repro", "--quiet", "evaluate")
    metrics = json.loads((clone / "artifacts/evaluate/metrics.json").read_text())
    return float(metrics[metric]["value"])


def is_repeatable(clone: Path) -> bool:
    """Train the last experiment again; say whether the weights are the same, bit for bit."""
    weights = clone / "artifacts/train/weights.safetensors"
    before = hashlib.sha256(weights.read_bytes()).hexdigest()
    run(clone, "dvc", "repro", "--quiet", "--force", "--single-item", "train")
    return hashlib.sha256(weights.read_bytes()).hexdigest() == before


def run(clone: Path, *command: str) -> None:
    """Run a command in the clone with the environment's programs."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        command,
        cwd=clone,
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
