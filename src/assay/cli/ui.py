"""The verb ``assay ui``: MLflow's UI on the project's tracking store."""

from __future__ import annotations

import webbrowser

import click

from assay.tracking.invocation import record_restored
from assay.tracking.orphans import close_orphans
from assay.tracking.server import HOST, reached, serving
from assay.tracking.store import Store, open_store
from assay.tracking.view import runs_page


@click.command("ui")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default=HOST, show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(*, port: int, host: str, no_browser: bool) -> None:
    """Open the MLflow UI on the project's tracking store, for this machine alone by default."""
    store = open_store()
    close_orphans(store)
    if record_restored(store):
        click.echo("recorded that the files in artifacts/ were restored, not made by a run here")
    if store.uri.startswith(("http://", "https://")):
        _show(store, store.uri, no_browser=no_browser)
        return
    click.echo("starting MLflow's server ...")
    with serving(store, port=port, host=host) as server:
        if host != HOST:
            click.echo(f"it listens on {host}: whoever reaches it may read and change every run")
        _show(store, f"http://{reached(host)}:{port}", no_browser=no_browser)
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
