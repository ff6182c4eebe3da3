"""``assay run`` as a Hydra application: begins from params.yaml, then the command line."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from assay.artifacts.files import read_yaml
from assay.config.blanks import blanks
from assay.config.compose import SET, Schema, compose_params, composed, finish, groups
from assay.config.hydra_flags import is_hydras, overrides_in, refuse_flags, refuse_hydra_nodes
from assay.config.load import ALLOWED_TARGETS
from assay.config.secrecy import refuse_secret_overrides
from assay.config.space import flattened
from assay.config.words import rendered
from assay.errors import AssayError, ConfigError, nearest


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of the application: its checked configuration, and what set it apart."""

    config: dict[str, Any]
    overrides: tuple[str, ...]
    folder: Path


def run_application(
    arguments: Sequence[str],
    *,
    params: Mapping[str, Any],
    conf: Path,
    schema: Schema,
    task: Callable[[Job], object],
) -> None:
    """Run ``task`` once, or with ``-m`` once for each job of the sweep.

    ``arguments`` are the user's, Hydra's flags among them; ``params`` is what they override.
    Raises ConfigError for overrides that name nothing, and whatever the task raises.
    """
    refuse_flags(arguments)
    if any(is_hydras(key) for key in params[SET]):
        raise ConfigError(["set.hydra: Hydra's own settings are no part of params.yaml"])
    own = _own_overrides(arguments, conf)
    prelude = _prelude(params, {o.key_or_group for o in own})
    _check_keys(own, params, conf, schema, prelude=prelude)
    raised: list[BaseException] = []

    def job(config: DictConfig) -> object:
        try:
            return task(_job(config, prelude, conf=conf, schema=schema))
        except BaseException as error:
            raised.append(error)
            if is_sweep(arguments):
                raise  # Hydra then says which job it was
            return math.nan

    application = hydra.main(
        config_path=str(conf.resolve()),
        config_name="config",
        execution_whitelist=ALLOWED_TARGETS,
    )(job)
    # Hydra reads its arguments from the process, and hides errors unless told not to.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["assay run", *_HYDRA, *prelude, *arguments]
    try:
        application()
    except _HYDRA_REFUSES as error:
        if error in raised or isinstance(error, AssayError):
            raise
        raise ConfigError([f"Hydra: {' '.join(str(error).split())}"]) from error
    if raised and not is_sweep(arguments):  # a sweep says itself how much it bears
        raise raised[0]


