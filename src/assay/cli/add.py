"""``assay add``: make the user's data a data set of the project."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from assay.artifacts.files import read_yaml, write_text
from assay.artifacts.paths import project_root
from assay.cli.kinds import data_of, kind_of, kinds, node_of
from assay.cli.store import store, track, undone_on_failure
from assay.cli.understood import card, plain, show
from assay.cli.windows import with_windows_that_fit
from assay.config.blanks import blanks
from assay.config.compose import read_params
from assay.config.params import without_section, write_params
from assay.data.describe import describe
from assay.data.raw import DataSet
from assay.data.spec import Kind
from assay.data.table import task_of
from assay.data.validation import validate
from assay.errors import ConfigError, DataError
from assay.pipeline.composing.match import models_for, others_changed, preferred_for

_HYDRA_WORDS = {"null", "true", "false", "nan", "inf"}
_KINDS = {"table": "tables", "image": "images", "sequence": "sequences", "text": "texts"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", help="csv, image_folder, image_csv, ...; default: by FILE and the options.")
@click.option("--target", multiple=True, help="The column to predict; of yes and no: repeatable.")
@click.option("--name", help="The data set's name; default: the file's.")
@click.option("--image", help="The column with the pictures' paths: images named in a table.")
@click.option("--text", help="The column with the texts.")
@click.option("--label-separator", help="Cells of the target list labels, with this between them.")
@click.option("--id", help="A column that names each row.")
@click.option("--group", help="Rows of one group stay in one split.")
@click.option("--time", help="Train on the past, test on the future.")
@click.option("--split-column", help="A column that says train, valid or test.")
@click.option(
    "--sensitive", multiple=True, help="Report metrics for each of its values. Repeatable."
)
@click.option("--ignore", multiple=True, help="Not a feature. Repeatable.")
@click.option("--categorical", multiple=True, help="Numbers that are names. Repeatable.")
@click.option("--numeric", multiple=True, help="Must be numbers. Repeatable.")
@click.option("--task", help="Default: by the target's values.")
@click.option("--encoding", help="Of a table; default: utf-8.")
@click.option("--separator", help="Of a table's columns; default: a comma.")
@click.option(
    "--set", "settings", multiple=True, help="Any other value: pictures.height=96. Repeatable."
)
@click.option("--force", is_flag=True, help="Replace the data set of that name.")
def command(
    file: Path,
    kind: str | None,
    name: str | None,
    settings: tuple[str, ...],
    force: bool,
    **options: Any,
) -> None:
    """Make FILE a data set of the project: a table, a folder of images, texts, series.

    Then: dvc repro.
    """
    root = project_root()
    name = _name(name or file.name.split(".")[0])
    _require_free(root, name, force=force)
    before, conf = read_params(root / "params.yaml"), root / "conf"
    given = _given(options)
    kind = kind_of(file, given, chosen=kind, conf=conf)
    _require_there(file)
    node = node_of(kind, {"path": str(file), **given}, settings, conf=conf)
    data = data_of(node)
    data, raw = with_windows_that_fit(data, data.read(), settings)
    task = task_of(raw)
    validate(raw, task=task)
    choice = _choice(conf, name, before, data=data, task=task)
    columns = describe(raw, task=task)
    show(columns, raw, name=name)
    folder, option = root / "data" / name, conf / "data" / f"{name}.yaml"
    with undone_on_failure(folder, option):
        kept = store(file, folder, data=data)
        places = list(dict.fromkeys(kept.values()))
        text = card(raw, name=name, source=file, stored=places, task=task, columns=columns)
        write_text(folder / "README.md", text)
        for place in places:
            track(root, place)
        known = {key: str(place.relative_to(root)) for key, place in kept.items()}
        if "task" in {f.name for f in fields(data)}:  # type: ignore[arg-type]  # its knobs
            known["task"] = task
        _write(option, node["_target_"], {**asdict(data), **known}, file)  # type: ignore[call-overload]  # its knobs
        click.echo(write_params(root / "params.yaml", choice))
    if "model" in choice:
        click.echo(
            f"\nmodel '{choice['model']}' is chosen: '{before.get('model')}' takes no "
            f"{_KINDS[data.kind]}"
        )
    if "augmentation" in choice:
        click.echo("\nno augmentation is chosen: the one before changes another kind of data")
    click.echo(f"\ndata set '{name}' is chosen; next: dvc repro")


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given; one target is a column, several are a list."""
    given = {key: list(v) if isinstance(v, tuple) else v for key, v in options.items()}
    given = {key: value for key, value in given.items() if value not in (None, [])}
    if len(given.get("target", [])) == 1:
        given["target"] = given["target"][0]
    return given


