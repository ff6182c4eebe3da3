"""``assay continue``: let a registered language model go on with a text."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from assay.data.spec import required
from assay.data.tokenizer import decode, encode
from assay.errors import ConfigError
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.pipeline.evaluating.sampling import continued
from assay.tracking.registry import GRAPH, SIGNATURE, fetch, resolve


@click.command()
@click.argument("model", metavar="MODEL_URI")
@click.argument("text")
@click.option("--tokens", default=100, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--temperature",
    default=0.8,
    show_default=True,
    type=click.FloatRange(min=0.05, max=10),
    help="Low: only what is most probable; high: anything.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def command(model: str, text: str, tokens: int, temperature: float, seed: int) -> None:
    """Go on with TEXT as a registered language model would.

    MODEL_URI is models:/NAME@champion or models:/NAME/VERSION. The same seed gives the same text.
    """
    version = resolve(model)
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch(version, Path(scratch))
        signature = read_signature(folder / SIGNATURE)
        if signature.task != "language_modelling":
            raise ConfigError(
                [
                    f"{version.uri} is a model for {signature.task}, and only a language model goes "
                    f"on with a text: call 'assay predict {version.uri} IN.csv -o OUT.csv'"
                ]
            )
        session = Session(folder / GRAPH)
        session.require(signature)
    known = required(signature.text)
    begun = encode(known.tokenizer, [text], steps=None).row(0).tolist()
    drawn = continued(
        session, begun, more=tokens, longest=known.steps, seed=seed, temperature=temperature
    )
    click.echo(decode(known.tokenizer, [*begun, *drawn]).strip())
