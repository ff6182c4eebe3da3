"""Names from configuration and data never become paths outside of the places that they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.bad_input.way import Place

from assay.cli.add import _name
from assay.data.csv import Csv
from assay.data.place import require_own_data
from assay.errors import ConfigError
from assay.figures.classification import confusion_matrix
from assay.split.prepare import prepare
from assay.tracking.registry import _logged_name

OUTSIDE = [
    "/etc/passwd",
    "../x.csv",
    "data/../../x.csv",
    "..",
    ".",
    "",
    "a\0b",
    "~/x.csv",
    "./../x",
]
HOSTILE = ["../../x", "/etc/x", "a/b", "..", "a\nb", "a\0b", "x" * 300, "-rf", "~", "$HOME", "a\\b"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_the_data_of_the_record_lie_in_the_project(path: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.path: .* lies outside of the project"):
        require_own_data(path)


@pytest.mark.parametrize(
    "path", ["data/churn/churn.csv", "churn.csv", "./a/../b.csv", "a..b.csv", "..a.csv"]
)
def test_what_lies_in_the_project_is_taken(path: str) -> None:
    require_own_data(path)


def test_prepare_refuses_what_compose_was_not_asked(place: Place, tmp_path: Path) -> None:
    """A configuration that was written by hand is refused by its manifest; a whole one by the place."""
    (tmp_path.parent / "x.csv").write_text("a,y\n" + "1,0\n2,1\n" * 20)
    place.put({"params.yaml": "data: digits\nmodel: mlp\n"})
    assert place.run("stage compose").status == 0
    config = place.root / "artifacts/config.yaml"
    config.write_text(config.read_text().replace("assay.data.digits.Digits", "assay.data.csv.Csv"))
    ended = place.run("stage prepare")
    assert ended.status == 1
    assert "artifacts/config.yaml was changed" in ended.said


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_data_sets_are_words(name: str) -> None:
    try:
        found = _name(name)
    except ConfigError as error:
        assert "--name: expected a word" in str(error)
    else:
        assert found.isidentifier()


@pytest.mark.parametrize("name", HOSTILE[:4])
def test_a_registered_name_is_no_path(place: Place, name: str) -> None:
    assert "/" not in _logged_name(name)
    place.put({"params.yaml": f"data: digits\nmodel: mlp\nset: {{name: {name!r}}}\n"})
    ended = place.run("stage compose")
    assert (ended.status, "name: expected at most 100 letters" in ended.said) == (1, True)


def test_columns_and_classes_with_paths_in_their_names_stay_names(tmp_path: Path) -> None:
    """Prepared files are named by Assay alone, whatever columns and classes are called."""
    rows = 60
    frame = pd.DataFrame({name: np.arange(rows) % 7 for name in ("../../up", "/etc/x", "a/b")})
    frame["../y"] = np.where(np.arange(rows) % 2, "../../yes", "/no")
    frame.to_csv(tmp_path / "t.csv", index=False)
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    prepare(Csv(path=str(tmp_path / "t.csv"), target="../y"), folder=folder)
    names = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    splits = {f"deep/down/{s}/{n}" for s in ("train", "valid", "test") for n in _FILES}
    assert names == {"t.csv", "deep/down/spec.json", "deep/down/checks.json", *splits}


_FILES = ("numeric.npy", "target.npy", "rows.parquet")


def test_a_class_of_any_name_can_be_drawn(tmp_path: Path) -> None:
    classes = ["../../yes", "x" * 300]
    table = pd.DataFrame({"actual": classes * 3, "predicted": classes[::-1] * 3})
    confusion_matrix(table, classes=classes).savefig(tmp_path / "confusion.png")
    assert [p.name for p in tmp_path.iterdir()] == ["confusion.png"]


@pytest.mark.parametrize("name", ["../params", "/etc/passwd", "..", "a/b", "digits-mlp.yaml"])
def test_experiments_are_named_not_addressed(place: Place, name: str) -> None:
    for way in (f"assay use {name}", f"assay run --from {name}"):
        ended = place.run(way)
        assert ended.status == 1
        assert f"'{name}' is no ready-made experiment" in ended.said
