"""``assay run -m hydra/sweeper=assay``: a search whose trials are exploring runs."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import yaml

from assay.artifacts.paths import home
from assay.cli.explored import explore
from assay.cli.leaderboard import OBJECTIVE
from assay.config.application import lenient
from assay.config.load import typed
from assay.config.repeat import repeating
from assay.config.space import flattened
from assay.errors import ConfigError
from assay.figures.search import history
from assay.metrics.objective import Objective, objective
from assay.pipeline.composing.pin import Pins, addresses, pinned, with_pins
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.fitting.cache import data_digest, data_fingerprint, prepared_folder
from assay.pipeline.fitting.fingerprint import (
    code_digest,
    fit_fingerprint,
    library_versions,
    name_of,
)
from assay.pipeline.fitting.inputs import read_inputs
from assay.pipeline.fitting.resume import resumable
from assay.pipeline.searching.searched_space import (
    Bases,
    bases_of,
    borrowed,
    changes_of_options,
    complete_space,
)
from assay.pipeline.searching.sweep import Sweep, extension_of, pruner_of, sampler_of, searched
from assay.pipeline.searching.trials import trial_run
from assay.tracking.explore import CONFIG_FILE, sweep_run
from assay.tracking.run import joined_run
from assay.tracking.tracked import Tracked
from assay.tuning import look
from assay.tuning.current import Current
from assay.tuning.knobs import Search, with_warmup
from assay.tuning.memory import Memory
from assay.tuning.problem import Problem
from assay.tuning.progress import counts, summary
from assay.tuning.share import Share
from assay.tuning.storage import place_of, storage_of
from assay.tuning.table import history_table, trials_table
from assay.tuning.trial import Direction, Result, Score, TrialFunction, Work
from assay.tuning.warm import warm_start
from assay.tuning.worker import Studies

log = logging.getLogger(__name__)
ASSAY = "assay"
_RUN = "run"
_CODE = (
    "augmentation",
    "cli",
    "data",
    "layers",
    "metrics",
    "pipeline",
    "split",
    "training",
    "tuning",
)
_OF_A_TRIAL = (
    *("sampler", "pruner", "startup_trials", "warmup_epochs", "hopeless"),
    *("warm", "warm_study", "warm_trials"),
)
_BEARS_ON_NOTHING = {"search", "gate", "export", "evaluate", "explain", "name", "choices"}


@dataclass(frozen=True, kw_only=True)
class Searching:
    """What a sweep of ``assay run`` means: begun from ``params``, said in ``words``."""

    params: Mapping[str, Any]
    conf: Path
    words: tuple[str, ...]

    def __call__(self, sweep: Sweep) -> None:
        """Search, tracked below one run, and say how to keep what was found."""
        bases = bases_of(sweep, params=self.params, conf=self.conf)
        space = complete_space(sweep.asked.space, bases)
        sweep = dataclasses.replace(sweep, asked=dataclasses.replace(sweep.asked, space=space))
        fingerprint = data_fingerprint(bases.first["data"])
        folder = prepared_folder(bases.first["data"], fingerprint=fingerprint)
        goal = objective(read_inputs(folder).spec.task)
        knobs = _knobs(sweep, bases.first)
        pins = borrowed(space, bases)
        problem = _problem(sweep, bases, knobs, goal, data=fingerprint, pins=pins)
        storage = sweep.settings.storage or storage_of(knobs, default=home() / "study.db")
        given = sweep.asked.named(knobs.warm)
        warm = warm_start(given, knobs=knobs, problem=problem, storage=storage)
        problem = dataclasses.replace(problem, warm=warm)
        memory = Memory(storage=storage, study=problem.study, directions=problem.directions)
        tags = {"overrides": " ".join(self.words), "study": problem.study}
        name = sweep_name(list(self.words))
        with sweep_run(name=name, tags=tags, resume=memory.recall(_RUN)) as tracked:
            memory.keep(_RUN, tracked.run_id)
            place = _Place(run_id=tracked.run_id, study=problem.study, conf=self.conf, pins=pins)
            here = tracked if _is_here(sweep, knobs) else None
            result, folder = searched(
                sweep,
                problem=problem,
                knobs=knobs,
                storage=storage,
                objective=goal.name,
                within=lambda work: _Below(work=work, place=place, tracked=here),
            )
            studies = Studies(problem=problem, knobs=knobs, place=place_of(storage))
            _report(result, tracked, goal, folder, studies=studies)


def sweep_name(words: list[str]) -> str:
    """Return what a sweep's run is called."""
    return "sweep " + " ".join(w for w in words if not w.startswith(("-", "hydra")))


