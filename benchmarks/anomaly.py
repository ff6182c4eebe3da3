"""Each digit held out in turn as the anomaly: areas under the ROC curve, beside PCA and neighbours.

Run: python benchmarks/anomaly.py [--seeds 3] [--split test] [--set model.latent=8]. It takes the
settings of experiments/digits-anomaly.yaml and continues where it was cut off: what was measured
is kept, by settings and code, in the home's folder ``benchmarks``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from assay.artifacts.paths import home
from assay.baselines.detectors import fit_detectors
from assay.config.compose import compose_params
from assay.config.load import build, typed
from assay.data.prepared import Split
from assay.layers.network import Network
from assay.metrics.scores import score
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.fingerprint import code_digest, name_of
from assay.pipeline.fitting.inputs import read_inputs
from assay.split.prepare import prepare
from assay.training.knobs import Training

ROOT = Path(__file__).parents[1]
NAMES = ("model", "neighbours", "pca", "trivial")
ROOMS = ("baselines", "data", "layers", "metrics", "model", "split", "training")


def main() -> None:
    """Measure what has not been measured yet, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--split", choices=["valid", "test"], default="test")
    parser.add_argument("--set", nargs="*", default=[], help="such as model.latent=4")
    options = parser.parse_args()
    results = [
        kept(settings(digit, seed, options.set), digit=digit, seed=seed, split=options.split)
        for digit in range(10)
        for seed in range(options.seeds)
    ]
    show(results, seeds=options.seeds)


def settings(digit: int, seed: int, more: list[str]) -> dict[str, Any]:
    """Return the composed configuration of the experiment with another digit held out."""
    params = yaml.safe_load((ROOT / "experiments/digits-anomaly.yaml").read_text())
    params["set"]["data"]["anomalies"] = [digit]
    params["set"]["seed"] = seed
    for pair in more:
        dotted, value = pair.split("=")
        *parents, last = dotted.split(".")
        node = params["set"]
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = yaml.safe_load(value)
    return dict(compose_params(ROOT / "conf", params, schema=SCHEMA))


def kept(config: Mapping[str, Any], *, digit: int, seed: int, split: str) -> dict[str, float]:
    """Return the areas, measured now or before."""
    facts = {key: config[key] for key in ("data", "model", "training", "seed")}
    facts |= {"split": split, "code": code_digest(ROOMS)}
    place = home() / "benchmarks" / f"anomaly-{name_of(facts, length=16)}.json"
    if not place.is_file():
        found = measured(config, split=split)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(found))
        print(digit, seed, {name: round(area, 4) for name, area in found.items()}, flush=True)
    return {**json.loads(place.read_text()), "digit": digit}


def measured(config: Mapping[str, Any], *, split: str) -> dict[str, float]:
    """Train, and return each detector's area on the rows of a split."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(build(config["data"], where="data"), folder=Path(folder))
        inputs = read_inputs(Path(folder))
        training = typed(Training, config["training"], where="training")
        network = try_candidate(
            inputs, model=build(config["model"]), training=training, seed=config["seed"]
        ).network
        asked = Split(Path(folder) / split)
        pairs = reconstructions(network, asked)
        answers = fit_detectors(
            reconstructions(network, inputs.train)[:, 1],
            chosen=reconstructions(network, inputs.valid)[:, 1],
            labels=np.asarray(inputs.valid.target),
            asked=pairs[:, 1],
            most_rows=50_000,
            false_alarms=0.01,
            seed=0,
            threads=1,
        )
        scores = {name: asdict(answer)["output"] for name, answer in answers.items()}
        scores["model"] = np.square(pairs[:, 0] - pairs[:, 1]).mean(axis=1)
        target = np.asarray(asked.target)
        return {
            name: score("reconstruction", target=target, output=output)["auroc"]
            for name, output in scores.items()
        }


def reconstructions(network: Network, split: Split) -> np.ndarray:
    """Return (rows, 2, features): what came back, and what was given."""
    with torch.inference_mode():
        inputs = {name: torch.from_numpy(array) for name, array in split.whole().items()}
        return np.asarray(network(**inputs).numpy())


def show(results: list[dict[str, float]], *, seeds: int) -> None:
    """Print a line a digit, means over seeds, and the mean over digits with its spread over seeds."""
    print(f"| held out | {' | '.join(NAMES)} |")
    print("|---" * (len(NAMES) + 1) + "|")
    for digit in range(10):
        own = [found for found in results if found["digit"] == digit]
        means = (statistics.fmean(found[name] for found in own) for name in NAMES)
        print(f"| {digit} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    cells = []
    for name in NAMES:
        by_seed = [statistics.fmean(f[name] for f in results[seed::seeds]) for seed in range(seeds)]
        spread = statistics.stdev(by_seed) if seeds > 1 else 0.0
        cells.append(f"{statistics.fmean(by_seed):.4f} ± {spread:.4f}")
    print(f"| mean | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
