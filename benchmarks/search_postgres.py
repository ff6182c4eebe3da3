"""Many workers on one PostgreSQL server: no trial lost or run twice, and how many they do in a second.

Run: ``PYTHONPATH=. python benchmarks/search_postgres.py [--workers 16] [--trials 1000] [--seconds 0.1]``.
A server is started for it, unless ``--url`` names one. A trial only sleeps. Exit status 1 where not
every trial has ended once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import optuna
from tests.tuning.postgres import programs, server

from assay.space import Interval
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.share import Share
from assay.tuning.study import search
from assay.tuning.trial import Draw, Report, Score, TrialFunction


@dataclass(frozen=True, kw_only=True)
class Work:
    """Trials that sleep; each worker notes in a file of its own which it was given, and when."""

    folder: Path
    seconds: float

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""
        with Path(self.folder, f"worker-{share.index}").open("a") as notes:

            def run(draw: Draw, report: Report) -> Score:
                print(draw.number, time.time(), file=notes, flush=True)
                time.sleep(self.seconds)
                return Score(value=float(draw.values["x"] or 0))

            yield run


def main() -> None:
    """Print the throughput and what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    installed = programs()
    if arguments.url is None and installed is None:
        sys.exit("no PostgreSQL server is installed: apt-get install postgresql, or give --url")
    with (
        tempfile.TemporaryDirectory() as folder,
        nullcontext(arguments.url) if arguments.url else server(installed) as url,
    ):
        work = Work(folder=Path(folder), seconds=arguments.seconds)
        begun, name = time.time(), f"benchmark {time.time():.0f}"
        search(
            work,
            problem=Problem(study=name, space={"x": Interval(low=0, high=1)}),
            knobs=Search(
                trials=arguments.trials,
                workers=arguments.workers,
                sampler="random",
                pruner="none",
                repeats=0,
            ),
            storage=url,
        )
        lines = [line.split() for file in Path(folder).iterdir() for line in file.open()]
        states = Counter(
            t.state.name for t in optuna.load_study(study_name=name, storage=url).trials
        )
    given = Counter(int(number) for number, _ in lines)
    seconds = time.time() - min(float(at) for _, at in lines)
    print(f"{arguments.trials} trials of {arguments.seconds} s on {arguments.workers} workers")
    print(f"{len(lines) / seconds:.1f} trials a second once they were at work; ", end="")
    print(f"{time.time() - begun:.0f} s in all")
    is_whole = set(given) == set(range(arguments.trials)) and set(given.values()) == {1}
    is_ended = states == {"COMPLETE": arguments.trials}
    print(f"each trial was begun once: {is_whole}; states in the study: {dict(states)}")
    sys.exit(0 if is_whole and is_ended else 1)


if __name__ == "__main__":
    main()
