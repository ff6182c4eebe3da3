"""What was understood of the user's data: a table on the terminal, and a data card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from assay.artifacts.files import digest
from assay.data.describe import Description, comma_columns, date_columns
from assay.data.raw import Raw
from assay.data.spec import Task

_HEADERS = ("column", "used as", "missing", "distinct", "values")
_COUNTS = ("missing", "distinct")
_SHOWN = 8


def show(columns: Sequence[Description], raw: Raw, *, name: str) -> None:
    """Print each column, the labels, and what was left out."""
    table = Table(title=f"{name}: {_rows(raw)}", title_justify="left")
    for header in _HEADERS:
        justify = "right" if header in _COUNTS else "left"
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]  # one of two words
    for c in columns:
        table.add_row(c.name, c.used_as, str(c.missing or ""), str(c.distinct), c.values)
    Console().print(table)
    for line in _further(raw):
        click.echo(line)
    if dates := date_columns(raw):
        click.echo(
            f"dates, each taken as a category of its own: {', '.join(dates)}; --time COLUMN divides"
            " by one, --ignore COLUMN leaves it out"
        )
    if commas := comma_columns(raw):
        click.echo(
            f"numbers with commas, each taken as a category of its own: {', '.join(commas)}; write "
            "them in the file with a point, as in 3.5"
        )


def card(
    raw: Raw,
    *,
    name: str,
    source: Path,
    stored: Sequence[Path],
    task: Task,
    columns: Sequence[Description],
) -> str:
    """Return the data card; ``stored`` is where the data lie now."""
    cells = [(c.name, c.used_as, str(c.missing), str(c.distinct), c.values) for c in columns]
    rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in cells]
    what = task.replace("_", " ") + (f" of `{raw.roles.target}`" if raw.roles.target else "")
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{_rows(raw)} from `{plain(source)}`; {what}.",
            *(f"SHA-256 of `{place.name}`: `{digest(place)}`." for place in stored),
            *(f"{line}." for line in _further(raw)),
            "",
            "Where it is from, who may use it, what it leaves out: to be said here.",
            "",
            "| column | used as | missing | distinct | values |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def plain(file: Path) -> str:
    """Return a file's name on one line, in letters that a file can hold."""
    return " ".join(file.name.encode(errors="replace").decode().split())


def _rows(raw: Raw) -> str:
    if raw.forecast is not None:
        ahead = np.asarray(raw.targets).shape[1]
        return f"{len(raw.frame)} windows of {raw.forecast.window} steps and the {ahead} after them"
    if raw.images is None:
        return f"{len(raw.frame)} rows"
    channels, height, width = raw.images.shape[1:]
    return f"{len(raw.frame)} images of {height} x {width} x {channels}"


def _further(raw: Raw) -> list[str]:
    lines = [f"left out: {note}" for note in raw.notes]
    if raw.labels:
        counts = np.asarray(raw.targets).sum(0, dtype=int).tolist()
        pairs = zip(raw.labels, counts, strict=True)
        lines.append("labels: " + ", ".join(f"{label} ({count})" for label, count in pairs))
    if raw.forecast is not None:
        series = raw.forecast.series
        begins, *_, ends = raw.frame.columns
        first, last = raw.frame[begins].iloc[0], raw.frame[ends].iloc[-1]
        lines.append(f"to forecast: {_some(series)}; {raw.forecast.steps} steps, {first} to {last}")
        if besides := raw.channels[len(series) :]:
            lines.append(f"seen besides: {_some(besides)}")
    return lines


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
