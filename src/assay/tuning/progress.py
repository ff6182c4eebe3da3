"""What a search shows while it runs: one live line on a terminal, one line a trial elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assay.tuning.trial import Result

log = logging.getLogger(__name__)


@contextmanager
def shown(*, objective: str) -> Iterator[Callable[[Result], None]]:
    """Yield what to call with the result so far, after each trial."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Logged(objective=objective)
        return
    columns = (
        TextColumn("search"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console) as progress:
        line = progress.add_task("", total=None)
        yield lambda result: progress.update(
            line,
            total=result.total,
            completed=len(result.trials),
            description=_live(result, objective=objective),
        )


def summary(result: Result, *, objective: str) -> str:
    """Return a line such as ``9 complete, 3 pruned, best log_loss 0.0812 (trial 7)``."""
    parts = [f"{count} {state}" for state, count in counts(result).items() if count]
    if result.best is not None and result.best.value is not None:
        parts.append(f"best {objective} {result.best.value:.5g} (trial {result.best.number})")
    return ", ".join(parts)


def _live(result: Result, *, objective: str) -> str:
    running = f"{result.running} running" if result.running else ""
    return ", ".join(filter(None, (running, summary(result, objective=objective))))


def counts(result: Result) -> dict[str, int]:
    """Return how many trials ended in each state."""
    found = dict.fromkeys(("complete", "pruned", "failed"), 0)
    for trial in result.trials:
        found[trial.state] += 1
    return found


@dataclass(kw_only=True)
class _Logged:
    objective: str
    ended: int = 0

    def __call__(self, result: Result) -> None:
        if len(result.trials) == self.ended:
            return
        self.ended = len(result.trials)
        done = f"search: {self.ended} of {result.total} trials"
        log.info("%s: %s", done, summary(result, objective=self.objective))
        if not result.fresh:
            log.info("search: these trials ended in an earlier start; it goes on from there")