_HYDRA = ("hydra.job.name=assay", "hydra.job.chdir=false")
# What Hydra raises outside of a job: for plugins, folders and logging that it was told of.
_HYDRA_REFUSES = (
    HydraException,
    OmegaConfBaseException,
    ImportError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for a sweep."""
    return bool({"-m", "--multirun"} & set(arguments))


def sweeper_of(arguments: Sequence[str], conf: Path) -> str:
    """Return the name of the sweeper that the arguments, or the configuration, choose."""
    chosen = [a.partition("=")[2] for a in arguments if a.startswith("hydra/sweeper=")]
    defaults = (read_yaml(conf / "config.yaml") or {}).get("defaults") or []
    named = {k: v for line in defaults if isinstance(line, Mapping) for k, v in line.items()}
    own = [v for k, v in named.items() if str(k).removeprefix("override ").lstrip("/") == _SWEEPER]
    return (chosen or [str(v) for v in own] or ["basic"])[-1]


_SWEEPER = "hydra/sweeper"


def _job(config: DictConfig, prelude: Sequence[str], *, conf: Path, schema: Schema) -> Job:
    runtime, known = HydraConfig.get(), groups(conf)
    choices = {g: str(o) for g, o in runtime.runtime.choices.items() if g in known}
    return Job(
        config=finish(config, choices=choices, schema=schema),
        overrides=tuple(_said(runtime.overrides.task, prelude)),
        folder=Path(runtime.runtime.output_dir),
    )


def _own_overrides(arguments: Sequence[str], conf: Path) -> list[Override]:
    words = overrides_in(arguments)
    try:
        parsed = OverridesParser.create().parse_overrides(words)
    except HydraException as error:
        raise ConfigError([str(error).strip()]) from error
    refuse_hydra_nodes(parsed)
    refuse_secret_overrides(parsed)
    own = [o for o in parsed if not is_hydras(o.key_or_group)]
    known = groups(conf)
    problems = [p for o in own if o.key_or_group in known for p in _bad_options(o, known)]
    if problems:
        raise ConfigError(problems)
    return own


def _bad_options(override: Override, known: Mapping[str, list[str]]) -> list[str]:
    group = override.key_or_group
    if override.is_delete():
        return [f"{group}: it cannot be left out; choose one of {', '.join(known[group])}"]
    return [
        f"{group}: there is no option '{option}'{nearest(option, known[group])}"
        for option in _options(override)
        if option not in known[group]
    ]


def _options(override: Override) -> list[str]:
    if override.is_choice_sweep():
        return [str(v) for v in override.sweep_string_iterator()]
    return [] if override.is_sweep_override() else [str(override.value())]


def _check_keys(
    own: Sequence[Override],
    params: Mapping[str, Any],
    conf: Path,
    schema: Schema,
    *,
    prelude: Sequence[str],
) -> None:
    """Report every override that names no key, before Hydra stops at the first; and wrong values."""
    known = groups(conf)
    chosen = {o.key_or_group: _options(o) for o in own if o.key_or_group in known}
    firsts = {group: options[0] for group, options in chosen.items() if options}
    base = {g: o for g, o in params.items() if g != SET} | firsts
    keys = {key for key, _ in flattened(lenient(conf, base, schema))}
    strange = [o for o in own if o.key_or_group not in known and not _exists(o, keys)]
    if strange:  # a key of another option of a group that is swept
        further = [{g: o} for g, options in chosen.items() for o in options[1:]]
        keys |= {k for one in further for k, _ in flattened(lenient(conf, base | one, schema))}
        strange = [o for o in strange if not _exists(o, keys)]
    problems = [
        f"{o.key_or_group}: there is no such key{nearest(o.key_or_group, [*keys, *known])}"
        for o in strange
    ]
    if problems:
        others = [o for o in own if o not in strange and not o.is_sweep_override()]
        lines = [*prelude, *(str(o.input_line) for o in others)]
        raise ConfigError([*problems, *_wrong_values(lines, conf, schema)])


def _wrong_values(lines: Sequence[str], conf: Path, schema: Schema) -> tuple[str, ...]:
    try:
        finish(composed(conf, lines), choices={}, schema=schema, skip={"data"})
    except ConfigError as error:
        return error.problems
    return ()


def lenient(conf: Path, choices: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return what choices describe, with nothing where a value is still to be given."""
    filled = dict.fromkeys(blanks(conf, choices.get("data")), "")
    return compose_params(conf, {**choices, SET: {"data": filled} if filled else {}}, schema=schema)


def _exists(override: Override, keys: set[str]) -> bool:
    key = override.key_or_group
    is_added = override.is_add() or override.is_delete()
    return is_added or key in keys or any(k.startswith(f"{key}.") for k in keys)


def _prelude(params: Mapping[str, Any], given: set[str]) -> list[str]:
    """What params.yaml says, as overrides, but for the groups that the user chooses anew."""
    choices = [f"{g}={option}" for g, option in params.items() if g != SET and g not in given]
    settings = [(key, v) for key, v in flattened(params[SET]) if key.split(".")[0] not in given]
    return [*choices, *(f"++{key}={rendered(value)}" for key, value in settings)]


def _said(overrides: Sequence[str], prelude: Sequence[str]) -> list[str]:
    return [o for o in overrides if o not in prelude]
