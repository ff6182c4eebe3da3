"""Reads train, valid and spec; writes best.json (`{}` where no search is asked for), trials.csv."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay.artifacts.files import write_json
from assay.artifacts.manifest import recorded_digest
from assay.artifacts.paths import home
from assay.artifacts.staging import staged
from assay.config.load import build, merged, typed
from assay.config.space import flattened, parse_space
from assay.errors import AssayError, ConfigError
from assay.figures.search import history
from assay.layers.shape import Model
from assay.metrics.objective import objective
from assay.pipeline.candidate import try_candidate
from assay.pipeline.fingerprint import (
    code_digest,
    fit_fingerprint,
    library_versions,
    name_of,
    of_results,
)
from assay.pipeline.inputs import Inputs, prepared_inputs
from assay.pipeline.resume import Resumable, resumable
from assay.space import Space, Value, extremes
from assay.tracking.resume import child_run
from assay.tracking.run import Tracked, stage_run
from assay.training.knobs import Training
from assay.tuning.knobs import Search
from assay.tuning.progress import counts, shown, summary
from assay.tuning.study import Pruned, Report, Result, Score, TrialFunction, search
from assay.tuning.table import history_table, trials_table

_CODE = ("augmentation", "data", "layers", "metrics", "pipeline", "training", "tuning")
_NOT_OF_A_TRIAL = frozenset({"trials", "timeout_minutes", "margin"})


@dataclass(frozen=True, kw_only=True)
class Params:
    """The nodes as composed, the search over their values, and the seed of every trial."""

    model: Mapping[str, Any]
    training: Mapping[str, Any]
    search: Search
    seed: int


def run(params: Params) -> None:
    """Try values on the validation split and keep the best; no trial sees the test split."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        staged("search") as folder,
        stage_run("search", folder=folder) as tracked,
    ):
        tracked.log_params({"search": asdict(params.search), "seed": params.seed})
        inputs = prepared_inputs()
        result = _search(params, inputs, tracked) if params.search.trials else Result()
        best = {} if result.best is None else result.best.values
        write_json(folder / "best.json", best)
        trials_table(result).to_csv(folder / "trials.csv", index=False)
        for name in ("best.json", "trials.csv"):
            tracked.log_artifact(folder / name)
        goal = objective(inputs.spec.task)
        _report(result, tracked, name=goal.name)
        if result.trials:
            picture = Path(scratch, "search.png")
            drawn = history(history_table(result), objective=goal.name, direction=goal.direction)
            drawn.savefig(picture)
            tracked.log_artifact(picture, "plots")


def _search(params: Params, inputs: Inputs, tracked: Tracked) -> Result:
    nodes = {"model": params.model, "training": params.training}
    space = parse_space(params.search.space, config=nodes)
    _check_bounds(nodes, space)
    goal, name = objective(inputs.spec.task), _study_name(params)
    tracked.set_tags({"study": name})
    with shown(total=params.search.trials, objective=goal.name) as show:
        return search(
            _trial_function(nodes, inputs, tracked, seed=params.seed),
            space=space,
            knobs=params.search,
            direction=goal.direction,
            storage=home() / "study.db",
            study=name,
            seed=params.seed,
            known=dict(flattened(nodes)),
            on_trial=show,
        )


def _trial_function(
    nodes: Mapping[str, Any], inputs: Inputs, tracked: Tracked, *, seed: int
) -> TrialFunction:
    watched = f"valid_{objective(inputs.spec.task).name}"

    def trial(values: dict[str, Value], report: Report, number: int) -> Score:
        settings = merged(nodes, values)
        model, training = _built(settings)
        with (
            resumable(ended_by=(AssayError, Pruned)) as kept,
            _trial_run(tracked, kept, _fingerprint(settings, seed), number=number) as child,
        ):
            child.log_params({**values, "seed": seed})

            def on_epoch(epoch: int, row: Mapping[str, float]) -> None:
                child.log_metrics(row, step=epoch)
                report(epoch, row[watched])

            outcome = try_candidate(
                inputs, model=model, training=training, seed=seed, on_epoch=on_epoch, kept=kept
            )
            best = {f"best_valid_{name}": value for name, value in outcome.metrics.items()}
            child.log_metrics({"best_epoch": outcome.fit.best_epoch, **best})
            return Score(value=outcome.value, error=outcome.error)

    return trial


@contextmanager
def _trial_run(
    tracked: Tracked, kept: Resumable, fingerprint: str, *, number: int
) -> Iterator[Tracked]:
    """Open the trial's run, or the one in which a killed process began this very trial."""
    kept.begin(fingerprint)
    name = f"trial {number:03d}"
    with child_run(tracked, name, resume=kept.run_id, pruned_by=(Pruned,)) as child:
        kept.follow(child.run_id)
        yield child


def _fingerprint(nodes: Mapping[str, Any], seed: int) -> str:
    return fit_fingerprint("trial", **nodes, seed=seed, data=_data())


def _data() -> list[str]:
    return [recorded_digest("prepare", name) for name in ("train", "valid", "spec.json")]


def _built(nodes: Mapping[str, Any]) -> tuple[Model, Training]:
    model: Model = build(nodes["model"], where="model")
    return model, typed(Training, nodes["training"], where="training")


def _check_bounds(nodes: Mapping[str, Any], space: Space) -> None:
    """Raise ConfigError when a bound or an option of the space is no value of its key."""
    problems: dict[str, None] = {}
    ends = [(key, value) for key, dimension in space.items() for value in extremes(dimension)]
    for key, value in ends:
        try:
            _built(merged(nodes, {key: value}))
        except ConfigError as error:
            problems |= dict.fromkeys(f"search.space.{problem}" for problem in error.problems)
    if problems:
        raise ConfigError(problems)


def _study_name(params: Params) -> str:
    """Return a digest of all that a trial depends on: values, data, code and libraries.

    The total of trials and the time they may take are left out, so a search can be prolonged.
    """
    knobs = {k: v for k, v in asdict(params.search).items() if k not in _NOT_OF_A_TRIAL}
    facts = {
        "model": params.model,
        "training": of_results(params.training),
        "search": knobs,
        "seed": params.seed,
        "data": _data(),
        "code": code_digest(_CODE, target=str(params.model["_target_"])),
        "libraries": library_versions("optuna"),
    }
    return name_of(facts, length=16)


def _report(result: Result, tracked: Tracked, *, name: str) -> None:
    tracked.log_metrics({f"trials_{state}": n for state, n in counts(result).items()})
    earlier = len(result.trials) - result.fresh
    tracked.set_tags({"trials": summary(result, objective=name) or "none asked for"})
    if earlier:
        tracked.set_tags({"resumed": f"{earlier} of the trials ran below an earlier search"})
    if result.best is not None and result.best.value is not None:
        tracked.log_metrics({f"best_valid_{name}": result.best.value})
        tracked.set_tags({"best_trial": f"{result.best.number:03d}"})
        tracked.log_params({"best": result.best.values})
