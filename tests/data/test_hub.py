"""Data sets of the Hugging Face hub, from local copies: images, texts and columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.data.hub import Hub
from assay.data.pictures import Pictures
from assay.errors import DataError

datasets = pytest.importorskip("datasets", reason="the extra datasets is not installed")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def _saved(folder: Path, columns: dict, features: dict, *, splits: tuple[str, ...] = ()) -> str:
    made = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    if splits:
        made = datasets.DatasetDict(dict.fromkeys(splits, made))
    made.save_to_disk(str(folder))
    return str(folder)


def test_columns_of_a_table_with_classes_by_name(tmp_path: Path) -> None:
    features = {
        "age": datasets.Value("int64"),
        "label": datasets.ClassLabel(names=["no", "yes"]),
    }
    path = _saved(tmp_path / "set", {"age": [3, 4, 5], "label": [0, 1, 1]}, features)
    hub = Hub(path=path, target="label")
    raw = hub.read()
    assert hub.kind == raw.kind == "table"
    assert list(raw.frame["label"]) == ["no", "yes", "yes"]
    assert raw.roles.split is None


def test_splits_of_the_set_are_kept_and_others_left_out(tmp_path: Path) -> None:
    columns = {"text": ["good film", "bad", "  "], "stars": [5, 1, 2]}
    features = {"text": datasets.Value("string"), "stars": datasets.Value("int64")}
    splits = ("train", "validation", "test", "unsupervised")
    path = _saved(tmp_path / "set", columns, features, splits=splits)
    with pytest.raises(DataError, match="3 texts are empty"):
        Hub(path=path, text="text", target="stars").read()
    hub = Hub(path=path, text="text", target="stars", empty="drop")
    raw = hub.read()
    assert (hub.kind, raw.kind, raw.text) == ("text", "text", "text")
    assert raw.roles.split == "split"
    assert raw.frame["split"].value_counts().to_dict() == {"train": 2, "validation": 2, "test": 2}
    assert "3 texts are empty" in raw.notes[0]


def test_images_within_the_set_and_beside_it(tmp_path: Path) -> None:
    levels = [0, 100, 200]
    for level in levels:
        Image.new("L", (20, 10), level).save(tmp_path / f"{level}.png")
    files = [str(tmp_path / f"{level}.png") for level in levels]
    features = {"image": datasets.Image(), "digit": datasets.Value("int64")}
    path = _saved(tmp_path / "set", {"image": files, "digit": [0, 1, 2]}, features)
    hub = Hub(path=path, image="image", target="digit", pictures=Pictures(height=4, width=4))
    raw = hub.read()
    assert hub.kind == raw.kind == "image"
    assert raw.images is not None and raw.images.shape == (3, 3, 4, 4)
    assert list(raw.images[:, 0, 0, 0]) == levels
    assert "image" not in raw.frame


def test_a_folder_of_files_is_a_local_copy_too(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/train.csv").write_text("a,y\n1,no\n2,yes\n")
    raw = Hub(path=str(tmp_path / "set"), target="y").read()
    assert list(raw.frame["y"]) == ["no", "yes"]


def test_labels_in_columns(tmp_path: Path) -> None:
    features = dict.fromkeys(("a", "sky", "sea"), datasets.Value("int64"))
    path = _saved(tmp_path / "set", {"a": [1, 2], "sky": [0, 1], "sea": [1, 1]}, features)
    raw = Hub(path=path, target=("sky", "sea")).read()
    assert raw.task == "multilabel" and np.array_equal(raw.targets, [[0, 1], [1, 1]])


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"target": "labl"}, r"data\.target=labl.*did you mean 'label'"),
        ({"target": "label", "image": "picture"}, r"data\.image=picture"),
        ({"target": "label", "text": "words"}, r"data\.text=words"),
        ({"target": "label", "path": "owner/name"}, r"data\.revision: name the commit"),
        (
            {"target": "label", "path": "owner/name", "revision": "f" * 40},
            r"owner/name: the data set cannot be loaded",
        ),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, knobs: dict, message: str) -> None:
    features = {"age": datasets.Value("int64"), "label": datasets.Value("int64")}
    path = _saved(tmp_path / "set", {"age": [3, 4], "label": [0, 1]}, features)
    with pytest.raises(DataError, match=message):
        Hub(**{"path": path, **knobs}).read()