def _is_here(sweep: Sweep, knobs: Search) -> bool:
    launcher = sweep.jobs.config.hydra.runtime.choices.get("hydra/launcher")
    return launcher == "basic" and knobs.workers == 1 and knobs.launcher == "processes"


def _knobs(sweep: Sweep, base: Mapping[str, Any]) -> Search:
    """Return the configured search, with what ``hydra.sweeper`` says put in."""
    asked, own = sweep.settings, typed(Search, base["search"], where="search")
    said = {
        "trials": asked.n_trials or own.trials or Search().trials,
        "workers": asked.n_jobs,
        "max_failure_rate": asked.max_failure_rate,
        "pruner": pruner_of(asked),
        "retries": asked.retries,
        "study": asked.study_name,
        "storage": asked.storage,
        "warm": None if asked.warm is None else tuple(asked.warm),
        "warm_study": asked.warm_study,
        "warm_trials": asked.warm_trials,
    }
    sampler = sampler_of(asked)
    if asked.is_own_sampler and sampler.is_grid:
        said["sampler"] = "grid"
    given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    return with_warmup(dataclasses.replace(own, **given), epochs=base["training"]["max_epochs"])


def _problem(
    sweep: Sweep,
    bases: Bases,
    knobs: Search,
    goal: Objective,
    *,
    data: str,
    pins: Mapping[str, Pins],
) -> Problem:
    less: list[Direction] = ["minimize"] * len(knobs.costs)
    directions: tuple[Direction, ...] = (goal.direction, *less)
    if sweep.settings.directions not in ((), directions[:1], directions):
        raise ConfigError(
            [
                f"hydra.sweeper.direction: {goal.name} is to {goal.direction}; leave it out, and name "
                "further objectives in search.costs"
            ]
        )
    base, sampler = bases.first, sampler_of(sweep.settings)
    bearing = {key: value for key, value in base.items() if key not in _BEARS_ON_NOTHING}
    facts = {key: str(value) for key, value in flattened(bearing)}
    facts |= {
        "objective": ", ".join((goal.name, *knobs.costs)),
        "data digest": data,
    }
    facts |= changes_of_options(bases, besides=_BEARS_ON_NOTHING)
    facts |= {f"files of {address}": str(found) for address, found in pins.items()}
    facts |= {"code": code_digest(_CODE), "libraries": ", ".join(library_versions("optuna"))}
    drawn = {name: str(getattr(knobs, name)) for name in _OF_A_TRIAL}
    drawn |= {"space": str(sweep.asked.space), "own": str(sampler)}
    return Problem(
        study=knobs.study or name_of({**facts, **drawn}, length=16),
        space=sweep.asked.space,
        directions=directions,
        seed=base["seed"],
        draw_seed=sampler.node.get("seed"),
        known=bases.known,
        facts=facts,
        sampler=sampler if sweep.settings.is_own_sampler and not sampler.is_grid else None,
        extend=extension_of(sweep),
    )


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a worker's trials belong: the sweep's run and study, the configuration's folder, the pins."""

    run_id: str
    study: str
    conf: Path
    pins: Mapping[str, Pins]


_PLACE: ContextVar[tuple[_Place, Tracked]] = ContextVar("place")


