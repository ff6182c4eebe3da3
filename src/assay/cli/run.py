"""``assay run``: explore with Hydra; one run, or with ``-m`` a sweep; never the test split."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import click

from assay.artifacts.paths import project_root
from assay.cli.explored import explore
from assay.cli.leaderboard import leaderboard
from assay.cli.sweep import ASSAY, Searching, run_trial, sweep_name
from assay.config.application import Job, is_sweep, run_application, sweeper_of
from assay.config.compose import read_params
from assay.errors import ConfigError, nearest
from assay.pipeline.composing.match import require_match
from assay.pipeline.composing.pin import pinned
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.fitting.cache import data_digest, data_fingerprint, prepared_folder
from assay.pipeline.fitting.candidate import Outcome
from assay.pipeline.fitting.fingerprint import fit_fingerprint
from assay.pipeline.fitting.inputs import read_inputs
from assay.pipeline.fitting.resume import resumable
from assay.pipeline.searching.sweep import hosting
from assay.tracking.explore import explore_run, sweep_run
from assay.tuning.current import current
from assay.tuning.trial import Score

log = logging.getLogger(__name__)

HELP = """Usage: assay run [--from NAME] [-m] [GROUP=OPTION | KEY=VALUE]...

  Explore: begins from params.yaml (or from experiments/NAME.yaml), then takes
  overrides in Hydra's grammar. One run, or with -m a sweep. Scores the
  validation split only; prepared data is kept in a cache of its own.

    assay run model=mlp training.max_epochs=5
    assay run -m model=mlp,cnn training.lr=0.001,0.003
    assay run data=csv data.path=churn.csv data.target=churned model=mlp
    assay run -m hydra/sweeper=assay model=mlp,gru 'training.lr=tag(log, interval(1e-4, 0.1))'

  --from NAME        begin from a ready-made experiment
  -m, --multirun     run every combination of the comma-separated values
  hydra/sweeper=assay
                     with -m: search instead, over intervals, ranges, choices and
                     groups, as conf/search says; started again it goes on
  --cfg job          show the composed configuration and stop
  --hydra-help       Hydra's own flags

  'assay use run:ID' puts what a run found into params.yaml.
"""


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Explore with Hydra."""
    root = project_root()
    words, source = _source([_from_root(word, root) for word in arguments])
    if {"--help", "-h"} & set(words):
        click.echo(HELP)
        return
    with chdir(root):
        _explored(words, params=read_params(source), conf=root / "conf")


def _from_root(word: str, root: Path) -> str:
    """Paths of a configuration begin at the project's root: so does what ``data.path`` names from here."""
    key, _, value = word.partition("=")
    if key.lstrip("+") != "data.path" or Path.cwd().resolve() == root:
        return word
    quote = value[:1] if value[:1] in ("'", '"') else ""
    paths = [value.strip(quote)] if quote else value.split(",")
    named = [os.path.relpath(path, root) if Path(path).exists() else path for path in paths]
    return f"{key}={quote}{','.join(named)}{quote}"


def _explored(words: list[str], *, params: Mapping[str, Any], conf: Path) -> None:
    if is_sweep(words) and sweeper_of(words, conf) == ASSAY:
        searching = Searching(params=params, conf=conf, words=tuple(words))
        with hosting(searching):
            run_application(words, params=params, conf=conf, schema=SCHEMA, task=_run_one)
        return
    if not is_sweep(words):
        run_application(words, params=params, conf=conf, schema=SCHEMA, task=_run_one)
        return
    with sweep_run(name=sweep_name(words), tags={"overrides": " ".join(words)}) as sweep:
        try:
            run_application(words, params=params, conf=conf, schema=SCHEMA, task=_run_one)
        finally:
            leaderboard(sweep)


def _source(words: list[str]) -> tuple[list[str], Path]:
    root = project_root()
    if not (root / "params.yaml").is_file():
        raise ConfigError(
            [f"{root} is no Assay project (it has no params.yaml): call this inside one"]
        )
    if "--from" not in words:
        return words, root / "params.yaml"
    place = words.index("--from")
    name = words[place + 1] if place + 1 < len(words) else ""
    return words[:place] + words[place + 2 :], experiment_file(root, name)


def experiment_file(root: Path, name: str) -> Path:
    """Return the file of a ready-made experiment; ConfigError names the nearest one."""
    names = [p.stem for p in (root / "experiments").glob("*.yaml")]
    if name not in names:
        raise ConfigError([f"'{name}' is no ready-made experiment{nearest(name, names)}"])
    return root / "experiments" / f"{name}.yaml"


def _run_one(job: Job) -> float | Score:
    if (trial := current()) is not None:
        return run_trial(job.config, trial)
    require_match(job.config, conf=project_root() / "conf")
    config = pinned(job.config)
    choices = config["choices"]
    name = " ".join(job.overrides) or f"{choices['data']} {choices['model']}"
    with resumable() as kept:
        data = data_fingerprint(config["data"])
        nodes = {key: config[key] for key in ("model", "training", "seed")}
        kept.begin(fit_fingerprint("run", **nodes, data=data))
        with explore_run(name=name, parent=None, config=config, resume=kept.run_id) as tracked:
            kept.follow(tracked.run_id)
            folder = prepared_folder(config["data"], fingerprint=data)
            found = explore(config, read_inputs(folder), kept, tracked, digest=data_digest(folder))
    _say(found.outcome, tracked.run_id, found.goal.name)
    return found.outcome.value


def _say(outcome: Outcome, run_id: str, goal: str) -> None:
    shown = [goal, *(name for name in ("accuracy", "r2") if name in outcome.metrics)]
    scores = ", ".join(f"{name} {outcome.metrics[name]:.4g}" for name in dict.fromkeys(shown))
    log.info("validation: %s; keep it: assay use run:%s", scores, run_id[:8])
