"""``assay rollback``: give the champion's alias back to the version that had it before."""

from __future__ import annotations

import click

from assay.cli.promote import name_of
from assay.tracking.moves import roll_back


@click.command()
@click.argument("name", callback=name_of)
@click.option("--reason", required=True, help="Kept as a tag of the version that steps down.")
def command(name: str, reason: str) -> None:
    """Make the version champion of NAME that was so before the present one."""
    if not reason.strip():
        raise click.BadParameter("say why, in words", param_hint="--reason")
    present, earlier = roll_back(name, reason=reason)
    click.echo(f"{earlier.uri} is champion again, {present.uri} no more")