@dataclass(frozen=True, kw_only=True)
class _Below:
    """Has the trials of a worker tracked below the sweep's run."""

    work: Work
    place: _Place
    tracked: Tracked | None

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        joined = nullcontext(self.tracked) if self.tracked else joined_run(self.place.run_id)
        with joined as above, self.work(share) as run:
            assert above is not None
            token = _PLACE.set((self.place, above))
            try:
                yield run
            finally:
                _PLACE.reset(token)


def run_trial(config: Mapping[str, Any], trial: Current) -> Score:
    """Fit and score one trial of the search at work, in a tracked run of its own."""
    place, above = _PLACE.get()
    config = {**config, "training": _with_threads(config["training"], trial.share)}
    pins = place.pins.get(addresses(config))
    config = pinned(config) if pins is None else with_pins(config, pins)
    fingerprint, folder = _prepared(yaml.safe_dump(config["data"]))
    nodes = {key: config[key] for key in ("model", "training", "seed")}
    with resumable(ended_by=(Exception,)) as kept:
        kept.begin(fit_fingerprint("trial", **nodes, data=fingerprint))
        base = _base(place.conf, tuple(sorted(config["choices"].items())))
        with trial_run(
            above,
            trial.draw,
            study=place.study,
            words=repeating(config, base),
            resume=kept.run_id,
        ) as child:
            kept.follow(child.run_id)
            child.set_tags({key: str(option) for key, option in config["choices"].items()})
            child.log_params(config)
            child.log_text(yaml.safe_dump(dict(config), sort_keys=False), CONFIG_FILE)
            inputs, digest = read_inputs(folder), data_digest(folder)
            found = explore(config, inputs, kept, child, digest=digest, report=trial.report)
            paid = {name: found.costs[name] for name in config["search"]["costs"]}
            child.log_metrics(paid)
            outcome = found.outcome
            return Score(value=outcome.value, error=outcome.error, more=tuple(paid.values()))


def _with_threads(training: Mapping[str, Any], share: Share) -> dict[str, Any]:
    """Give a fit that would take all cores its worker's part of them."""
    is_open = share.threads is not None and training.get("threads") is None
    return {**training, "threads": share.threads} if is_open else dict(training)


@lru_cache
def _prepared(data: str) -> tuple[str, Path]:
    """Look at the data once in each worker."""
    node = yaml.safe_load(data)
    fingerprint = data_fingerprint(node)
    return fingerprint, prepared_folder(node, fingerprint=fingerprint)


@lru_cache
def _base(conf: Path, choices: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return lenient(conf, dict(choices), SCHEMA)


def _report(
    result: Result, tracked: Tracked, goal: Objective, folder: Path, *, studies: Studies
) -> None:
    """Track what the search came to, and say it; a resumed run has its earlier numbers too."""
    ended = {f"trials_{state}": n for state, n in counts(result).items()}
    tracked.set_tags({"trials": summary(result, objective=goal.name)})
    names = (goal.name, *studies.knobs.costs)
    trials_table(result, costs=studies.knobs.costs).to_csv(folder / "trials.csv", index=False)
    drawn = history(history_table(result), objective=goal.name, direction=goal.direction)
    drawn.savefig(folder / "search.png")
    tracked.log_artifact(folder / "trials.csv")
    page = look.page(studies, names=names)
    (folder / "search.html").write_text(page, encoding="utf-8")
    for name in ("search.png", "search.html"):
        tracked.log_artifact(folder / name, "plots")
    best = result.best
    if best is None or best.value is None:
        return
    tracked.log_metrics({**ended, OBJECTIVE: best.mean}, step=len(result.trials))
    tracked.set_tags({"best_trial": f"{best.number:03d}", OBJECTIVE: goal.name})
    tracked.set_tags({"direction": goal.direction})
    seeds = f" ± {best.spread:.2g} over {1 + len(best.repeats)} seeds" if best.repeats else ""
    words = " ".join(f"{key}={value}" for key, value in best.values.items())
    click.echo(f"best: trial {best.number}, {goal.name} {best.mean:.5g}{seeds}: {words}")
    click.echo(f"keep it: assay use sweep:{tracked.run_id[:8]}")
