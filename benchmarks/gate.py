"""How often the gate is wrong: equal models that it promotes, gains that it misses, twenty tries.

    python benchmarks/gate.py

Two models of the same quality are drawn 2000 times, on one test split each, for two classes, several,
numbers, forecasts, and rows that depend on each other. The gate promotes at most its level of them,
"better than the champion" about half. Then one of the two is made better, by stated gains, to show
what the gate finds. At last twenty equally good models are tried, one after the other, at one test
split, each against the champion of that moment.
Two cores: some ten minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from assay.data.spec import Task
from assay.gate.compare import Champion, Contest, against_champion
from assay.gate.decide import metric_of
from assay.gate.knobs import Gate
from assay.gate.looks import spent_level
from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import score

KNOBS = Evaluate(resamples=200)
NOISE = 0.6  # of a model's answer about the true one
GAINS = (0.1, 0.2, 0.3)  # of that noise, taken away
CLASSES = 5
HORIZON = 8
GROUP_ROWS = 15
MEMORY = 0.7  # what is left of an error one step later


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What is true, and what two models say of it."""

    target: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray
    dependence: Dependence = ONE_BY_ONE


Draw = Callable[[np.random.Generator, int, float, float], Pair]
"""From randomness, rows and the noise of either model."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of prediction, and the metrics on which two models meet."""

    name: str
    task: Task
    metrics: tuple[str, ...]
    draw: Draw
    naive: tuple[float, ...] = field(default=())