def _require_there(file: Path) -> None:
    if not file.exists() and not file.parent.is_dir():
        raise DataError(
            f"{file}: there is no such file; the folder {file.parent} does not exist either"
        )


def _name(text: str) -> str:
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_")
    if not re.fullmatch(r"[a-z]\w*", name) or name in _HYDRA_WORDS:
        raise ConfigError([f"--name: expected a word that begins with a letter, got {text!r}"])
    return name


def _require_free(root: Path, name: str, *, force: bool) -> None:
    if not (root / "dvc.yaml").is_file():
        raise ConfigError(
            [f"{root} is no Assay project (it has no dvc.yaml): call this inside one"]
        )
    file = root / "conf" / "data" / f"{name}.yaml"
    if not file.exists():
        return
    if not _is_added(root / "conf", name):
        raise ConfigError(
            [f"conf/data/{name}.yaml is no file of the user's: choose another --name"]
        )
    if not force:
        raise ConfigError(
            [
                f"conf/data/{name}.yaml is there already: choose another --name, or replace it with --force"
            ]
        )


def _is_added(conf: Path, name: str) -> bool:
    """Whether an option was made here: it is of a kind of the user's own, and lacks nothing."""
    node = read_yaml(conf / "data" / f"{name}.yaml")
    own = {read_yaml(conf / "data" / f"{kind}.yaml").get("_target_") for kind in kinds(conf)}
    return isinstance(node, Mapping) and node.get("_target_") in own and not blanks(conf, name)


def _choice(
    conf: Path, name: str, params: Mapping[str, Any], *, data: DataSet, task: str
) -> dict[str, Any]:
    """What params.yaml is to say: the data, and a model that can take it."""
    settings = without_section(params["set"], "data")
    chosen: dict[str, Any] = {"data": name}
    fitting = preferred_for(data.kind, conf=conf, task=task)
    if not fitting:
        raise ConfigError([f"no model in conf/model can take {_KINDS[data.kind]} for {task}"])
    if params.get("model") not in models_for(data.kind, conf=conf, task=task):
        chosen["model"] = fitting[0]
        settings = without_section(settings, "model")
    if _is_for_others(conf, params, kind=data.kind):
        chosen["augmentation"] = "none"
        training = without_section(settings.get("training", {}), "augmentation")
        settings = {
            **without_section(settings, "training"),
            **({"training": training} if training else {}),
        }
    return {**chosen, "set": settings}


def _is_for_others(conf: Path, params: Mapping[str, Any], *, kind: Kind) -> bool:
    """Whether the augmentation that params.yaml chooses changes another kind of data."""
    option = read_yaml(conf / "augmentation" / f"{params.get('augmentation', 'none')}.yaml")
    own = (params["set"].get("training") or {}).get("augmentation") or {}
    is_of_images = kind != "image" and bool(own.get("samples"))
    return is_of_images or any(others_changed(part, kind) for part in (option, own))


def _write(option: Path, target: str, knobs: Mapping[str, Any], file: Path) -> None:
    """Write each value as JSON, which is YAML that leaves no doubt what is text."""
    head = f"# Made by 'assay add {plain(file)}'. How it is divided, and what columns are, may be edited.\n"
    lines = [f"{key}: {_json(value)}\n" for key, value in {"_target_": target, **knobs}.items()]
    write_text(option, head + "".join(lines))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("${", "\\\\${")
