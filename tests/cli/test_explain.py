import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from tests.sealed import seal
from tests.stages import test_register as made

from assay.artifacts.files import read_yaml, write_yaml
from assay.cli import explain
from assay.cli.explain import positions
from assay.data.prepared import Split
from assay.errors import ArtifactError, ConfigError, DataError, TrackingError
from assay.gate.knobs import Gate
from assay.pipeline.explaining.account import require_slices
from assay.stages import register

SMALL = {"rows": 2, "global_rows": 4, "background": 8, "samples": 1000, "lime_samples": 60}


@pytest.fixture
def test_split(tmp_path: Path) -> Split:
    np.save(tmp_path / "target.npy", np.zeros(3))
    pd.DataFrame({"__id__": ["3", "17", "40"]}).to_parquet(tmp_path / "rows.parquet")
    return Split(tmp_path)


def test_rows_are_found_by_their_ids_in_the_order_asked(test_split):
    assert positions(test_split, "40, 3,40").tolist() == [2, 0]


def test_an_id_that_several_rows_have_names_all_of_them(tmp_path):
    np.save(tmp_path / "target.npy", np.zeros(4))
    pd.DataFrame({"__id__": [7, 8, 7, 9]}).to_parquet(tmp_path / "rows.parquet")
    assert positions(Split(tmp_path), "9,7").tolist() == [3, 0, 2]


@pytest.mark.parametrize("rows", ["18,3", "", "x"])
def test_rows_that_do_not_exist_are_one_clear_message(test_split, rows):
    with pytest.raises(DataError, match="ids of the 3 test rows"):
        positions(test_split, rows)


def test_slices_that_the_data_does_not_have_are_named(test_split):
    with pytest.raises(ConfigError, match=r"explain\.slices: the data has no column 'region'"):
        require_slices(test_split, ("region",))


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A home in which the champion of 'flowers' is registered; its network's weights are no weights."""
    folder = tmp_path_factory.mktemp("explain")
    with pytest.MonkeyPatch.context() as patch:
        made.settle_in(folder, patch)
        made.pipeline(weight=2.0)
        config = read_yaml(folder / "artifacts/config.yaml")
        write_yaml(folder / "artifacts/config.yaml", {**config, "explain": SMALL})
        seal()
        register.run(register.Params(gate=Gate(), name="flowers"))
    return folder


@pytest.fixture
def call(registered, tmp_path, monkeypatch):
    for name in made.UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_HOME", str(registered / "home"))
    shutil.copytree(registered / "artifacts/prepare", tmp_path / "artifacts/prepare")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(explain.command, words, catch_exceptions=False)


def ids(registered):
    return Split(registered / "artifacts/prepare/test").rows()["__id__"].astype(str).tolist()


def test_rows_of_a_registered_version_are_explained_by_every_method(registered, call, tmp_path):
    first, second = ids(registered)[:2]
    out = tmp_path / "out"
    done = call("models:/flowers@champion", "--rows", f"{second},{first}", "-o", str(out))
    assert f"row {second}:" in done.output
    for words in ("size = ", "lime ", "occlusion ", "shap: ", "pictures and attributions"):
        assert words in done.output
    assert len(list(out.glob("row-*.png"))) == 2
    table = pd.read_csv(out / "attributions.csv")
    asked = table[table["reason"] == "asked for"]
    assert asked["id"].astype(str).unique().tolist() == [second, first]
    assert asked[["shap", "lime", "occlusion"]].notna().all(axis=None)
    colour = asked[asked["feature"] == "colour"]
    assert np.abs(colour[["shap", "occlusion"]]).max(axis=None) < 1e-6, "the graph does not use it"


def test_rows_or_versions_that_do_not_exist_are_one_clear_message(registered, call, tmp_path):
    with pytest.raises(DataError, match=r"ids of the \d+ test rows .*: none-such"):
        call("models:/flowers@champion", "--rows", f"{ids(registered)[0]},none-such")
    with pytest.raises(TrackingError, match=r"flowers.*9|9.*flowers"):
        call("models:/flowers/9", "--rows", "1")
    with pytest.raises(TrackingError, match="roses"):
        call("roses", "--rows", "1")
    with pytest.raises(ArtifactError, match="is there already: name a new folder"):
        call("flowers", "--rows", "1", "-o", str(tmp_path))


def test_outside_of_a_project_what_is_missing_is_one_clear_message(call, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(tmp_path / ".dvc")
    monkeypatch.chdir(elsewhere)
    with pytest.raises(
        ArtifactError, match=r"the test split of models:/flowers/1 .*go to the project"
    ):
        call("models:/flowers@champion", "--rows", "1")
