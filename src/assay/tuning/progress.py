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
            total=result.total + result.again,
            completed=len(result.trials) + result.again_ended,
            description=_live(result, objective=objective),
        )


def summary(result: Result, *, objective: str) -> str:
    """Return a line such as ``9 complete, 3 pruned, best log_loss 0.0812 (trial 7)``.

    Of a trial that was trained again it tells the mean over its seeds and their spread: the first
    score, for which it was chosen, is luck in part.
    """
    parts = [f"{count} {state}" for state, count in counts(result).items() if count]
    parts += [f"{result.again_ended} trained again"] if result.again_ended else []
    best = result.best
    if best is not None and best.value is not None:
        seeds = f" ± {best.spread:.2g} over {1 + len(best.repeats)} seeds" if best.repeats else ""
        parts.append(f"best {objective} {best.mean:.5g}{seeds} (trial {best.number})")
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
    ended: tuple[int, int] = (0, 0)  # trials, and how often any was trained again

    def __call__(self, result: Result) -> None:
        ended = (len(result.trials), result.again_ended)
        if ended == self.ended:
            return
        is_first, self.ended = self.ended == (0, 0), ended
        done = f"search: {ended[0]} of {result.total} trials"
        log.info("%s: %s", done, summary(result, objective=self.objective))
        if is_first and not result.fresh:
            log.info("search: these trials ended in an earlier start; it goes on from there")
