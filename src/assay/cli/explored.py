"""One exploring fit on prepared data, and what is tracked of it: alone, in a sweep, in a search."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from assay.cli.leaderboard import MILLISECONDS, OBJECTIVE, PARAMETERS, SECONDS
from assay.config.load import build, typed
from assay.metrics.objective import Objective, objective
from assay.pipeline.fitting.candidate import Outcome, try_candidate
from assay.pipeline.fitting.inputs import Inputs
from assay.pipeline.fitting.resume import Resumable
from assay.pipeline.searching.cost import COSTS, costs
from assay.tracking.tracked import Tracked
from assay.training.knobs import Training


@dataclass(frozen=True, kw_only=True)
class Explored:
    """What a fit came to, by which objective, and what its network costs."""

    outcome: Outcome
    goal: Objective
    costs: Mapping[str, float]


def explore(
    config: Mapping[str, Any],
    inputs: Inputs,
    kept: Resumable,
    tracked: Tracked,
    *,
    digest: str,
    report: Callable[[int, float], None] | None = None,
) -> Explored:
    """Fit on prepared data, track what came out, and return it.

    ``digest`` is that of the raw data. ``report`` is given each epoch's objective, and what it
    raises comes out; without it progress is shown.
    """
    choices = config["choices"]
    goal = objective(inputs.spec.task)
    tracked.log_dataset(
        name=choices["data"],
        digest=digest,
        source=config["data"].get("path", choices["data"]),
        context="training",
        rows=len(inputs.train),
    )

    def on_epoch(epoch: int, row: Mapping[str, float]) -> None:
        tracked.log_metrics(row, step=epoch)
        if report is not None:
            report(epoch, row[f"valid_{goal.name}"])

    started = time.perf_counter()
    outcome = try_candidate(
        inputs,
        model=build(config["model"], where="model"),
        training=typed(Training, config["training"], where="training"),
        seed=config["seed"],
        on_epoch=on_epoch,
        progress=report is None,
        kept=kept,
    )
    seconds = time.perf_counter() - started
    best = {f"best_valid_{name}": value for name, value in outcome.metrics.items()}
    paid = costs(COSTS, network=outcome.network, split=inputs.valid)
    tracked.log_metrics(
        {
            **best,
            OBJECTIVE: outcome.value,
            PARAMETERS: paid["parameters"],
            SECONDS: seconds,
            MILLISECONDS: paid["latency_ms"],
        }
    )
    tracked.set_tags({OBJECTIVE: goal.name, "direction": goal.direction})
    return Explored(outcome=outcome, goal=goal, costs=paid)
