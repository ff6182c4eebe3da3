"""``assay explain``: why a model said what it said of single rows."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from pathlib import Path

import click
import numpy as np

from assay.artifacts.manifest import artifact
from assay.artifacts.paths import project_root
from assay.config.load import load
from assay.data.prepared import ID, Split
from assay.doctor.commands import dvc_cache
from assay.errors import ArtifactError, DataError, nearest
from assay.explanation.knobs import Explain
from assay.explanation.tables import attribution_table, cell_texts
from assay.pipeline.explaining.account import Account, Explained, account_of, last_run
from assay.pipeline.explaining.portraits import draw_explanations
from assay.pipeline.explaining.version import of_version
from assay.pipeline.explaining.words import output_names
from assay.pipeline.registering.verification import restored_test, restored_train
from assay.stages.explain import Params
from assay.tracking.registry import Version, address, fetch, resolve

_SHOWN = 8


@click.command()
@click.argument("model", required=False)
@click.option("--rows", required=True, help="Ids of test rows, with commas between: 3,17.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="A new folder for pictures and a table."
)
def command(model: str | None, rows: str, out: Path | None) -> None:
    """Explain test rows by their ids, by every method that is configured.

    Of the last 'dvc repro', or of MODEL (models:/NAME@champion, models:/NAME/VERSION or NAME) on its
    own test rows, restored by digest; with gradients where this code still builds its network.
    """
    out = out.absolute() if out else None
    if out is not None and out.exists():
        raise ArtifactError(f"{out} is there already: name a new folder")
    with tempfile.TemporaryDirectory() as scratch:
        if model is None:
            knobs = load(Params, artifact("compose", "config.yaml")).explain
            of = last_run(knobs)
        else:
            with chdir(project_root()):
                knobs, of = _registered(resolve(address(model)), Path(scratch))
        if of.signature.task == "generation":
            raise DataError(
                "a generator makes samples from noise and predicts no row: what its numbers do is in "
                "artifacts/explain/explanations.html"
            )
        found = account_of(knobs, of=of, asked=positions(of.test, rows))
    for row in found.subject.chosen.tolist():
        click.echo(_told(found, row))
    if out is not None:
        _write(found, out, top=knobs.top)
        click.echo(f"pictures and attributions: {out}")


def _registered(version: Version, scratch: Path) -> tuple[Explain, Explained]:
    """Fetch a version, bring back its rows, and return both with the knobs that it was made with."""
    folder = fetch(version, scratch)
    origin, cache = folder / "origin", dvc_cache(project_root())
    test = restored_test(version, origin, cache=cache, scratch=scratch)
    train = restored_train(test, origin, cache=cache, scratch=scratch)
    of = of_version(folder, train=Split(train.absolute()), test=Split(test.absolute()))
    return load(Params, origin / "config.yaml").explain, of


def positions(test: Split, rows: str) -> np.ndarray:
    """Return where in the test split the ids in ``rows`` lie, of an id that several rows have all.

    DataError names those that do not exist.
    """
    ids = test.rows()[ID].astype(str)
    place = {str(name): where for name, where in ids.groupby(ids, sort=False).indices.items()}
    wanted = list(dict.fromkeys(part.strip() for part in rows.split(",") if part.strip()))
    absent = [name for name in wanted if name not in place]
    if absent or not wanted:
        raise DataError(
            f"expected ids of the {len(ids)} test rows with commas between, but these are none of "
            f"them: {', '.join(absent) or 'nothing'}{nearest(absent[0] if absent else '', place)}"
        )
    return np.concatenate([place[name] for name in wanted])


def _told(found: Account, row: int) -> str:
    subject, names = found.subject, found.subject.sources.names
    output = int(subject.explained_output[row])
    label, value = output_names(found.signature)[output], subject.output[row, output]
    lines = [f"\nrow {subject.ids[row]}: {label} {value:.4g}, truly {subject.targets[row]}"]
    cells, shap = cell_texts(subject.sources, row), found.methods["shap"].values[row]
    others = [name for name in found.methods if name != "shap"]
    for place in np.argsort(-np.abs(shap), kind="stable")[:_SHOWN].tolist():
        also = ", ".join(f"{name} {found.methods[name].values[row, place]:+.3g}" for name in others)
        lines.append(f"  {names[place]} = {cells[place]}: shap {shap[place]:+.3g} ({also})")
    verdicts = {name: found.scores[name]["verdict"] for name in found.methods}
    return "\n".join([*lines, *(f"  {name}: {words}" for name, words in verdicts.items())])


def _write(found: Account, out: Path, *, top: int) -> None:
    draw_explanations(out, found, top=top)
    attribution_table(
        found.outcome,
        found.subject,
        outputs=output_names(found.signature),
        methods={name: judged.values for name, judged in found.methods.items()},
    ).to_csv(out / "attributions.csv", index=False, float_format="%.6g")
