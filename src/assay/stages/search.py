"""Reads train, valid and spec; writes best.json (`{}` where no search is asked for), trials.csv."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import assay
from assay.artifacts.files import digest, staged, write_json
from assay.artifacts.paths import home, stage_folder
from assay.config.load import build, merged, typed
from assay.config.space import flattened, parse_space
from assay.errors import ConfigError
from assay.figures.search import history
from assay.layers.shape import Model
from assay.metrics.objective import objective
from assay.pipeline.candidate import try_candidate
from assay.pipeline.inputs import Inputs, read_inputs
from assay.space import Space, Value, extremes
from assay.tracking.run import Tracked, stage_run
from assay.training.knobs import Training
from assay.tuning.knobs import Search
from assay.tuning.progress import counts, shown, summary
from assay.tuning.study import Pruned, Report, Result, Score, TrialFunction, search
from assay.tuning.table import history_table, trials_table

_CODE = ("data", "layers", "metrics", "pipeline", "training", "tuning")
_NOT_OF_A_TRIAL = frozenset({"trials", "timeout_minutes", "margin"})
_LIBRARIES = ("numpy", "optuna", "pytorch-lightning", "torch")


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
        inputs = read_inputs(stage_folder("prepare"))
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
        model, training = _built(merged(nodes, values))
        with tracked.child(f"trial {number:03d}", pruned_by=(Pruned,)) as child:
            child.log_params({**values, "seed": seed})

            def on_epoch(epoch: int, row: Mapping[str, float]) -> None:
                child.log_metrics(row, step=epoch)
                report(epoch, row[watched])

            outcome = try_candidate(
                inputs, model=model, training=training, seed=seed, on_epoch=on_epoch
            )
            best = {f"best_valid_{name}": value for name, value in outcome.metrics.items()}
            child.log_metrics({"best_epoch": outcome.fit.best_epoch, **best})
            return Score(value=outcome.value, error=outcome.error)

    return trial


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
    prepared = stage_folder("prepare")
    facts = {
        "model": params.model,
        "training": params.training,
        "search": knobs,
        "seed": params.seed,
        "data": [digest(prepared / name) for name in ("train", "valid", "spec.json")],
        "code": _code_digest(str(params.model["_target_"])),
        "libraries": [version(name) for name in _LIBRARIES],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _code_digest(target: str) -> str:
    package = Path(assay.__file__).parent
    chosen = package.parent.joinpath(*target.split(".")[:-1]).with_suffix(".py")
    files = [file for room in _CODE for file in (package / room).rglob("*.py")]
    texts = [digest(file) for file in sorted(f for f in {chosen, *files} if f.is_file())]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


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