def softmax(logit: np.ndarray) -> np.ndarray:
    raised = np.exp(logit - logit.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def lasting(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal errors of variance 1 along the first axis, each a little like the one before."""
    fresh = rng.normal(size=shape)
    found = np.empty(shape)
    found[0] = fresh[0]
    for step in range(1, len(fresh)):
        found[step] = MEMORY * found[step - 1] + np.sqrt(1 - MEMORY**2) * fresh[step]
    return found


def classes(
    rng: np.random.Generator, rows: int, ours: float, theirs: float, *, number: int
) -> Pair:
    logit = np.zeros((rows, number))
    logit[:, 1:] = rng.normal(scale=2, size=(rows, number - 1))
    target = (softmax(logit).cumsum(1) < rng.random((rows, 1))).sum(1).clip(max=number - 1)
    said = [softmax(logit + rng.normal(scale=n, size=logit.shape)) for n in (ours, theirs)]
    return Pair(target=target, ours=said[0], theirs=said[1])


def numbers(rng: np.random.Generator, rows: int, ours: float, theirs: float) -> Pair:
    """Targets with heavy tails: Student's t with 5 degrees of freedom."""
    known = rng.normal(size=rows)
    target = known + 0.5 * rng.standard_t(5, size=rows)
    said = [known + rng.normal(scale=n, size=rows) for n in (ours, theirs)]
    return Pair(target=target, ours=said[0], theirs=said[1])


def forecasts(rng: np.random.Generator, rows: int, ours: float, theirs: float) -> Pair:
    """Windows that share targets, and errors that last."""
    steps = np.arange(rows)[:, None] + np.arange(HORIZON)
    known = lasting(rng, (rows + HORIZON,))
    target = (known + 0.5 * rng.normal(size=known.shape))[steps][:, :, None]
    said = [
        (known + noise * lasting(rng, known.shape))[steps][:, :, None] for noise in (ours, theirs)
    ]
    return Pair(target=target, ours=said[0], theirs=said[1], dependence=in_time(rows))


def by_group(rng: np.random.Generator, rows: int, ours: float, theirs: float) -> Pair:
    """Each model errs in the same way on all rows of a group, and a little on each row."""
    code = np.arange(rows) // GROUP_ROWS
    logit = rng.normal(scale=2, size=rows)
    target = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    said = []
    for noise in (ours, theirs):
        error = rng.normal(size=code.max() + 1)[code] + rng.normal(size=rows)
        said.append(softmax(np.stack([np.zeros(rows), logit + noise * error], axis=1)))
    return Pair(
        target=target,
        ours=said[0],
        theirs=said[1],
        dependence=Dependence(way="group", code=code),
    )


def over_time(rng: np.random.Generator, rows: int, ours: float, theirs: float) -> Pair:
    """Rows in the order of time; what a model gets wrong it gets wrong for a while."""
    logit = rng.normal(scale=2, size=rows)
    target = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    said = [
        softmax(np.stack([np.zeros(rows), logit + noise * lasting(rng, (rows,))], axis=1))
        for noise in (ours, theirs)
    ]
    return Pair(target=target, ours=said[0], theirs=said[1], dependence=in_time(rows))


def in_time(rows: int) -> Dependence:
    return Dependence(way="time", code=np.arange(rows))


KINDS = (
    Kind(
        name="two classes",
        task="classification",
        metrics=("accuracy", "roc_auc", "log_loss"),
        draw=partial(classes, number=2),
    ),
    Kind(
        name="five classes",
        task="classification",
        metrics=("accuracy", "f1", "roc_auc", "log_loss"),
        draw=partial(classes, number=CLASSES),
    ),
    Kind(name="numbers", task="regression", metrics=("rmse", "mae"), draw=numbers),
    Kind(
        name="forecasts",
        task="forecasting",
        metrics=("mase", "rmse"),
        draw=forecasts,
        naive=(1.0,),
    ),
    Kind(
        name="rows by group",
        task="classification",
        metrics=("accuracy", "log_loss"),
        draw=by_group,
    ),
    Kind(
        name="rows over time",
        task="classification",
        metrics=("accuracy", "log_loss"),
        draw=over_time,
    ),
)


def is_promoted(kind: Kind, pair: Pair, *, metric: str, looks: int = 1) -> bool:
    gate = Gate(metric=metric)
    contest = Contest(
        task=kind.task,
        target=pair.target,
        ours=pair.ours,
        champion=Champion(version="1", output=pair.theirs),
        goal=metric_of(gate, task=kind.task),
        looks=looks,
        slices={},
        knobs=KNOBS,
        naive=kind.naive,
        dependence=pair.dependence,
    )
    return all(condition.passed for condition in against_champion(gate, contest))


def scores(kind: Kind, pair: Pair) -> tuple[dict[str, float], dict[str, float]]:
    first, second = (
        score(kind.task, target=pair.target, output=output, naive=kind.naive)
        for output in (pair.ours, pair.theirs)
    )
    return first, second


def is_above(kind: Kind, pair: Pair) -> list[bool]:
    first, second = scores(kind, pair)
    return [
        metric_of(Gate(metric=m), task=kind.task).is_better(first[m], second[m])
        for m in kind.metrics
    ]


def shares(kind: Kind, *, pairs: int, rows: int, gain: float, seed: int = 0) -> np.ndarray:
    """How often the gate, and the naive rule, promote a model that is better by ``gain``.

    Shape (2, metrics).
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((2, len(kind.metrics)))
    for _ in range(pairs):
        pair = kind.draw(rng, rows, NOISE - gain, NOISE)
        total[0] += [is_promoted(kind, pair, metric=metric) for metric in kind.metrics]
        total[1] += is_above(kind, pair)
    return total / pairs


def gains(kind: Kind, *, gain: float, rows: int = 100_000) -> list[float]:
    """By how much a model of less noise is better, in each metric's unit."""
    pair = kind.draw(np.random.default_rng(2), rows, NOISE - gain, NOISE)
    better, same = scores(kind, pair)
    return [better[metric] - same[metric] for metric in kind.metrics]


def twenty(metric: str, *, splits: int, rows: int) -> tuple[float, float]:
    """How often twenty tries make a new champion: with looks counted, and without."""
    rng = np.random.default_rng(1)
    kind = KINDS[0]
    counted = forgotten = 0
    for _ in range(splits):
        logit = np.stack([np.zeros(rows), rng.normal(scale=2, size=rows)], axis=1)
        target = (rng.random(rows) < softmax(logit)[:, 1]).astype(int)
        first, *tries = (
            softmax(logit + rng.normal(scale=NOISE, size=logit.shape)) for _ in range(21)
        )
        found = [
            [
                is_promoted(
                    kind,
                    Pair(target=target, ours=ours, theirs=first),
                    metric=metric,
                    looks=looks,
                )
                for looks in (place + 2, 1)
            ]
            for place, ours in enumerate(tries)
        ]
        counted += any(wins for wins, _ in found)
        forgotten += any(wins for _, wins in found)
    return counted / splits, forgotten / splits


def told_of_equals(number: int, *, pairs: int, rows: int) -> list[str]:
    kind = KINDS[number]
    gate, naive = shares(kind, pairs=pairs, rows=rows, gain=0.0)
    return [
        f"  {kind.name:14} {metric:9} gate {promoted:6.2%} (+- {error(promoted, pairs):.2%})   "
        f"'better than the champion' {above:6.1%}"
        for metric, promoted, above in zip(kind.metrics, gate, naive, strict=True)
    ]


def told_of_gains(number: int, *, pairs: int, rows: int) -> list[str]:
    kind = KINDS[number]
    lines = []
    for gain in GAINS:
        found, _ = shares(kind, pairs=pairs, rows=rows, gain=gain, seed=3)
        parts = [
            f"{metric} {better:+.4f}: {power:.0%}"
            for metric, better, power in zip(
                kind.metrics, gains(kind, gain=gain), found, strict=True
            )
        ]
        lines.append(f"  {kind.name:14} {', '.join(parts)}")
    return lines


def told_of_tries(number: int, *, splits: int, rows: int) -> list[str]:
    metric = KINDS[0].metrics[number]
    counted, forgotten = twenty(metric, splits=splits, rows=rows)
    return [
        f"  {metric:9} a new champion in {counted:6.1%}; if looks were not counted {forgotten:6.1%}"
    ]


def error(share: float, pairs: int) -> float:
    return float(np.sqrt(max(share, 1 / pairs) * (1 - share) / pairs))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    every = range(len(KINDS))
    level = Gate().level
    with ProcessPoolExecutor(asked.jobs) as pool:

        def each(tell: Callable[..., list[str]], over: range, **knobs: int) -> Iterator[str]:
            for lines in pool.map(partial(tell, **knobs), over):
                yield from lines

        print(f"{asked.pairs} pairs of equally good models on {asked.rows} rows, level {level:g}")
        print(f"(of which the first look at a split spends {spent_level(level, looks=1):g})")
        for line in each(told_of_equals, every, pairs=asked.pairs, rows=asked.rows):
            print(line, flush=True)
        print("power on 1000 rows, of a model nearer to the truth, at the first look")
        for line in each(told_of_gains, every, pairs=asked.pairs // 10, rows=1000):
            print(line, flush=True)
        print(f"twenty equally good models tried at one of {asked.splits} test splits")
        for line in each(told_of_tries, range(3), splits=asked.splits, rows=asked.rows):
            print(line, flush=True)


if __name__ == "__main__":
    main()
