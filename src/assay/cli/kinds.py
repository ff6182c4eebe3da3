"""What kind of data a file is, and the options of its kind as a node of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from assay.artifacts.files import read_yaml
from assay.config.blanks import blanks
from assay.config.load import build, target_class
from assay.data.raw import DataSet
from assay.errors import ConfigError, nearest

_TEXTS = {".md", ".rst", ".text", ".txt"}
_PATH, _FOLDER, _IMAGES = "path", "folder", "image_folder"


def kinds(conf: Path) -> list[str]:
    """Return the kinds of the user's own data: options in ``conf/data`` that need a path."""
    names = (file.stem for file in sorted((conf / "data").glob("*.yaml")))
    return [name for name in names if _PATH in blanks(conf, name)]


def kind_of(file: Path, given: Mapping[str, Any], *, chosen: str | None, conf: Path) -> str:
    """Return the chosen kind, or the one that the file and the given options suggest.

    Raises ConfigError for a kind that there is not.
    """
    known = kinds(conf)
    if chosen is not None and chosen not in known:
        raise ConfigError([f"--kind: there is no kind '{chosen}'{nearest(chosen, known)}"])
    return chosen or _inferred(file, given)


def _inferred(file: Path, given: Mapping[str, Any]) -> str:
    if file.is_dir():
        return _IMAGES
    if given.get("image"):
        return "image_csv"
    if given.get("text"):
        return "text_csv"
    return "text_file" if file.suffix.lower() in _TEXTS and not given.get("target") else "csv"


def node_of(kind: str, given: Mapping[str, Any], settings: Sequence[str], *, conf: Path) -> Any:
    """Return the kind's node with what is given in it; ConfigError names what it does not have.

    ``settings`` are further values, ``KEY=VALUE`` with dots within.
    """
    template: dict[str, Any] = read_yaml(conf / "data" / f"{kind}.yaml")
    node = {key: value for key, value in template.items() if key not in blanks(conf, kind)}
    known = {f.name for f in fields(target_class(template, where="data"))}
    problems = []
    for key, value in given.items():
        if key in known:
            node[key] = value
        else:
            problems.append(f"--{key.replace('_', '-')}: data of the kind {kind} has no such thing")
    problems += [p for word in settings if (p := _set(node, word, known))]
    missing = [key for key in blanks(conf, kind) if key not in node]
    problems += [f"--{key}: data of the kind {kind} needs it" for key in missing]
    if problems:
        raise ConfigError(problems)
    return node


def _set(node: dict[str, Any], word: str, known: set[str]) -> str:
    """Put ``KEY=VALUE`` into the node; return what is wrong with it, empty for nothing."""
    dotted, separator, text = word.partition("=")
    *parents, last = dotted.split(".")
    if not separator or (parents or [last])[0] not in known:
        return f"--set {word}: expected KEY=VALUE{nearest((parents or [last])[0], known)}"
    place: Any = node
    for parent in parents:
        place = place.setdefault(parent, {})
    try:
        place[last] = yaml.safe_load(text)
    except (yaml.YAMLError, TypeError) as error:
        return f"--set {word}: {' '.join(str(error).split())}"
    return ""


def data_of(node: Mapping[str, Any]) -> DataSet:
    """Return the data set that a node describes; ConfigError where its values do not fit."""
    data: DataSet = build(node, where="data")
    return data
