"""``hydra/sweeper=assay``: the trials of a search are the jobs of a Hydra application."""

from __future__ import annotations

import logging
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from assay.artifacts.files import write_yaml
from assay.config.check import checked
from assay.config.jobs import Jobs
from assay.config.launch import launch_with, launcher_of
from assay.config.sweep import (
    Asked,
    Extension,
    SamplerNode,
    Settings,
    has_word,
    read_sweep,
    settings_of,
    settled,
)
from assay.config.words import rendered, word
from assay.errors import ConfigError, nearest
from assay.pipeline.searching.own_words import in_own_words
from assay.space import Choice, Dimension, Space, Value, extremes, in_order, is_active
from assay.tuning.current import STOPPED, Current, at_work
from assay.tuning.knobs import PrunerName, Search
from assay.tuning.launch import Launch
from assay.tuning.memory import Memory
from assay.tuning.pareto import front
from assay.tuning.problem import Problem
from assay.tuning.progress import shown
from assay.tuning.share import Share
from assay.tuning.storage import place_of
from assay.tuning.study import search
from assay.tuning.trial import Draw, Report, Result, Score, Trial, TrialFunction, Work
from assay.tuning.warm import warm_start

log = logging.getLogger(__name__)
RESULTS = "optimization_results.yaml"
_FOLDER = "folder"
_SEVERAL_JOBS, _BASIC = 2, "basic"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What was asked of the sweeper, and the application's jobs."""

    settings: Settings
    asked: Asked
    jobs: Jobs


Host: TypeAlias = Callable[[Sweep], None]
_HOST: ContextVar[Host | None] = ContextVar("host", default=None)


@contextmanager
def hosting(host: Host) -> Iterator[None]:
    """Let ``host`` say what a sweep of the application means that runs within the block."""
    token = _HOST.set(host)
    try:
        yield
    finally:
        _HOST.reset(token)


def run(
    node: Mapping[str, Any], arguments: Sequence[str], *, context: Any, task: Any, config: Any
) -> None:
    """Search over the jobs of an application, as Hydra's plugin is told to.

    Raises ConfigError with every problem before any job runs, TrainingError where too many fail.
    """
    host = _HOST.get()
    with nullcontext() if host else in_own_words():
        settings = settings_of(node, config=config)
        asked = read_sweep(arguments, settings.params, config=config)
        jobs = Jobs(context=context, config=config, task=task, passed_on=STOPPED)
        (host or _alone)(Sweep(settings=settings, asked=asked, jobs=jobs))


def _alone(sweep: Sweep) -> None:
    """Search as Hydra's Optuna sweeper would: the application says no more than its configuration."""
    settings = sweep.settings
    if not settings.custom_search_space:
        _check_words(sweep)
    name = settings.study_name or "sweep"
    is_kept = bool(settings.storage and settings.study_name)
    study = name if is_kept else f"{name}-{secrets.token_hex(4)}"
    launcher, _ = launcher_of(sweep.jobs.config)
    sampler = sampler_of(settings)
    problem = Problem(
        study=study,
        space=sweep.asked.space,
        directions=settings.directions or ("minimize",),
        seed=_seed(sampler, study=study, is_kept=is_kept),
        facts={"overrides": " ".join(sweep.asked.fixed)},
        sampler=None if sampler.is_grid else sampler,
        extend=extension_of(sweep),
    )
    knobs = Search(
        trials=settings.n_trials or 20,
        sampler="grid" if sampler.is_grid else "tpe",
        pruner=pruner_of(settings) or "none",
        margin=0,
        workers=settings.n_jobs or (1 if launcher == _BASIC else _SEVERAL_JOBS),
        max_failure_rate=settings.max_failure_rate or 0.0,
        retries=3 if settings.retries is None else settings.retries,
        finalists=0,
        warm_study=settings.warm_study,
        warm_trials=settings.warm_trials or Search().warm_trials,
    )
    storage = settings.storage or folder_of(sweep) / "study.db"
    given, where = sweep.asked.named(settings.warm or ()), "hydra.sweeper"
    warm = warm_start(given, knobs=knobs, problem=problem, storage=storage, where=where)
    problem = replace(problem, warm=warm)
    result, _ = searched(sweep, problem=problem, knobs=knobs, storage=storage, objective="value")
    if len(problem.directions) == 1 and result.best is not None:
        log.info("best parameters: %s", dict(result.best.values))
        log.info("best value: %s", result.best.value)


def _check_words(sweep: Sweep) -> None:
    """Raise ConfigError for overrides that the application does not take, with the nearest keys."""
    space, known = sweep.asked.space, settled(sweep.jobs.config)
    try:
        for place in (0, -1):
            sweep.jobs.check([*sweep.asked.fixed, *_words(_sample(space, place), space)])
    except ConfigError as error:
        strange = [key for key in space if not key.startswith("+") and key not in known]
        own = [key for key in known if not key.startswith("hydra/")]
        problems = [f"{key}: there is no such key{nearest(key, own)}" for key in strange]
        raise ConfigError(problems or error.problems) from error


