"""What the engine costs a trial outside of training: ask, draw, report, tell, and tracking in MLflow.

Run: ``python benchmarks/search_overhead.py [--trials 100] [--epochs 5]``. One worker, SQLite for the study
and for MLflow, the tree-structured sampler over four dimensions; a trial logs and reports
so many epochs and does nothing else. Printed are milliseconds a trial, of the clock and of the
processor (which says more on a busy machine), with tracking and without. Exit status 1 above 60 ms.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.space import Choice, Interval
from assay.tracking.resume import child_run
from assay.tracking.run import Tracked, stage_run
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.share import Share
from assay.tuning.study import search
from assay.tuning.trial import Draw, Pruned, Report, Score, TrialFunction

GOAL = 60.0
SPACE = {
    "training.lr": Interval(low=1e-4, high=1e-1, is_log=True),
    "training.optimizer": Choice(values=("adamw", "sgd")),
    "model.width": Interval(low=8, high=64, is_integer=True),
    "model.dropout": Interval(low=0.0, high=0.5),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """Trials that only report, in tracked runs where there is a run above them."""

    epochs: int
    above: Tracked | None

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""
        yield self._run

    def _run(self, draw: Draw, report: Report) -> Score:
        value = float(draw.values["model.dropout"] or 0)
        if self.above is None:
            return self._reported(value, report, None)
        key = f"overhead {draw.number} 0"
        with child_run(self.above, f"trial {draw.number}", key=key, pruned_by=(Pruned,)) as child:
            child.log_params({**draw.values, "seed": draw.seed})
            child.set_tags({"overrides": " ".join(f"{k}={v}" for k, v in draw.values.items())})
            return self._reported(value, report, child)

    def _reported(self, value: float, report: Report, child: Tracked | None) -> Score:
        for epoch in range(1, self.epochs + 1):
            if child is not None:
                row = {f"{split}_{name}": value for split in ("train", "valid") for name in "abcd"}
                child.log_metrics(row, step=epoch)
            report(epoch, value + 1 / epoch)
        return Score(value=value)


def main() -> None:
    """Print a row with tracking, and one without."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSAY_HOME"] = folder
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        with stage_run("search", folder=Path(folder)) as tracked:
            print(f"{arguments.trials} trials of {arguments.epochs} epochs, milliseconds a trial")
            bare = measured(Work(epochs=arguments.epochs, above=None), "bare", folder, arguments)
            work = Work(epochs=arguments.epochs, above=tracked)
            whole = measured(work, "tracked", folder, arguments)
    for name, (clock, processor) in (("study", bare), ("study and tracking", whole)):
        print(f"{name:<20}{clock:>7.1f} clock {processor:>7.1f} processor")
    sys.exit(0 if min(whole) <= GOAL else 1)


def measured(
    work: Work, name: str, folder: str, arguments: argparse.Namespace
) -> tuple[float, float]:
    """Return milliseconds a trial: of the clock, and of the processor."""
    clock, processor = time.monotonic(), time.process_time()
    search(
        work,
        problem=Problem(study=name, space=SPACE),
        knobs=Search(trials=arguments.trials, repeats=0),
        storage=Path(folder, "study.db"),
    )
    ended = time.monotonic() - clock, time.process_time() - processor
    return 1000 * ended[0] / arguments.trials, 1000 * ended[1] / arguments.trials


if __name__ == "__main__":
    main()
