"""Images of the user's become a data set of the project, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from PIL import Image
from tests.cli.conftest import content

from assay.cli.add import command
from assay.cli.kinds import kinds
from assay.config.compose import compose_params, read_params
from assay.config.load import build
from assay.errors import ConfigError, DataError
from assay.pipeline.composing.schema import SCHEMA


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    folder = tmp_path / "Birds"
    lines = ["picture,species,sky,water"]
    for i in range(16):
        name = ("owl", "tit")[i % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 9), (10 * i, 0, 0)).save(folder / name / f"{i}.png")
        lines.append(f"{name}/{i}.png,{name},{int(i % 3 == 0)},{int(i < 6)}")
    (folder / "seen.csv").write_text("\n".join(lines) + "\n")
    return folder


def _add(*words: str | Path) -> Result:
    return CliRunner().invoke(command, list(map(str, words)))


def _data(project: Path) -> tuple[dict, object]:
    params = read_params(project / "params.yaml")
    config = compose_params(project / "conf", params, schema=SCHEMA)
    return params, build(config["data"], where="data")


def test_a_folder_of_images(project: Path, birds: Path) -> None:
    result = _add(birds, "--set", "pictures.height=8", "--set", "pictures.width=10")
    assert result.exit_code == 0, result.output
    assert "birds: 16 images of 8 x 10 x 3" in result.output
    assert "left out: 1 files are no pictures of a class: 1 .csv" in result.output
    folder = project / "data/birds"
    assert {p.name for p in folder.iterdir()} == {"images", "images.dvc", "README.md", ".gitignore"}
    assert (folder / "images/owl/0.png").read_bytes() == (birds / "owl/0.png").read_bytes()
    params, data = _data(project)
    assert (params["data"], params["model"]) == ("birds", "cnn")
    assert data.path == "data/birds/images" and data.pictures.width == 10
    assert len(data.read().frame) == 16
    assert (
        "16 images of 8 x 10 x 3 from `Birds`; classification of `class`."
        in (folder / "README.md").read_text()
    )


def test_a_table_of_images_with_several_labels(project: Path, birds: Path) -> None:
    words = ["--image", "picture", "--target", "sky", "--target", "water", "--name", "seen"]
    result = _add(birds / "seen.csv", *words)
    assert result.exit_code == 0, result.output
    assert "labels: sky (6), water (6)" in result.output
    folder = project / "data/seen"
    tracked = {p.name for p in folder.iterdir()}
    assert tracked == {
        "seen.csv",
        "seen.csv.dvc",
        "images",
        "images.dvc",
        "README.md",
        ".gitignore",
    }
    assert sorted(p.name for p in (folder / "images").iterdir()) == ["owl", "tit"]
    params, data = _data(project)
    assert params["model"] == "cnn"
    assert (data.path, data.folder) == ("data/seen/seen.csv", "data/seen/images")
    assert (data.target, data.task) == (("sky", "water"), "multilabel")
    raw = data.read()
    assert raw.labels == ("sky", "water") and len(raw.images) == 16


def test_another_kind_of_the_same_name_leaves_nothing_of_the_first(
    project: Path, birds: Path
) -> None:
    assert _add(birds, "--name", "mine").exit_code == 0
    table = ["--target", "species", "--ignore", "picture", "--name", "mine"]
    assert isinstance(_add(birds / "seen.csv", *table).exception, ConfigError)
    assert _add(birds / "seen.csv", *table, "--force").exit_code == 0
    assert {p.name for p in (project / "data/mine").iterdir()} == {
        "mine.csv", "mine.csv.dvc", "README.md", ".gitignore"
    }  # fmt: skip
    params, data = _data(project)
    assert params["model"] == "mlp" and data.path == "data/mine/mine.csv"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kind", "image_foldr"], "did you mean 'image_folder'?"),
        (["--group", "nest"], "--group: data of the kind image_folder has no such thing"),
        (["--set", "picture.height=1"], "--set picture.height=1: expected KEY=VALUE"),
        (["--set", "pictures.height=none"], "pictures.height"),
        (["--kind", "image_csv"], "--target: data of the kind image_csv needs it"),
    ],
)
def test_what_is_refused_leaves_nothing(
    project: Path,
    birds: Path,
    words: list[str],
    message: str,
) -> None:
    before = content(project)
    result = _add(birds, *words)
    assert isinstance(result.exception, (ConfigError, DataError))
    assert message in str(result.exception)
    assert content(project) == before


def test_every_kind_of_ones_own_data_can_be_added(project: Path) -> None:
    found = kinds(project / "conf")
    assert {"csv", "image_csv", "image_folder"} <= set(found)
    for kind in found:
        node = yaml.safe_load((project / f"conf/data/{kind}.yaml").read_text())
        assert node["path"] == "???" and node["split"]
