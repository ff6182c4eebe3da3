"""The table at the end of a sweep: its jobs by their objective, best first, seeds taken together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import mean, median

import click
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from assay.errors import TrackingError
from assay.metrics.seeds import are_tied, margin
from assay.tracking.find import Found, children, find_run
from assay.tracking.tracked import Tracked

OBJECTIVE = "objective"
PARAMETERS, SECONDS, MILLISECONDS = "parameters", "fit_seconds", "milliseconds_per_prediction"
_SEED, _SPLIT = "seed", "data.split.seed"
_RUNS = "times"
_SHARES = "data.split.valid", "data.split.test"
_BEST = "best_valid_"
_SHOWN = ("accuracy", "f1", "roc_auc", "rmse", "r2")
_FILE = "leaderboard.csv"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Jobs that differ in nothing but their seeds, of training and of the split, lowest first."""

    jobs: tuple[Found, ...]

    @property
    def name(self) -> str:
        """What sets the row apart, in the words of the command line."""
        first = self.jobs[0].name
        repeats = (f"{_SEED}=", f"{_SPLIT}=")
        return " ".join(w for w in first.split() if not w.startswith(repeats)) or first

    @property
    def scores(self) -> dict[Hashable, float]:
        """The objective by the seeds of split and training."""
        return {_seeds(job): job.metrics[OBJECTIVE] for job in self.jobs}

    @property
    def splits(self) -> int:
        """On how many splits the jobs were."""
        return len({_seeds(job)[0] for job in self.jobs})

    @property
    def ratio(self) -> float:
        """Validation rows to training rows where the splits vary, 0 on one split."""
        if self.splits == 1:
            return 0.0
        valid, test = (float(self.jobs[0].params.get(share, 0)) for share in _SHARES)
        return valid / (1 - valid - test)

    def of(self, metric: str) -> list[float]:
        """Return a metric of each job; NaN where a job has none."""
        return [job.metrics.get(metric, float("nan")) for job in self.jobs]


def leaderboard(sweep: Tracked) -> None:
    """Show what the sweep's jobs reached, and note the best on the sweep's run."""
    rows = best_first(find_run(sweep.run_id))
    if not rows:
        return
    best, goal = rows[0], rows[0].jobs[0].tags.get(OBJECTIVE, OBJECTIVE)
    marks = verdicts(rows)
    Console().print(_table(rows, goal, marks))
    click.echo(f"keep the best: assay use sweep:{sweep.run_id[:8]}")
    sweep.log_text(_record(rows, goal, marks).to_csv(index=False), _FILE)
    sweep.log_metrics({OBJECTIVE: mean(best.of(OBJECTIVE))})
    sweep.set_tags({"best_run": best.jobs[0].run_id, "best_job": best.name})


def best_first(sweep: Found) -> list[Row]:
    """Return the rows of a sweep whose jobs reached an objective, the best mean first."""
    jobs = children(sweep, objective=OBJECTIVE, direction="minimize")
    done = [job for job in jobs if OBJECTIVE in job.metrics]
    alike: dict[frozenset[tuple[str, str]], list[Found]] = {}
    for job in done:
        others = frozenset((k, v) for k, v in job.params.items() if k not in (_SEED, _SPLIT))
        alike.setdefault(others, []).append(job)
    rows = [Row(jobs=tuple(sorted(group, key=_seeds))) for group in alike.values()]
    is_more_better = bool(done) and done[0].tags.get("direction") == "maximize"
    return sorted(rows, key=lambda row: mean(row.of(OBJECTIVE)), reverse=is_more_better)


