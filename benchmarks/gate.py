"""How often the gate is wrong: equal models that it promotes, gains that it misses, twenty tries.

    python benchmarks/gate.py

Two models of the same quality are drawn 2000 times, on one test split each. The gate promotes at
most its level of them, "better than the champion" about half. Then one of the two is made better,
by stated gains, to show what the gate finds. At last twenty equally good models are tried, one
after the other, at one test split, each against the champion of that moment.
Two cores: some five minutes.
"""

from __future__ import annotations

import argparse

import numpy as np

from assay.gate.compare import Champion, Contest, against_champion
from assay.gate.decide import metric_of
from assay.gate.knobs import Gate
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import score

METRICS = ("accuracy", "roc_auc", "log_loss")
KNOBS = Evaluate(resamples=300)
NOISE = 0.6  # of a model's logit about the true one
GAINS = (0.1, 0.2, 0.3, 0.4)  # of that noise, taken away


def model(rng: np.random.Generator, logit: np.ndarray, noise: float) -> np.ndarray:
    said = 1 / (1 + np.exp(-(logit + rng.normal(scale=noise, size=len(logit)))))
    return np.stack([1 - said, said], axis=1)


def split(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    logit = rng.normal(scale=2, size=rows)
    return logit, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)


def contest(target, ours, theirs, *, metric: str, looks: int) -> Contest:
    return Contest(
        task="classification",
        target=target,
        ours=ours,
        champion=Champion(version="1", output=theirs),
        goal=metric_of(Gate(metric=metric), task="classification"),
        looks=looks,
        slices={},
        knobs=KNOBS,
    )


def is_promoted(target, ours, theirs, *, metric: str, looks: int = 1) -> bool:
    gate = Gate(metric=metric)
    conditions = against_champion(gate, contest(target, ours, theirs, metric=metric, looks=looks))
    return all(condition.passed for condition in conditions)


def is_above(target, ours, theirs, *, metric: str) -> bool:
    first, second = (score("classification", target=target, output=o) for o in (ours, theirs))
    return metric_of(Gate(metric=metric), task="classification").is_better(
        first[metric], second[metric]
    )


def shares(metric: str, *, pairs: int, rows: int, gain: float) -> tuple[float, float]:
    """Return how often the gate, and the naive rule, promote a model that is better by ``gain``."""
    rng = np.random.default_rng(0)
    by_gate = by_value = 0
    for _ in range(pairs):
        logit, target = split(rng, rows)
        ours, theirs = model(rng, logit, NOISE - gain), model(rng, logit, NOISE)
        by_gate += is_promoted(target, ours, theirs, metric=metric)
        by_value += is_above(target, ours, theirs, metric=metric)
    return by_gate / pairs, by_value / pairs


def twenty(metric: str, *, splits: int, rows: int) -> tuple[float, float]:
    """Return how often twenty tries make a new champion: with looks counted, and without."""
    rng = np.random.default_rng(1)
    counted = forgotten = 0
    for _ in range(splits):
        logit, target = split(rng, rows)
        first = model(rng, logit, NOISE)
        tries = [model(rng, logit, NOISE) for _ in range(20)]
        found = [
            [is_promoted(target, ours, first, metric=metric, looks=k) for k in (place + 2, 1)]
            for place, ours in enumerate(tries)
        ]
        counted += any(wins for wins, _ in found)
        forgotten += any(wins for _, wins in found)
    return counted / splits, forgotten / splits


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--splits", type=int, default=200)
    asked = parser.parse_args()
    print(f"{asked.pairs} pairs of equally good models on {asked.rows} rows, level {Gate().level}")
    for metric in METRICS:
        ours, naive = shares(metric, pairs=asked.pairs, rows=asked.rows, gain=0.0)
        print(f"  {metric:9} gate promotes {ours:6.1%}   'better than the champion' {naive:6.1%}")
    print("power, of a model whose logit is nearer to the truth, at the first look")
    for gain in GAINS:
        logit, target = split(np.random.default_rng(2), 200_000)
        better, same = (
            score("classification", target=target, output=model(np.random.default_rng(3), logit, n))
            for n in (NOISE - gain, NOISE)
        )
        told = [
            f"{m} {better[m] - same[m]:+.4f}: {shares(m, pairs=asked.pairs // 10, rows=2000, gain=gain)[0]:.0%}"
            for m in METRICS
        ]
        print("  2000 rows,", ", ".join(told))
    print(f"twenty equally good models tried at one of {asked.splits} test splits")
    for metric in METRICS:
        counted, forgotten = twenty(metric, splits=asked.splits, rows=asked.rows)
        print(
            f"  {metric:9} a new champion in {counted:6.1%}; if looks were not counted {forgotten:6.1%}"
        )


if __name__ == "__main__":
    main()
