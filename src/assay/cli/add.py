"""``assay add``: make the user's file a data set of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from assay.artifacts.files import digest, write_text, write_yaml
from assay.artifacts.paths import project_root
from assay.config.compose import read_params
from assay.config.params import without_section, write_params
from assay.data.csv import Csv
from assay.data.describe import Description, describe
from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import infer_task
from assay.data.validation import validate
from assay.errors import ConfigError, DataError
from assay.pipeline.match import models_for

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
    knobs |= {key: tuple(knobs[key]) for key in _COLUMNS}
    data = Csv(path=str(file), **knobs)
    raw = data.read()
    task = infer_task(raw.frame[data.target], chosen=data.task)
    validate(raw, task=task)
    columns = describe(raw, task=task)
    _show(columns, raw, name)
    stored = _store(file, root / "data" / name, name)
    _write(
        root,
        name,
        Csv(**{**asdict(data), "path": f"data/{name}/{stored.name}", "split": data.split}),
    )
    write_text(root / "data" / name / "README.md", _card(name, file, stored, raw, task, columns))
    _track(root, stored)
    _choose(root, name)


def _name(text: str) -> str:
    name = re.sub(r"\W+", "_", text.lower()).strip("_")
    if not re.fullmatch(r"[a-z]\w*", name):
        raise ConfigError([f"--name: expected a word that begins with a letter, got {text!r}"])
    return name


def _require_free(root: Path, name: str, *, force: bool) -> None:
    if not (root / "dvc.yaml").is_file():
        raise ConfigError(
            [f"{root} is no Assay project (it has no dvc.yaml): call this inside one"]
        )
    if (root / "conf" / "data" / f"{name}.yaml").exists() and not force:
        raise ConfigError(
            [
                f"conf/data/{name}.yaml is there already: choose another --name, or replace it with --force"
            ]
        )


def _store(file: Path, folder: Path, name: str) -> Path:
    stored = folder / (
        name + "".join(file.suffixes[-2:] if file.suffix == ".gz" else file.suffixes[-1:])
    )
    folder.mkdir(parents=True, exist_ok=True)
    if not (stored.exists() and stored.samefile(file)):
        shutil.copyfile(file, stored)
    return stored


def _write(root: Path, name: str, data: Csv) -> None:
    node = {"_target_": f"{Csv.__module__}.{Csv.__name__}", **asdict(data)}
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in node.items()}
    write_yaml(root / "conf" / "data" / f"{name}.yaml", plain)


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


def _choose(root: Path, name: str) -> None:
    path = root / "params.yaml"
    params = read_params(path)
    settings = without_section(params["set"], "data")
    chosen: dict[str, Any] = {"data": name}
    fitting = models_for(Csv.kind, conf=root / "conf")
    if params.get("model") not in fitting:
        click.echo(f"model '{params.get('model')}' cannot take tables: '{fitting[0]}' is chosen")
        chosen["model"] = fitting[0]
        settings = without_section(settings, "model")
    click.echo(write_params(path, {**chosen, "set": settings}))
    click.echo(f"\ndata set '{name}' is chosen; next: dvc repro")


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


def _card(
    name: str, file: Path, stored: Path, raw: Raw, task: Task, columns: Sequence[Description]
) -> str:
    rows = [
        f"| {c.name} | {c.used_as} | {c.missing} | {c.distinct} | {c.values} |" for c in columns
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{len(raw.frame)} rows from `{file.name}`; {task} of `{raw.roles.target}`.",
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
