"""``assay add``: make the user's file a data set of the project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from assay.artifacts.files import digest, read_yaml, write_text
from assay.artifacts.paths import project_root
from assay.config.compose import read_params
from assay.config.params import without_section, write_params
from assay.data.csv import Csv
from assay.data.describe import Description, date_columns, describe
from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import infer_task
from assay.data.validation import validate
from assay.errors import ArtifactError, ConfigError, DataError
from assay.pipeline.match import models_for

_TARGET = f"{Csv.__module__}.{Csv.__name__}"
_HYDRA_WORDS = {"null", "true", "false", "nan", "inf"}
_COLUMNS = ("sensitive", "ignore", "categorical", "numeric")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="The column to predict.")
@click.option("--name", help="The data set's name; default: the file's.")
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
@click.option("--task", type=click.Choice(["auto", "classification", "regression"]), default="auto")
@click.option("--encoding", default="utf-8", show_default=True)
@click.option("--separator", default=",", show_default=True)
@click.option("--force", is_flag=True, help="Replace the data set of that name.")
def command(file: Path, name: str | None, force: bool, **knobs: Any) -> None:
    """Make FILE (CSV or Parquet) a data set of the project; then: dvc repro."""
    root = project_root()
    name = _name(name or file.name.split(".")[0])
    _require_free(root, name, force=force)
    before = read_params(root / "params.yaml")
    choice = _choice(root, name, before)
    knobs |= {key: tuple(knobs[key]) for key in _COLUMNS}
    data = Csv(path=str(file), **knobs)
    raw = data.read()
    task = infer_task(raw.frame[data.target], chosen=data.task)
    validate(raw, task=task)
    columns = describe(raw, task=task)
    _show(columns, raw, name)
    folder, node = root / "data" / name, root / "conf" / "data" / f"{name}.yaml"
    with _undone_on_failure(folder, node):
        stored = _store(file, folder, name)
        write_text(folder / "README.md", _card(name, file, stored, raw, task, columns))
        _track(root, stored)
        known = {"path": str(stored.relative_to(root)), "task": task}
        _write(node, {**asdict(data), **known}, file)
        click.echo(write_params(root / "params.yaml", choice))
    if "model" in choice:
        click.echo(
            f"\nmodel '{choice['model']}' is chosen: '{before.get('model')}' takes no tables"
        )
    click.echo(f"\ndata set '{name}' is chosen; next: dvc repro")


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
    if not _is_added(file):
        raise ConfigError(
            [f"conf/data/{name}.yaml is no file of the user's: choose another --name"]
        )
    if not force:
        raise ConfigError(
            [
                f"conf/data/{name}.yaml is there already: choose another --name, or replace it with --force"
            ]
        )


def _is_added(file: Path) -> bool:
    node = read_yaml(file)
    return isinstance(node, Mapping) and node.get("_target_") == _TARGET and node["path"] != "???"


def _choice(root: Path, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What params.yaml is to say: the data, and a model that takes tables."""
    settings = without_section(params["set"], "data")
    chosen: dict[str, Any] = {"data": name}
    fitting = models_for(Csv.kind, conf=root / "conf")
    if not fitting:
        raise ConfigError(["no model in conf/model can take a table"])
    if params.get("model") not in fitting:
        chosen["model"] = fitting[0]
        settings = without_section(settings, "model")
    return {**chosen, "set": settings}


@contextmanager
def _undone_on_failure(*paths: Path) -> Iterator[None]:
    """Remove those paths that were not there before, if the block does not end well."""
    fresh = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in fresh:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        raise


def _store(file: Path, folder: Path, name: str) -> Path:
    """Copy the file whole, beside what may be a link into DVC's cache, then take its place."""
    endings = file.suffixes[-2:] if file.suffix == ".gz" else file.suffixes[-1:]
    stored = folder / (name + "".join(endings))
    if stored.exists() and stored.samefile(file):
        return stored
    draft = folder / f".{stored.name}.draft"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, draft)
        draft.replace(stored)
    except OSError as error:
        raise ArtifactError(f"{stored} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    _remove_predecessors(folder, stored=stored, source=file)
    return stored


def _remove_predecessors(folder: Path, *, stored: Path, source: Path) -> None:
    """Remove what an earlier file of another ending left: stages depend on the whole folder."""
    for pointer in folder.glob(f"{stored.name.split('.')[0]}.*.dvc"):
        old = pointer.with_suffix("")
        if old.name != stored.name and not (old.exists() and old.samefile(source)):
            old.unlink(missing_ok=True)
            pointer.unlink()


def _write(node: Path, knobs: Mapping[str, Any], file: Path) -> None:
    """Write each value as JSON, which is YAML that leaves no doubt what is text."""
    head = f"# Made by 'assay add {_shown(file)}'. How it is divided, and what columns are, may be edited.\n"
    lines = [f"{key}: {_json(value)}\n" for key, value in {"_target_": _TARGET, **knobs}.items()]
    write_text(node, head + "".join(lines))


def _shown(file: Path) -> str:
    """Return a file's name on one line, in letters that a file can hold."""
    return " ".join(file.name.encode(errors="replace").decode().split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("${", "\\\\${")


def _track(root: Path, stored: Path) -> None:
    where = stored.relative_to(root)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", "--quiet", str(where)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DataError(f"'dvc add {where}' failed: {done.stderr.strip() or done.stdout.strip()}")


def _show(columns: Sequence[Description], raw: Raw, name: str) -> None:
    table = Table(title=f"{name}: {len(raw.frame)} rows", title_justify="left")
    for header in ("column", "used as", "missing", "distinct", "values"):
        table.add_column(
            header,
            justify="right" if header in ("missing", "distinct") else "left",
            overflow="fold",
        )
    for c in columns:
        table.add_row(c.name, c.used_as, str(c.missing or ""), str(c.distinct), c.values)
    Console().print(table)
    if dates := date_columns(raw):
        click.echo(
            f"dates, each taken as a category of its own: {', '.join(dates)}; --time COLUMN divides"
            " by one, --ignore COLUMN leaves it out"
        )


def _card(
    name: str, file: Path, stored: Path, raw: Raw, task: Task, columns: Sequence[Description]
) -> str:
    cells = [(c.name, c.used_as, str(c.missing), str(c.distinct), c.values) for c in columns]
    rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in cells]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{len(raw.frame)} rows from `{_shown(file)}`; {task} of `{raw.roles.target}`.",
            f"SHA-256 of `{stored.name}`: `{digest(stored)}`.",
            "",
            "Where it is from, who may use it, what it leaves out: to be said here.",
            "",
            "| column | used as | missing | distinct | values |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
