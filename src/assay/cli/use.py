"""``assay use``: put an experiment, or what a run or sweep found, into ``params.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from assay.artifacts.paths import project_root
from assay.cli.leaderboard import best_job
from assay.cli.run import experiment_file
from assay.config.blanks import blanks
from assay.config.compose import SET, compose_params, difference, read_params
from assay.config.load import merged
from assay.config.params import write_params
from assay.config.repeat import settings_in
from assay.config.space import WHEN
from assay.errors import ConfigError, TrackingError
from assay.pipeline.composing.schema import SCHEMA
from assay.tracking.explore import CONFIG_FILE
from assay.tracking.find import BEST, DRAWN, Found, find_run, search_of, trial_of

_SPACE = "space"


@click.command()
@click.argument("what", metavar="[NAME | run:ID | sweep:ID[/TRIAL]]", required=False)
def command(what: str | None) -> None:
    """Put a ready-made experiment, or a finding, into params.yaml and show the difference.

    Without a name, say which experiments there are. sweep:ID is the best of a sweep, or of the search
    of a pipeline run, by the mean over its seeds; sweep:ID/7 is its trial 7.
    """
    root = project_root()
    if what is None:
        click.echo(_ready_made(root))
        return
    kind, _, name = what.rpartition(":")
    if kind not in ("", "run", "sweep"):
        raise ConfigError([f"expected NAME, run:ID or sweep:ID; got {what!r}"])
    params = _from_file(root, name) if not kind else _from_config(root, *_config(kind, name))
    read_params(root / "params.yaml")  # what is not read as configuration is not edited either
    shown = write_params(root / "params.yaml", params, whole=True)
    click.echo(shown or "params.yaml says this already")
    if shown:
        click.echo("\nnext: dvc repro")


def _ready_made(root: Path) -> str:
    """Return a line for each experiment: its name and what the first line of its file says."""
    heads = {
        file.stem: file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        for file in sorted((root / "experiments").glob("*.yaml"))
    }
    width = max(map(len, heads), default=0)
    lines = [f"{name:{width}}  {head}" for name, head in heads.items()]
    return "\n".join([*lines, "", "next: assay use NAME"])


def _from_file(root: Path, name: str) -> dict[str, Any]:
    params = read_params(experiment_file(root, name))
    compose_params(root / "conf", params, schema=SCHEMA)
    return params


def _config(kind: str, name: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return a configuration, and the dotted keys of it that a search has settled."""
    if kind == "run":
        return _configuration(find_run(name, kinds=("run", "pipeline", "trial"))), ()
    run_id, slash, number = name.partition("/")
    if slash and not number.isdecimal():
        raise ConfigError([f"sweep:{name}: expected the number of a trial after '/'"])
    sweep = search_of(find_run(run_id, kinds=("sweep", "stage", "pipeline")))
    if not slash and BEST not in sweep.tags:
        return _configuration(best_job(sweep)), ()
    trial = trial_of(sweep, int(number or sweep.tags[BEST]))
    # An option of a group stands among the choices, and settles none of its keys.
    drawn = tuple(k.lstrip("+") for k in trial.tags.get(DRAWN, "").split() if "." in k)
    if sweep.kind == "sweep":
        return _configuration(trial), drawn
    assert sweep.parent is not None
    config = merged(_configuration(find_run(sweep.parent)), settings_in(trial.tags["overrides"]))
    # What it did not draw of conditional keys cannot exist beside what it drew.
    space = {key: below for key, below in config["search"][_SPACE].items() if key != WHEN}
    return {**config, "search": {**config["search"], _SPACE: space}}, drawn


def _from_config(root: Path, config: Mapping[str, Any], settled: tuple[str, ...]) -> dict[str, Any]:
    choices = config["choices"]
    if blanks(root / "conf", choices["data"]):
        file, target = config["data"].get("path"), config["data"].get("target")
        raise ConfigError(
            [
                f"this run explored {file}: make it a data set first, with 'assay add {file} --target {target}'"
            ]
        )
    base = compose_params(root / "conf", choices, schema=SCHEMA)
    settings = difference(_of_today(config, base), base, settled=settled)
    params = {**choices, SET: settings}
    # What a run holds is checked like a file.
    search = compose_params(root / "conf", params, schema=SCHEMA)["search"]
    if settled and search["trials"] and not search[_SPACE]:
        settings["search"] = {**settings.get("search", {}), "trials": 0}
    return params


def _of_today(config: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with what stands in ``base`` of keys that are newer than its run.

    A dimension that is missing in a search space was taken out of it.
    """
    newer = {key: value for key, value in base.items() if key not in config and key != _SPACE}
    older = {
        key: _of_today(value, base[key])
        if key != _SPACE and isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        else value
        for key, value in config.items()
    }
    return {**newer, **older}


def _configuration(run: Found) -> Mapping[str, Any]:
    try:
        config = yaml.safe_load(run.text(CONFIG_FILE))
    except (yaml.YAMLError, ValueError, RecursionError):
        config = None
    if not _is_configuration(config):
        raise TrackingError(
            f"run {run.run_id} holds no configuration of Assay: name a run of 'assay run' or 'dvc repro'"
        )
    return config  # type: ignore[no-any-return]  # checked above


def _is_configuration(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    choices, data = config.get("choices"), config.get("data")
    return isinstance(choices, dict) and "data" in choices and isinstance(data, dict)
