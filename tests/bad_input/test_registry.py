"""A registry that has not what is asked for: models, versions, aliases and runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.bad_input.way import Case, Place
from tests.cli.small import table_graph

from assay.tracking import registry
from assay.tracking.explore import explore_run

ROWS = "size,colour\n1,red\n2,blue\n"


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """A home with the model 'flowers', and a run whose configuration is no configuration."""
    folder = tmp_path_factory.mktemp("registered")
    shutil.copytree(empty_store, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        file = folder / "graph.onnx"
        signature = table_graph(file)
        example = pd.DataFrame({"size": [1.0], "colour": ["red"]})
        with explore_run(name="odd", parent=None, config={"choices": "none"}) as tracked:
            version = registry.register(
                "flowers", run_id=tracked.run_id, graph=file, signature=signature,
                example=example, tags={},
            )  # fmt: skip
        registry.set_alias(version, "champion")
        (folder / "odd.txt").write_text(tracked.run_id)
        yield folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered: Path) -> Place:
    place = Place(tmp_path, monkeypatch)
    monkeypatch.setenv("ASSAY_HOME", str(registered))
    return place


def _predict(uri: str, *says: str, rows: str = ROWS) -> Case:
    return Case(way=f"assay predict {uri} in.csv -o out.csv", files={"in.csv": rows}, says=says)


CASES = {
    "no address": _predict("flowers", "expected models:/NAME@champion or models:/NAME/VERSION", "flowers"),
    "an address of runs": _predict("runs:/abc/model", "expected models:/NAME@champion"),
    "an address of a file": _predict("/tmp/model.onnx", "expected models:/NAME@champion"),
    "an address with a path": _predict("models:/../flowers/1", "expected models:/NAME@champion"),
    "an unknown model": _predict("models:/flower@champion", "no registered model 'flower'", "'flowers'?"),
    "an unknown alias": _predict("models:/flowers@champoin", "no alias 'champoin'", "@champion (version 1)"),
    "an unknown version": _predict("models:/flowers/9", "no version 9", "version 1"),
    "a version without end": _predict("models:/flowers/99999999999999999999", "models:/flowers/9999"),
    "no rows": _predict("models:/flowers/1", "in.csv has 0 rows", rows="size,colour\n"),
    "rows without a column": _predict("models:/flowers/1", "column 'colour' is missing", rows="size\n1\n"),
    "rows with a near name": _predict("models:/flowers/1", "did you mean 'color'", rows="size,color\n1,red\n"),
    "a word for a number": _predict("models:/flowers/1", "row 0: expected a number", rows="size,colour\nbig,red\n"),
    "an infinite number": _predict("models:/flowers/1", "expected a finite number", rows="size,colour\ninf,red\n"),
    "rows that are scored already": _predict(
        "models:/flowers/1", "named like what is added", rows="size,colour,prediction\n1,red,no\n"
    ),
    "an image for a table": Case(
        way="assay predict models:/flowers/1 in.npy -o out.csv", files={"in.npy": b"\x93NUMPY"}, says="in.npy"
    ),
    "an id of no run": Case(way="assay use run:abcdef12", says=("has no run", "'abcdef12'")),
    "an id that is no number": Case(way="assay use run:zz", says="expected a run id such as 3f9c0a12"),
    "no id": Case(way="assay use run:", says="expected a run id"),
    "a quote for an id": Case(way="""assay use "run:a' OR 1=1" """, says="expected a run id"),
    "an id of no sweep": Case(way="assay use sweep:abcdef12", says="has no sweep or stage or pipeline 'abcdef12'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_the_registry_has_not(place: Place, case: str) -> None:
    place.refuses(CASES[case])
    assert not (place.root / "out.csv").exists()


def test_a_run_that_holds_no_configuration(place: Place, registered: Path) -> None:
    run = (registered / "odd.txt").read_text()
    place.refuses(Case(way=f"assay use run:{run}", says="holds no configuration of Assay"))
