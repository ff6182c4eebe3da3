"""The verb ``assay serve``: a registered version answers requests over HTTP."""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path
from typing import Any

import click

from assay.artifacts.files import read_json
from assay.artifacts.paths import home
from assay.data.prepared import LENGTHS
from assay.data.tokenizer import decode
from assay.inference.session import Session
from assay.inference.signature import IMAGE, TOKENS, Signature, read_signature
from assay.tracking.answering import write_answering
from assay.tracking.contents import DIGEST
from assay.tracking.registry import GRAPH, SIGNATURE, address, fetch, resolve
from assay.tracking.server import HOST, reached, scoring, watch

_EXAMPLE = "serving_input_example.json"  # MLflow writes it beside every model
_INLINE = 2000


@click.command("serve")
@click.argument("model", metavar="MODEL")
@click.option("--port", default=5001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default=HOST, show_default=True, help="0.0.0.0 lets other machines in.")
def command(*, model: str, port: int, host: str) -> None:
    """Serve MODEL (models:/NAME@champion, models:/NAME/VERSION or NAME) until Ctrl-C.

    The version's files are checked against its manifest, then MLflow's scoring server answers
    requests with its graph. An alias that moves later changes nothing: start it again.
    """
    version = resolve(address(model))
    log = home() / f"serve-{port}.log"
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch(version, Path(scratch))
        signature = read_signature(folder / SIGNATURE)
        Session(folder / GRAPH).require(signature)
        write_answering(folder, answering := Path(scratch, "answering"))
        click.echo("starting MLflow's scoring server ...")
        with scoring(answering, port=port, host=host, log=log) as server:
            url = f"http://{reached(host)}:{port}/invocations"
            found = f"version {version.number} (manifest {version.tags[DIGEST][:12]})"
            click.echo(f"{address(model)}: {found} answers at {url}")
            if host != HOST:
                click.echo(
                    f"it listens on {host}: whoever reaches it may ask, and needs no password"
                )
            _tell_how_to_ask(
                read_json(folder / _EXAMPLE), signature, url, Path(scratch, "row.json")
            )
            click.echo("Ctrl-C ends it")
            watch(server, log=log)


def _tell_how_to_ask(example: dict[str, Any], signature: Signature, url: str, file: Path) -> None:
    """Print a request that works as it stands, for images also one with an array of the user's."""
    send = f"curl -H 'Content-Type: application/json' {url} -d"
    row = json.dumps(_without_nan(_one_row(example, signature)))
    if len(row) > _INLINE:
        file.write_text(row)
        row = f"@{file}"
    click.echo(f"{send} {shlex.quote(row)}")
    if [tensor.name for tensor in signature.inputs] == [IMAGE]:
        shape = " x ".join(map(str, ("rows", *signature.inputs[0].shape[1:])))
        click.echo(f"images from an array of {shape}, whole numbers from 0 to 255:")
        payload = f"{{'inputs': {{'{IMAGE}': numpy.load('images.npy').tolist()}}}}"
        click.echo(f'python -c "import json, numpy; print(json.dumps({payload}))" | {send} @-')


def _without_nan(request: dict[str, Any]) -> Any:
    """Return a request with null for what is missing: JSON has no word for NaN, Python writes one."""
    return json.loads(json.dumps(request), parse_constant=lambda _: None)


def _one_row(example: dict[str, Any], signature: Signature) -> dict[str, Any]:
    """Return a request of one row, in the words of the user's data, made of MLflow's example."""
    if "dataframe_split" in example:
        table = example["dataframe_split"]
        return {"dataframe_records": [dict(zip(table["columns"], table["data"][0], strict=True))]}
    arrays = {name: rows[0] for name, rows in example["inputs"].items()}
    length = arrays.pop(LENGTHS, None)
    if signature.text:
        text = decode(signature.text.tokenizer, arrays[TOKENS][:length])
        return {"dataframe_records": [{signature.text.column: text}]}
    return {"dataframe_records": [{name: row[:length] for name, row in arrays.items()}]}
