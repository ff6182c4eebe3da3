"""Compose with Hydra what ``params.yaml`` names, and check all of it before any stage runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.utils import execution_whitelist
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BeforeValidator
from yaml import YAMLError

from assay.config.check import checked, problems_of
from assay.config.load import ALLOWED_TARGETS, build, merged, typed
from assay.config.names import Name, no_boolean
from assay.config.resolvers import refused_functions
from assay.config.secrecy import refuse_secrets
from assay.config.space import SEARCHABLE, WHEN, flattened, parse_space
from assay.errors import ConfigError, nearest
from assay.space import Dimension, extremes

Schema = Mapping[str, type]
BUILT = ("data", "model")
_LARGEST_SEED = 2**32 - 1
SET = "set"
_MISSING = "???"
_PLAIN: dict[str, Any] = {
    "name": Name,
    "seed": Annotated[int, BeforeValidator(no_boolean), Ge(0), Le(_LARGEST_SEED)],
}
# ValueError: a number or a date that YAML's constructors cannot make; RecursionError: deep nesting
_UNREADABLE = (YAMLError, OmegaConfBaseException, OSError, ValueError, RecursionError)
_UNGROUPED = ("repeats", "export", "evaluate", "explain")
_ENVIRONMENT = "oc.env"
_CONDITIONS = f"{WHEN}."


def groups(conf: Path) -> dict[str, list[str]]:
    """Return the options of each group that ``conf/`` holds."""
    folders = sorted(p for p in conf.iterdir() if p.is_dir() and p.name != "hydra")
    return {folder.name: sorted(file.stem for file in folder.glob("*.yaml")) for folder in folders}


def read_params(path: Path) -> dict[str, Any]:
    """Return ``params.yaml`` or a ready-made experiment, its values read as those in ``conf/``.

    Raises ConfigError where it is missing, is no mapping, or says a key twice.
    """
    if not path.is_file():
        raise ConfigError([f"{path} is missing: it names one option for each group in conf/"])
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except _UNREADABLE as error:
        raise ConfigError([f"{path}: {_in_a_line(error)}"]) from error
    if not isinstance(content, Mapping) or not content:
        raise ConfigError([f"{path}: expected group names with options and 'set', got {content!r}"])
    return {**{str(key): value for key, value in content.items()}, SET: content.get(SET) or {}}


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def compose_params(conf: Path, params: Mapping[str, Any], *, schema: Schema) -> dict[str, Any]:
    """Return the resolved, checked configuration that ``params`` (choices and ``set``) describe.

    A value under ``set`` is kept: what the model's own space says of it is not searched, unless
    ``set`` names it in ``search.space`` too. Where that leaves nothing to try, there is no trial.
    Raises ConfigError with every problem of choices, keys, values and search space at once.
    """
    settings = params.get(SET) or {}
    choices = {key: value for key, value in params.items() if key != SET}
    refuse_secrets({**choices, **(settings if isinstance(settings, Mapping) else {})})
    problems, valid = _check_choices(choices, groups(conf))
    config = composed(conf, [f"{group}={option}" for group, option in valid.items()])
    if not isinstance(settings, Mapping):
        raise ConfigError(
            [*problems, f"set: expected keys with values as in conf/, got {settings!r}"]
        )
    config = _with_settings(config, settings)
    given = {key for key, _ in flattened(settings)}
    skipped = {key for key in choices if key not in valid}
    return finish(
        config, choices=valid, schema=schema, problems=problems, skip=skipped, given=given
    )


def _with_settings(config: DictConfig, settings: Mapping[str, Any]) -> DictConfig:
    OmegaConf.set_struct(config, False)  # keys that are not there are reported later, all at once
    if flat := list(_lists_for_keys(config, settings)):
        raise ConfigError(flat)
    try:
        return OmegaConf.merge(config, settings)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        raise ConfigError([f"set: {_in_a_line(error)}"]) from error


def _lists_for_keys(config: Any, settings: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield a sentence for each list, or keys, that stand where the other is needed."""
    for key, value in settings.items():
        node = config._get_node(key) if isinstance(key, str) else None
        if isinstance(node, DictConfig) and isinstance(value, Mapping) and not node._is_none():
            yield from _lists_for_keys(node, value, f"{at}{key}.")
        elif isinstance(node, DictConfig) and isinstance(value, list):
            yield f"{at}{key}: expected keys with values, got {value!r}"
        elif isinstance(node, ListConfig) and isinstance(value, Mapping):
            yield f"{at}{key}: expected a list, got {value!r}"