def searched(
    sweep: Sweep,
    *,
    problem: Problem,
    knobs: Search,
    storage: Path | str,
    objective: str,
    within: Callable[[Work], Work] = lambda work: work,
) -> tuple[Result, Path]:
    """Search, each trial a job in its folder of the sweep's, and write what came out; return the folder too.

    A study that was begun before goes on in the folder in which it was begun, unless the command
    line names one. ``within`` puts something around what a worker opens.
    """
    memory = Memory(storage=storage, study=problem.study, directions=problem.directions)
    folder = _folder(sweep, memory)
    if (launcher := launcher_of(sweep.jobs.config)[0]) != _BASIC:
        knobs = replace(knobs, launcher=launcher)
    jobs = replace(sweep.jobs, settings=(f"hydra.sweep.dir={rendered(str(folder))}",))
    work = JobTrials(jobs=jobs, asked=sweep.asked, objectives=len(problem.directions))
    log.info("study %s in %s", problem.study, place_of(storage))
    with shown(objective=objective) as show:
        result = search(
            within(work),
            problem=problem,
            knobs=knobs,
            storage=storage,
            launch=launch_of(sweep, knobs),
            on_trial=show,
        )
    write_yaml(folder / RESULTS, _results(result, problem))
    return result, folder


def sampler_of(settings: Settings) -> SamplerNode:
    """Return the sampler that is asked for. Raises ConfigError where it cannot be made."""
    sampler = SamplerNode(settings.sampler)
    if not sampler.is_grid:
        sampler(0)
    return sampler


def pruner_of(settings: Settings) -> PrunerName | None:
    """Return the pruner that is asked for. Raises ConfigError for one that there is not."""
    if settings.pruner is None:
        return None
    return checked(PrunerName, settings.pruner, where="hydra.sweeper.pruner")  # type: ignore[no-any-return]


def launch_of(sweep: Sweep, knobs: Search) -> Launch | None:
    """Return Hydra's launcher as carrier of the workers; the basic one leaves it to the knobs."""
    name, settings = launcher_of(sweep.jobs.config)
    if name == _BASIC:
        return launch_with(knobs.launcher, knobs.launcher_settings)
    return launch_with(name, settings)


def extension_of(sweep: Sweep) -> Extension | None:
    """Return what ``custom_search_space`` asks for. Raises ConfigError where it is no function."""
    target = sweep.settings.custom_search_space
    if not target:
        return None
    extension = Extension(target, sweep.jobs.config, sweep.asked.fixed)
    extension.function()
    return extension


def folder_of(sweep: Sweep) -> Path:
    """Return the folder that Hydra's configuration names for this sweep."""
    return Path(sweep.jobs.config.hydra.sweep.dir).absolute()


def _folder(sweep: Sweep, memory: Memory) -> Path:
    own, earlier = folder_of(sweep), memory.recall(_FOLDER)
    if earlier and Path(earlier).is_dir() and not has_word(sweep.jobs.config, "hydra.sweep.dir"):
        return Path(earlier)
    own.mkdir(parents=True, exist_ok=True)
    memory.keep(_FOLDER, str(own))
    return own


@dataclass(frozen=True, kw_only=True)
class JobTrials:
    """Opened in each worker: a trial is a job with the fixed overrides and the trial's values.

    A trial that is trained again has its seed among its overrides, and a folder of its own.
    """

    jobs: Jobs
    asked: Asked
    objectives: int

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""

        def one(draw: Draw, report: Report) -> Score:
            own = _words(draw.values, self.asked.space)
            words = [*self.asked.fixed, *own, *_again(draw)]
            with at_work(Current(draw=draw, report=report, share=share)):
                returned = self.jobs(words, number=draw.number)
            return _score(returned, count=self.objectives)

        with self.jobs.opened():
            yield one


def _words(values: Mapping[str, Value], space: Space) -> list[str]:
    return [f"{key}={_word(value, space.get(key))}" for key, value in values.items()]


def _word(value: Value, dimension: Dimension | None) -> str:
    is_written = isinstance(dimension, Choice) and value in dimension.written
    return str(value) if is_written else word(value)


def _again(draw: Draw) -> list[str]:
    if not draw.repeat:
        return []
    return [f"seed={draw.seed}", f"hydra.sweep.subdir={draw.number}_again_{draw.repeat}"]


def _score(returned: Any, *, count: int) -> Score:
    """Return what a job returned as objectives. Raises ValueError where it is not that."""
    if isinstance(returned, Score):
        return returned
    try:
        values = [float(v) for v in (returned if count > 1 else [returned])]
    except (TypeError, ValueError) as error:
        expected = "a number" if count == 1 else f"{count} numbers"
        raise ValueError(f"expected the job to return {expected}, but got {returned!r}") from error
    if len(values) != count:
        raise ValueError(f"expected the job to return {count} numbers, but got {len(values)}")
    return Score(value=values[0], more=tuple(values[1:]))


def _sample(space: Space, place: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key in in_order(space):
        if is_active(space[key], values):
            values[key] = extremes(space[key])[place]
    return values


def _seed(sampler: SamplerNode, *, study: str, is_kept: bool) -> int:
    """Return the configured seed; without one a kept study has always the same, others chance's."""
    given = sampler.node.get("seed")
    if given is not None:
        return int(given)
    return zlib.crc32(study.encode()) if is_kept else secrets.randbits(31)


def _results(result: Result, problem: Problem) -> dict[str, Any]:
    """Return what Hydra's Optuna sweeper writes of a study."""
    if len(problem.directions) > 1:
        trials = front(result.trials, directions=problem.directions)
        solutions = [{"params": dict(t.values), "values": _values(t)} for t in trials]
        return {"name": "optuna", "solutions": solutions}
    best = result.best
    assert best is not None
    return {"name": "optuna", "best_params": dict(best.values), "best_value": best.value}


def _values(trial: Trial) -> list[float]:
    assert trial.value is not None
    return [trial.value, *trial.more]
