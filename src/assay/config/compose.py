"""Compose with Hydra what ``params.yaml`` names, and check all of it before any stage runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from assay.artifacts.files import read_yaml
from assay.config.check import checked, problems_of
from assay.config.load import build, typed
from assay.config.space import parse_space
from assay.errors import ConfigError, nearest

Schema = Mapping[str, type]
BUILT = ("data", "model")
SET = "set"
_MISSING = "???"


def groups(conf: Path) -> dict[str, list[str]]:
    """Return the options of each group that ``conf/`` holds."""
    folders = sorted(p for p in conf.iterdir() if p.is_dir() and p.name != "hydra")
    return {folder.name: sorted(file.stem for file in folder.glob("*.yaml")) for folder in folders}


def read_params(path: Path) -> dict[str, Any]:
    """Return ``params.yaml`` or a ready-made experiment; ConfigError where it is no mapping."""
    content = read_yaml(path)
    if not isinstance(content, Mapping):
        raise ConfigError([f"{path}: expected group names with options and 'set', got {content!r}"])
    return {**content, SET: content.get(SET) or {}}


def compose_params(conf: Path, params: Mapping[str, Any], *, schema: Schema) -> dict[str, Any]:
    """Return the resolved, checked configuration that ``params`` (choices and ``set``) describe.

    Raises ConfigError with every problem of choices, keys, values and search space at once.
    """
    choices = {key: value for key, value in params.items() if key != SET}
    problems, valid = _check_choices(choices, groups(conf))
    config = _composed(conf, valid)
    settings = params.get(SET) or {}
    if not isinstance(settings, Mapping):
        raise ConfigError(
            [*problems, f"set: expected keys with values as in conf/, got {settings!r}"]
        )
    config = OmegaConf.merge(config, settings)  # type: ignore[assignment]
    skipped = {key for key in choices if key not in valid}
    return finish(config, choices=valid, schema=schema, problems=problems, skip=skipped)


def _check_choices(
    choices: Mapping[str, Any], known: Mapping[str, list[str]]
) -> tuple[list[str], dict[str, str]]:
    problems, valid = [], {}
    for group, option in choices.items():
        if group not in known:
            problems.append(f"{group}: there is no such group{nearest(group, [*known, SET])}")
        elif option not in known[group]:
            hint = nearest(str(option), known[group])
            problems.append(f"{group}: there is no option {option!r}{hint}")
        else:
            valid[group] = option
    return problems, valid


def _composed(conf: Path, choices: Mapping[str, str]) -> DictConfig:
    overrides = [f"{group}={option}" for group, option in choices.items()]
    before = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            return hydra_compose("config", overrides=overrides)
    except HydraException as error:
        raise ConfigError([str(error)]) from error
    finally:
        GlobalHydra.instance().hydra = before


def finish(
    config: DictConfig,
    *,
    choices: Mapping[str, str],
    schema: Schema,
    problems: list[str] | None = None,
    skip: set[str] | None = None,
) -> dict[str, Any]:
    """Return a composed configuration resolved, checked, with every default written out.

    A model's own search space moves to ``search.space``. ``skip`` names sections that cannot be
    checked since their group's option is unknown.
    """
    found = list(problems or [])
    plain = _resolved(config, found)
    _move_space(plain)
    plain["name"] = plain.get("name") or choices.get("data", "model")
    sections = {**dict.fromkeys(BUILT), **schema}
    complete: dict[str, Any] = {"choices": dict(choices)}
    for key, value in plain.items():
        if key in (skip or ()):
            continue
        if key not in sections and key not in _PLAIN:
            found.append(f"{key}: there is no such key{nearest(key, [*sections, *_PLAIN])}")
            continue
        section_problems = list(_problems(key, value, schema))
        found += section_problems
        if not section_problems:
            complete[key] = _written_out(key, value, schema)
    if not found:
        found += _space_problems(complete)
    if found:
        raise ConfigError(found)
    return complete


_PLAIN: dict[str, Any] = {"name": str, "seed": int}


def _resolved(config: DictConfig, problems: list[str]) -> dict[str, Any]:
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        problems.append(f"{error.full_key or 'configuration'}: {str(error.msg).splitlines()[0]}")
        plain = OmegaConf.to_container(config, resolve=False)
    return {str(key): _without_missing(value) for key, value in plain.items()}  # type: ignore[union-attr]


def _without_missing(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    return {key: _without_missing(value) for key, value in node.items() if value != _MISSING}


def _move_space(plain: dict[str, Any]) -> None:
    own = plain.get("model", {}).pop("space", None) or {}
    search = plain.get("search")
    if isinstance(search, dict):
        is_asked = search.get("trials") != 0
        search["space"] = _merged_space(own, search.get("space") or {}) if is_asked else {}


def _merged_space(own: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """``chosen`` wins key by key; null takes a dimension out."""
    merged = {**own}
    for key, value in chosen.items():
        both_nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged_space(merged[key], value) if both_nested else value
    return {key: value for key, value in merged.items() if value is not None}


def _problems(key: str, value: Any, schema: Schema) -> Iterator[str]:
    try:
        if key in _PLAIN:
            checked(_PLAIN[key], value, where=key)
        elif key in schema:
            yield from problems_of(schema[key], value, where=key)
        else:
            build(value, where=key)
    except ConfigError as error:
        yield from error.problems


def _written_out(key: str, value: Any, schema: Schema) -> Any:
    if key in _PLAIN:
        return checked(_PLAIN[key], value, where=key)
    if key in schema:
        return _plain(dataclasses.asdict(typed(schema[key], value, where=key)))
    knobs: Any = build(value, where=key)
    return {"_target_": value["_target_"], **_plain(dataclasses.asdict(knobs))}


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node


def _space_problems(config: Mapping[str, Any]) -> list[str]:
    search = config.get("search", {})
    try:
        parse_space(search.get("space", {}), config=config)
    except ConfigError as error:
        return list(error.problems)
    return []


def difference(config: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return, nested, what ``config`` sets otherwise than ``base``: the ``set`` of params.yaml."""
    changed: dict[str, Any] = {}
    for key, value in config.items():
        if key == "choices" or (key in base and base[key] == value):
            continue
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            changed[key] = difference(value, base[key])
        else:
            changed[key] = value
    return changed