def _check_choices(
    choices: Mapping[str, Any], known: Mapping[str, list[str]]
) -> tuple[list[str], dict[str, str]]:
    problems, valid = [], {}
    for group, option in choices.items():
        if group in _PLAIN or group in _UNGROUPED:
            problems.append(f"{group}: belongs under 'set'; groups are {', '.join(known)}")
        elif group not in known:
            problems.append(f"{group}: there is no such group{nearest(group, [*known, SET])}")
        elif option not in known[group]:
            hint = nearest(str(option), known[group])
            problems.append(f"{group}: there is no option {option!r}{hint}")
        else:
            valid[group] = option
    return problems, valid


def composed(conf: Path, overrides: Sequence[str]) -> DictConfig:
    """Return what Hydra composes of ``conf/``; ConfigError where it cannot."""
    before = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with execution_whitelist(ALLOWED_TARGETS), initialize_config_dir(str(conf.resolve())):
            return hydra_compose("config", overrides=list(overrides))
    except (HydraException, *_UNREADABLE) as error:
        raise ConfigError([f"{conf}: {_in_a_line(error)}"]) from error
    finally:
        GlobalHydra.instance().hydra = before


def finish(
    config: DictConfig,
    *,
    choices: Mapping[str, str],
    schema: Schema,
    problems: list[str] | None = None,
    skip: set[str] | None = None,
    given: Collection[str] = (),
) -> dict[str, Any]:
    """Return a composed configuration resolved, checked, with every default written out.

    A model's own search space, without the keys that are ``given``, moves to ``search.space``.
    ``skip`` names sections that cannot be checked since their group's option is unknown.
    """
    found = list(problems or [])
    plain = _resolved(config, found)
    found += _move_space(plain, given)
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
        told = {problem.split(":")[0] for problem in found}
        found += [p for p in section_problems if p.split(":")[0] not in told]
        if not section_problems:
            complete[key] = _written_out(key, value, schema)
    if {*SEARCHABLE, "search"} <= complete.keys():
        found += _space_problems(complete, schema)
    if found:
        raise ConfigError(found)
    return complete


def _resolved(config: DictConfig, problems: list[str]) -> dict[str, Any]:
    """Return plain mappings; raise ConfigError for functions, before any of them is called."""
    unresolved = dict(flattened(OmegaConf.to_container(config, resolve=False)))  # type: ignore[arg-type]
    refuse_secrets(unresolved, problems)
    calls = {key: found for key, v in unresolved.items() if (found := refused_functions(v))}
    if calls:
        sentences = (f"{key}: {_refusal(calls[key])}, got {unresolved[key]!r}" for key in calls)
        raise ConfigError([*problems, *sentences])
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        problems.append(f"{error.full_key or 'configuration'}: {str(error.msg).splitlines()[0]}")
        plain = OmegaConf.to_container(config, resolve=False)
    return {str(key): _without_missing(value) for key, value in plain.items()}  # type: ignore[union-attr]


def _refusal(functions: list[str]) -> str:
    if _ENVIRONMENT in functions:
        return (
            "environment variables are not read into the configuration, which is kept and shown "
            "in full; write the value, or for a secret the name of its variable"
        )
    return (
        f"the function '{functions[0]}' is not called here; write the value, or '${{another.key}}'"
    )


