"""Eight processes that start at once on an empty folder, round after round.

Run: ``python -m tests.tracking.eight FOLDER ROUNDS``. Prints for each round how many runs, stages
and parent rows the store has: 8, 8 and 1 where nothing was lost and nothing made twice.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from assay.tracking import invocation
from assay.tracking.explore import explore_run
from assay.tracking.find import latest
from assay.tracking.run import stage_run
from assay.tracking.store import open_store

CONTEXT = multiprocessing.get_context("fork")
PROCESSES = 8


def main(folder: Path, rounds: int) -> None:
    """Play the rounds; the processes are forked, so that all of them begin at one moment."""
    make = invocation._make

    def make_slowly(*words: Any) -> invocation.Invocation:
        time.sleep(0.5)  # the others come while the row is being made
        return make(*words)

    invocation.invocation_key = lambda: "host:one:1.00"
    invocation._make = make_slowly
    for number in range(rounds):
        place = folder.resolve() / f"round-{number}"
        place.mkdir(parents=True)
        os.chdir(place)
        os.environ["ASSAY_HOME"] = "home"
        gate = CONTEXT.Barrier(PROCESSES, timeout=60)
        play(work, *((i, gate) for i in range(PROCESSES)))
        play(count, ())


def play(target: Callable[..., None], *arguments: tuple[Any, ...]) -> None:
    """Run a function in one process for each of its arguments; all must succeed."""
    jobs = [CONTEXT.Process(target=target, args=words) for words in arguments]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    if any(job.exitcode for job in jobs):
        sys.exit(f"exit statuses: {[job.exitcode for job in jobs]}")


def work(number: int, gate: Barrier) -> None:
    gate.wait()
    open_store()
    gate.wait()
    folder = Path("artifacts/prepare", str(number))
    folder.mkdir(parents=True)
    with stage_run("prepare", folder=folder):
        pass
    with explore_run(name=f"job {number}", parent=None, config={"seed": number}) as tracked:
        tracked.log_metrics({"loss": number})


def count() -> None:
    kinds = ("run", "stage", "pipeline")
    print("round", *[len(latest(kind=kind, count=50)) for kind in kinds], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
