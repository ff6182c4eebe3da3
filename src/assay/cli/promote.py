"""``assay promote``: make a registered version champion by hand, after asking the gate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from assay.artifacts.manifest import artifact
from assay.config.load import load
from assay.errors import TrackingError
from assay.gate.condition import Condition
from assay.gate.knobs import Gate
from assay.pipeline.registering.promotion import gate_of
from assay.tracking.moves import promote
from assay.tracking.registry import alone_with, champion_of, resolve


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    gate: Gate


def name_of(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse the address of a version where only a model's name has a meaning."""
    if re.search("[:/@]", value):
        raise click.BadParameter(f"expected the model's name alone, as in 'churn', got {value!r}")
    return value


@click.command()
@click.argument("name", callback=name_of)
@click.argument("version", metavar="VERSION")
@click.option("--reason", required=True, help="Kept as a tag of the version.")
@click.option("--force", is_flag=True, help="Also where the gate says no.")
def command(name: str, version: str, reason: str, *, force: bool) -> None:
    """Make VERSION of the model NAME champion: the gate is asked first, on the present test rows."""
    _require_reason(reason)
    with alone_with(name):
        chosen = resolve(f"models:/{name}/{version}")
        holder = champion_of(name)
        if holder is not None and holder.number == chosen.number:
            raise TrackingError(f"{chosen.uri} is champion already")
        conditions = gate_of(chosen, gate=_gate())
        Console().print(table(conditions))
        failed = [c.name for c in conditions if not c.passed]
        said = f"no: {'; '.join(failed)}" if failed else "yes: every condition passed"
        if failed and not force:
            raise TrackingError(
                f"{chosen.uri} stays what it is, because the gate says {said}; --force promotes it "
                "all the same"
            )
        said += " (forced)" if failed else ""
        promote(chosen, than=holder, reason=reason, said=said)
    click.echo(f"{chosen.uri} is champion; the gate says {said}")
    if holder is not None:
        click.echo(f"back to version {holder.number}: assay rollback {name} --reason ...")


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise click.BadParameter("say why, in words", param_hint="--reason")


def _gate() -> Gate:
    return load(_Chosen, artifact("compose", "config.yaml")).gate


def table(conditions: Sequence[Condition]) -> Table:
    """Return the gate's table."""
    shown = Table("condition", "wanted", "found", "verdict", "reason", title="the gate")
    for c in conditions:
        style = "" if c.passed else "bold red"
        shown.add_row(c.name, c.wanted, c.found, c.word, c.reason, style=style)
    return shown
