"""The verb ``assay ui``: MLflow's UI on the project's tracking store."""

from __future__ import annotations

import webbrowser

import click

from assay.tracking.invocation import record_restored
from assay.tracking.orphans import close_orphans
from assay.tracking.server import HOST, serving
from assay.tracking.store import Store, open_store
from assay.tracking.view import runs_page


@click.command("ui")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(*, port: int, no_browser: bool) -> None:
    """Open the MLflow UI on the project's tracking store, for this machine alone."""
    store = open_store()
    close_orphans(store)
    if record_restored(store):
        click.echo("recorded that the files in artifacts/ were restored, not made by a run here")
    if store.uri.startswith(("http://", "https://")):
        _show(store, store.uri, no_browser=no_browser)
        return
    click.echo("starting MLflow's server ...")
    with serving(store, port=port) as server:
        _show(store, f"http://{HOST}:{port}", no_browser=no_browser)
        click.echo("Ctrl-C ends it")
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo()


def _show(store: Store, address: str, *, no_browser: bool) -> None:
    page = runs_page(store, address)
    click.echo(page)
    if not no_browser:
        webbrowser.open(page)