def _without_missing(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    return {key: _without_missing(value) for key, value in node.items() if value != _MISSING}


def _move_space(plain: dict[str, Any], given: Collection[str]) -> Iterator[str]:
    """Yield a sentence where a space is none."""
    model, search = plain.get("model"), plain.get("search")
    own = (model.pop("space", None) if isinstance(model, dict) else None) or {}
    if not isinstance(search, dict):
        return
    chosen = search.get("space") or {}
    search["space"] = {}
    for where, space in (("model.space", own), ("search.space", chosen)):
        if not isinstance(space, Mapping):
            yield f"{where}: expected keys with sweeps, got {space!r}"
            return
    if search.get("trials") == 0:
        return
    search["space"] = _merged_space(_without(own, given), chosen)
    if own and not search["space"] and not chosen:
        search["trials"] = 0


def _without(space: Mapping[str, Any], given: Collection[str], prefix: str = "") -> dict[str, Any]:
    """Return a space without the keys that are given, and without what they leave empty."""
    free: dict[str, Any] = {}
    for key, value in space.items():
        name = f"{prefix}{key}"
        # Below 'when' and its conditions the keys begin anew.
        inner = "" if prefix == _CONDITIONS else f"{name}."
        left = _without(value, given, inner) if isinstance(value, Mapping) else value
        if name not in given and left != {}:
            free[key] = left
    return free


def _merged_space(own: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """``chosen`` wins key by key; null takes a dimension out."""
    merged = {**own}
    for key, value in chosen.items():
        below = merged.get(key)
        known = below if isinstance(below, Mapping) else {}
        merged[key] = _merged_space(known, value) if isinstance(value, Mapping) else value
    return {key: value for key, value in merged.items() if value is not None and value != {}}


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


def _space_problems(config: Mapping[str, Any], schema: Schema) -> list[str]:
    try:
        space = parse_space(config["search"].get("space", {}), config=config)
    except ConfigError as error:
        return list(error.problems)
    misfit = (misfits(key, dimension, config, schema) for key, dimension in space.items())
    return [f"search.space.{problem}" for found in misfit for problem in found]


def misfits(
    key: str, dimension: Dimension, config: Mapping[str, Any], schema: Schema
) -> Iterator[str]:
    """Yield a sentence for each value (of an interval: each end) that its knob does not allow."""
    section = key.split(".")[0]
    for value in extremes(dimension):
        tried = merged(config, {key: value})[section]
        yield from _problems(section, tried, schema)


def difference(
    config: Mapping[str, Any], base: Mapping[str, Any], *, settled: Collection[str] = ()
) -> dict[str, Any]:
    """Return, nested, what ``config`` sets otherwise than ``base``: the ``set`` of params.yaml.

    What only ``base`` has, such as a dimension of its search space, is taken out by null; what
    is set is not searched, and needs none. The dotted keys that are ``settled`` are set in any case.
    """
    others = {key: value for key, value in config.items() if key != "search"}
    changed = _difference(others, {key: base[key] for key in base if key != "search"})
    leaves = dict(flattened(others))
    _put(changed, {key: leaves[key] for key in settled if key in leaves})
    search, before = {**config.get("search", {})}, {**base.get("search", {})}
    if isinstance(before.get("space"), Mapping) and isinstance(search.get("space"), Mapping):
        given = {key for key, _ in flattened(changed)}
        own = dict(flattened(before["space"]))
        same = {key for key, said in flattened(search["space"]) if own.get(key) == said}
        search["space"] = _without(search["space"], given & same | {*settled})
        before["space"] = _without(before["space"], given)
    searched = _difference(search, before)
    return {**changed, "search": searched} if searched else changed


def _put(node: dict[str, Any], values: Mapping[str, Any]) -> None:
    for dotted, value in values.items():
        *parents, last = dotted.split(".")
        place = node
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value


def _difference(config: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = dict.fromkeys(key for key in base if key not in config)
    for key, value in config.items():
        if key == "choices" or (key in base and base[key] == value):
            continue
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            changed[key] = _difference(value, base[key])
        else:
            changed[key] = value
    return changed
