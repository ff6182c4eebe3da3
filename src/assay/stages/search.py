"""Reads train, valid and spec; writes best.json (`{}` where no search is asked for), trials.csv."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_yaml, write_json
from assay.artifacts.paths import CONFIG, home
from assay.artifacts.staging import staged
from assay.config.launch import launch_with
from assay.config.load import build, merged
from assay.config.space import flattened, parse_space
from assay.errors import ConfigError
from assay.figures.search import history
from assay.layers.versions import require_same_rows
from assay.metrics.objective import Objective, objective
from assay.pipeline.fitting.fingerprint import code_digest, library_versions, name_of, of_results
from assay.pipeline.fitting.inputs import prepared_inputs
from assay.pipeline.searching.trials import Trials, built, prepared_digests
from assay.space import Space, extremes
from assay.tracking.run import Tracked, stage_run
from assay.tuning import look
from assay.tuning.knobs import Search, with_warmup
from assay.tuning.problem import Problem
from assay.tuning.progress import counts, shown, summary
from assay.tuning.storage import place_of, storage_of
from assay.tuning.study import search
from assay.tuning.table import history_table, trials_table
from assay.tuning.trial import Direction, Result
from assay.tuning.warm import warm_start
from assay.tuning.worker import Studies

log = logging.getLogger(__name__)

_CODE = ("augmentation", "data", "layers", "metrics", "pipeline", "training", "tuning")
_OF_A_TRIAL = (
    *("sampler", "pruner", "startup_trials", "warmup_epochs", "hopeless", "space"),
    *("costs", "warm", "warm_study", "warm_trials"),
)
_OF_A_FIT = ("data", "model", "augmentation", "training")

_SMALL: Direction = "minimize"


@dataclass(frozen=True, kw_only=True)
class Params:
    """The nodes as composed, the search over their values, and the seed of every trial."""

    model: Mapping[str, Any]
    training: Mapping[str, Any]
    search: Search
    seed: int


def run(params: Params) -> None:
    """Try values on the validation split and keep the best; no trial sees the test split."""
    knobs = with_warmup(params.search, epochs=params.training["max_epochs"])
    params = replace(params, search=knobs)
    with (
        tempfile.TemporaryDirectory() as scratch,
        staged("search") as folder,
        stage_run("search", folder=folder) as tracked,
    ):
        tracked.log_params({"search": asdict(params.search), "seed": params.seed})
        inputs = prepared_inputs()
        goal = objective(inputs.spec.task)
        require_same_rows(build(params.model, where="model"), inputs.spec)
        problem = _problem(params, goal) if params.search.trials else None
        result = _search(params, problem, tracked, name=goal.name) if problem else Result()
        best = {} if result.best is None else result.best.values
        write_json(folder / "best.json", best)
        table = trials_table(result, costs=params.search.costs)
        table.to_csv(folder / "trials.csv", index=False)
        for name in ("best.json", "trials.csv"):
            tracked.log_artifact(folder / name)
        if problem is None:
            log.info("no search is asked for: the values are those of the configuration")
        _report(result, tracked, names=(goal.name, *params.search.costs))
        if problem and result.trials:
            for picture in _pictures(
                result, goal, Path(scratch), problem=problem, knobs=params.search
            ):
                tracked.log_artifact(picture, "plots")


def _problem(params: Params, goal: Objective) -> Problem:
    """Return what is searched. Raises ConfigError with what is wrong about the space."""
    nodes = {"model": params.model, "training": params.training}
    space = parse_space(params.search.space, config=nodes)
    _check_bounds(nodes, space)
    problem = Problem(
        study=params.search.study or _study_name(params),
        space=space,
        directions=(goal.direction, *(_SMALL for _ in params.search.costs)),
        seed=params.seed,
        known=dict(flattened(nodes)),
        facts={
            "objective": ", ".join((goal.name, *params.search.costs)),
            **_said(_depends_on(params)),
        },
    )
    knobs, given = params.search, [dict(flattened(one)) for one in params.search.warm]
    return replace(
        problem, warm=warm_start(given, knobs=knobs, problem=problem, storage=_storage(knobs))
    )


def _storage(knobs: Search) -> Path | str:
    return storage_of(knobs, default=home() / "study.db")


def _search(params: Params, problem: Problem, tracked: Tracked, *, name: str) -> Result:
    tracked.set_tags({"study": problem.study})
    is_here = params.search.workers == 1 and params.search.launcher == "processes"
    work = Trials(
        nodes={"model": params.model, "training": params.training},
        study=problem.study,
        run_id=tracked.run_id,
        tracked=tracked if is_here else None,
        costs=params.search.costs,
        **_told(),
    )
    with shown(objective=name) as show:
        return search(
            work,
            problem=problem,
            knobs=params.search,
            storage=_storage(params.search),
            launch=launch_with(params.search.launcher, params.search.launcher_settings),
            on_trial=show,
        )


def _told() -> dict[str, Mapping[str, Any]]:
    """Return the data and the options of groups as composed: said of a trial, and no more.

    No result depends on them beside the splits, so the stage does not: a data set whose path has
    changed but not its rows is not searched again.
    """
    config = read_yaml(CONFIG) if CONFIG.is_file() else {}
    options = {g: o for g, o in config.get("choices", {}).items() if g in _OF_A_FIT}
    return {"data": config.get("data", {}), "options": options}


def _pictures(
    result: Result, goal: Objective, folder: Path, *, problem: Problem, knobs: Search
) -> tuple[Path, Path]:
    """Draw the history for a page of paper, and everything for a browser."""
    drawn = history(history_table(result), objective=goal.name, direction=goal.direction)
    drawn.savefig(folder / "search.png")
    studies = Studies(problem=problem, knobs=knobs, place=place_of(_storage(knobs)))
    page = look.page(studies, names=(goal.name, *knobs.costs))
    (folder / "search.html").write_text(page, encoding="utf-8")
    return folder / "search.png", folder / "search.html"


def _check_bounds(nodes: Mapping[str, Any], space: Space) -> None:
    """Raise ConfigError when a bound or an option of the space is no value of its key."""
    problems: dict[str, None] = {}
    ends = [(key, value) for key, dimension in space.items() for value in extremes(dimension)]
    for key, value in ends:
        try:
            built(merged(nodes, {key: value}))
        except ConfigError as error:
            problems |= dict.fromkeys(f"search.space.{problem}" for problem in error.problems)
    if problems:
        raise ConfigError(problems)


def _study_name(params: Params) -> str:
    """Return a digest of all that a trial depends on, and of how trials are drawn.

    The total of trials, the time they may take and who runs them are left out, so a search can be
    prolonged.
    """
    knobs = {name: getattr(params.search, name) for name in _OF_A_TRIAL}
    return name_of({**_depends_on(params), "search": knobs}, length=16)


def _depends_on(params: Params) -> dict[str, Any]:
    """Return what a trial depends on beside its draw: values, data, code and libraries."""
    return {
        "model": params.model,
        "training": of_results(params.training),
        "seed": params.seed,
        "data": prepared_digests(),
        "code": code_digest(_CODE, target=str(params.model["_target_"])),
        "libraries": library_versions("optuna"),
    }


def _said(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return facts by dotted key, in words that two starts of a search are compared by."""
    return {
        key: ", ".join(value) if isinstance(value, list) else str(value)
        for key, value in flattened(facts)
    }


def _report(result: Result, tracked: Tracked, *, names: Sequence[str]) -> None:
    name = names[0]
    tracked.log_metrics({f"trials_{state}": n for state, n in counts(result).items()})
    earlier = len(result.trials) - result.fresh
    tracked.set_tags({"trials": summary(result, objective=name) or "none asked for"})
    if earlier:
        tracked.set_tags({"resumed": f"{earlier} of the trials ran below an earlier search"})
    if result.best is not None and result.best.value is not None:
        values = zip(names, (result.best.value, *result.best.more), strict=True)
        tracked.log_metrics({f"best_valid_{what}": value for what, value in values})
        tracked.set_tags({"best_trial": f"{result.best.number:03d}"})
        if result.best.repeats:
            seeds = {"mean": result.best.mean, "spread": result.best.spread}
            tracked.log_metrics({f"best_valid_{name}_{what}": v for what, v in seeds.items()})
        tracked.log_params({"best": result.best.values})