def best_job(sweep: Found) -> Found:
    """Return the job of a sweep's best row, of its lowest seed; no seed is chosen for its score.

    Raises TrackingError where no job reached an objective.
    """
    rows = best_first(sweep)
    if not rows:
        raise TrackingError(f"no job of {sweep.name} ({sweep.run_id[:8]}) reached an objective")
    return rows[0].jobs[0]


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Return ``best`` for the first row, ``tied`` for those that the jobs do not tell from it."""
    best, *others = rows
    words = {True: "tied", False: "", None: ""}
    told = [are_tied(best.scores, row.scores, ratio=best.ratio) for row in others]
    return ["best", *(words[is_tied] for is_tied in told)]


def _seeds(job: Found) -> tuple[int, int]:
    return int(job.params.get(_SPLIT, 0)), int(job.params.get(_SEED, 0))


def _table(rows: Sequence[Row], goal: str, marks: Sequence[str]) -> Table:
    counts = {len(row.jobs) for row in rows}
    is_repeated = counts != {1}
    shared = _shared_words([row.name for row in rows])
    header, names = _names([_without(row.name, shared) for row in rows])
    shown = [_cells(row, goal, _metrics(rows, goal), is_repeated=is_repeated) for row in rows]
    if len(counts) == 1:
        shown = [{key: cell for key, cell in cells.items() if key != _RUNS} for cells in shown]
    table = Table(
        title=f"validation {goal}, best first{f'; all with {shared}' if shared else ''}",
        title_justify="left",
        caption=_note(rows) if is_repeated else None,
        caption_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    for title in (header, *shown[0]):
        is_word = title in (header, "run", "")
        table.add_column(title, justify="left" if is_word else "right", overflow="fold")
    for name, cells, mark in zip(names, shown, marks, strict=True):
        marked = cells | {"": mark} if is_repeated else cells
        style = "bold" if is_repeated and mark == "best" else None
        table.add_row(name, *marked.values(), style=style)
    return table


def _note(rows: Sequence[Row]) -> str:
    counts = {len(row.jobs) for row in rows}
    number = f"{counts.pop()} " if len(counts) == 1 else ""
    has_splits = any(row.splits > 1 for row in rows)
    what = "splits" if has_splits else "seeds"
    shared = "splits share training rows: intervals are widened for it\n" if has_splits else ""
    return (
        f"± is half of a 95 % t interval over {number}{what}; ms is for one row alone\n"
        f"{shared}tied: the {what} do not tell it from the best"
    )


def _cells(row: Row, goal: str, metrics: Sequence[str], *, is_repeated: bool) -> dict[str, str]:
    """Return what a row shows, by header; several seeds leave no room for run ids."""
    scores = {goal: _scored(row.of(OBJECTIVE), row.ratio)}
    scores |= {name: _scored(row.of(f"{_BEST}{name}"), row.ratio) for name in metrics}
    costs = {
        "seconds": f"{mean(row.of(SECONDS)):.1f}",
        "weights": _whole(row.of(PARAMETERS)[0]),
        "ms": f"{median(row.of(MILLISECONDS)):.2g}",
    }
    if is_repeated:
        return {"": "", **scores, _RUNS: str(len(row.jobs)), **costs}
    return {**scores, **costs, "run": row.jobs[0].run_id[:8]}


def _names(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the header and the names; where all set one key, it is the header."""
    keys = {name.partition("=")[0] for name in names}
    if len(keys) > 1 or any(len(name.split()) > 1 or "=" not in name for name in names):
        return "job", list(names)
    return keys.pop(), [name.partition("=")[2] for name in names]


def _metrics(rows: Sequence[Row], goal: str) -> list[str]:
    """Return the further metrics to show: one beside an interval, more where there is room."""
    others = [name for name in _SHOWN if name != goal]
    known = [n for n in others if all(f"{_BEST}{n}" in j.metrics for r in rows for j in r.jobs)]
    return known[:1] if any(len(row.jobs) > 1 for row in rows) else known


def _scored(values: Sequence[float], ratio: float) -> str:
    half = margin(values, ratio=ratio)
    return f"{mean(values):.4g}" + (f" ± {half:.2g}" if half is not None else "")


def _whole(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ") if number == number else "?"


def _record(rows: Sequence[Row], goal: str, marks: Sequence[str]) -> pd.DataFrame:
    """Return the table as numbers, for MLflow and for further use."""
    return pd.DataFrame(
        {
            "job": row.name,
            "verdict": mark,
            goal: mean(row.of(OBJECTIVE)),
            "margin": margin(row.of(OBJECTIVE), ratio=row.ratio),
            "seeds": len(row.jobs),
            PARAMETERS: row.of(PARAMETERS)[0],
            SECONDS: mean(row.of(SECONDS)),
            MILLISECONDS: median(row.of(MILLISECONDS)),
            "runs": " ".join(job.run_id[:8] for job in row.jobs),
        }
        for row, mark in zip(rows, marks, strict=True)
    )


def _shared_words(names: Sequence[str]) -> str:
    """Return what all rows were given, where there is more than one: a narrow table has no room."""
    first, *rest = (name.split() for name in names)
    return " ".join(word for word in first if rest and all(word in other for other in rest))


def _without(name: str, shared: str) -> str:
    return " ".join(word for word in name.split() if word not in shared.split()) or name
