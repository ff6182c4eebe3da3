"""The table at the end of a sweep: its jobs by their objective, best first."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from assay.errors import TrackingError
from assay.tracking.find import Found, children, find_run
from assay.tracking.tracked import Tracked

OBJECTIVE = "objective"
_BEST = "best_valid_"
_SHOWN = ("accuracy", "f1", "roc_auc", "rmse", "r2")


def leaderboard(sweep: Tracked) -> None:
    """Show what the sweep's jobs reached, and note the best on the sweep's run."""
    ranked = best_first(find_run(sweep.run_id))
    if not ranked:
        return
    goal = ranked[0].tags.get(OBJECTIVE, OBJECTIVE)
    Console().print(_table(ranked, goal))
    click.echo(f"keep the best: assay use sweep:{sweep.run_id[:8]}")
    sweep.log_metrics({OBJECTIVE: ranked[0].metrics[OBJECTIVE]})
    sweep.set_tags({"best_run": ranked[0].run_id, "best_job": ranked[0].name})


def best_first(sweep: Found) -> list[Found]:
    """Return the jobs of a sweep that reached an objective, best first."""
    ranked = children(sweep, objective=OBJECTIVE, direction="minimize")
    done = [run for run in ranked if OBJECTIVE in run.metrics]
    is_reversed = bool(done) and done[0].tags.get("direction") == "maximize"
    return done[::-1] if is_reversed else done


def best_job(sweep: Found) -> Found:
    """Return the best job of a sweep; TrackingError where none reached an objective."""
    ranked = best_first(sweep)
    if not ranked:
        raise TrackingError(f"no job of {sweep.name} ({sweep.run_id[:8]}) reached an objective")
    return ranked[0]


def _table(ranked: Sequence[Found], goal: str) -> Table:
    shared = _shared_words(ranked)
    title = f"validation {goal}, best first{f'; all with {shared}' if shared else ''}"
    table = Table(title=title, title_justify="left")
    others = [name for name in _SHOWN if name != goal]
    shown = [name for name in others if all(f"{_BEST}{name}" in run.metrics for run in ranked)]
    for header in ("job", goal, *shown, "seconds", "run"):
        is_word = header in ("job", "run")
        table.add_column(header, justify="left" if is_word else "right", overflow="fold")
    for run in ranked:
        keys = (OBJECTIVE, *(f"{_BEST}{name}" for name in shown))
        scores = [f"{run.metrics[key]:.4g}" for key in keys]
        seconds = f"{run.metrics.get('fit_seconds', float('nan')):.1f}"
        table.add_row(_without(run.name, shared), *scores, seconds, run.run_id[:8])
    return table


def _shared_words(ranked: Sequence[Found]) -> str:
    """Return what all jobs were given, where there is more than one: a narrow table has no room."""
    first, *rest = (run.name.split() for run in ranked)
    return " ".join(word for word in first if rest and all(word in other for other in rest))


def _without(name: str, shared: str) -> str:
    return " ".join(word for word in name.split() if word not in shared.split()) or name
