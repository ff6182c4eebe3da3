"""Time the default pipeline from nothing, and a pipeline with nothing to do beside ``dvc status``.

Run: python benchmarks/repro.py [--repeat 5]. Works in a fresh clone of HEAD in a temporary folder.
Work is the time inside the stages' MLflow runs (compose, which has none, counts as overhead);
overhead is all else: imports, DVC, configuration, starting processes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlflow

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repeat", type=int, default=5, help="how often the quick commands are timed"
    )
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        wall = seconds(clone, "dvc", "repro", "--quiet")
        work = stage_seconds(clone)
        for stage, spent in work.items():
            print(f"{stage:10} {spent:7.1f} s")
        total = sum(work.values())
        print(f"{'work':10} {total:7.1f} s")
        print(f"{'overhead':10} {wall - total:7.1f} s   imports, DVC, processes")
        print(f"{'wall':10} {wall:7.1f} s   to reach: 240")
        compare(clone, repeat)


def seconds(clone: Path, *command: str) -> float:
    """Return the wall time of a command in the clone."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    started = time.perf_counter()
    subprocess.run(command, cwd=clone, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def stage_seconds(clone: Path) -> dict[str, float]:
    """Return the duration of each stage's MLflow run."""
    client = mlflow.MlflowClient(f"sqlite:///{clone}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("assay")
    runs = client.search_runs([experiment.experiment_id], "tags.stage != ''")
    return {
        r.data.tags["stage"]: (r.info.end_time - r.info.start_time) / 1000 for r in reversed(runs)
    }


def compare(clone: Path, repeat: int) -> None:
    """Print medians of a pipeline with nothing to do and of ``dvc status``, taken in turns."""
    pairs = [
        (seconds(clone, "dvc", "repro", "--quiet"), seconds(clone, "dvc", "status", "--quiet"))
        for _ in range(repeat)
    ]
    repro, status = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"nothing to do: dvc repro {repro:.2f} s, dvc status {status:.2f} s, ratio {repro / status:.2f}"
    )


if __name__ == "__main__":
    main()
