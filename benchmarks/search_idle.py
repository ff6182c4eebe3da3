"""How much of their time the workers of a search wait, with trials whose lengths vary tenfold.

Run: ``python benchmarks/search_idle.py [--workers 4] [--trials 200] [--shortest 0.2]``. Trials sleep, from
``shortest`` seconds to ten times as long. Printed is the share of the workers' time, from the first
trial's begin until no trial was left to begin, in which they were at none (at most 5 % is asked
for); the same until the last trial's end; and what batches that wait for their slowest would waste
of the same trials in the same order. Exit status 1 above 5 %.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.space import Interval
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.share import Share
from assay.tuning.study import search
from assay.tuning.trial import Draw, Report, Score, TrialFunction

GOAL = 0.05


@dataclass(frozen=True, kw_only=True)
class Work:
    """Trials that sleep, and note when they began and ended."""

    notes: Path
    shortest: float

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""

        def run(draw: Draw, report: Report) -> Score:
            begin = time.time()
            time.sleep(self.shortest * 10 ** random.Random(draw.number).random())
            with self.notes.open("a") as notes:
                notes.write(f"{draw.number} {begin} {time.time()}\n")
            return Score(value=float(draw.values["x"] or 0))

        yield run


def main() -> None:
    """Print the three shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--shortest", type=float, default=0.2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder, "notes")
        search(
            Work(notes=notes, shortest=arguments.shortest),
            problem=Problem(study="idle", space={"x": Interval(low=0, high=1)}),
            knobs=Search(trials=arguments.trials, workers=arguments.workers, repeats=0),
            storage=Path(folder, "study.db"),
        )
        lines = sorted(tuple(map(float, line.split())) for line in notes.read_text().splitlines())
    idle = report([(begin, end) for _, begin, end in lines], workers=arguments.workers)
    sys.exit(0 if idle <= GOAL else 1)


def report(times: list[tuple[float, float]], *, workers: int) -> float:
    """Print what the times of the trials come to; return the share that is asked about."""
    # Workers that start one after the other are not idle: their imports are paid once.
    begin = sorted(b for b, _ in times)[workers - 1]
    last_begin, end = max(b for b, _ in times), max(e for _, e in times)
    waiting = 1 - busy(times, begin, last_begin) / (workers * (last_begin - begin))
    whole = 1 - busy(times, begin, end) / (workers * (end - begin))
    seconds = [e - b for b, e in times]
    batches = [seconds[i : i + workers] for i in range(0, len(seconds), workers)]
    barrier = 1 - sum(seconds) / sum(workers * max(batch) for batch in batches)
    print(f"{len(times)} trials of {min(seconds):.2f} to {max(seconds):.2f} s, {workers} workers")
    print(
        f"idle while trials were left {waiting:.1%} (goal {GOAL:.0%}), to the very end {whole:.1%}"
    )
    print(f"batches that wait for their slowest: {barrier:.1%}")
    return waiting


def busy(times: list[tuple[float, float]], begin: float, end: float) -> float:
    return sum(max(0.0, min(e, end) - max(b, begin)) for b, e in times)


if __name__ == "__main__":
    main()
