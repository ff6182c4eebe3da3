"""Images in folders and in tables, with one label or several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from assay.data.image_csv import ImageCsv
from assay.data.image_folder import ImageFolder
from assay.data.pictures import Pictures
from assay.errors import ConfigError, DataError

SMALL = Pictures(height=6, width=8)
DROP = Pictures(height=6, width=8, broken="drop")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    (tmp_path / "birds").mkdir()
    return tmp_path / "birds"


def _picture(path: Path, level: int, size: tuple[int, int] = (20, 15)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)


def test_a_folder_for_each_class(home: Path) -> None:
    for i in range(6):
        _picture(home / ("owl" if i % 2 else "tit") / f"{i}.png", 10 * i, size=(9 + i, 30 - i))
    _picture(home / "owl/young/7.JPG", 70)
    (home / "owl/notes.txt").write_text("x")
    (home / "README.md").write_text("x")
    (home / ".DS_Store").write_text("x")
    raw = ImageFolder(path=str(home), pictures=SMALL).read()
    assert list(raw.frame["file"]) == [
        *(f"owl/{i}.png" for i in (1, 3, 5)), "owl/young/7.JPG", *(f"tit/{i}.png" for i in (0, 2, 4))
    ]  # fmt: skip
    assert list(raw.frame["class"]) == ["owl"] * 4 + ["tit"] * 3
    assert raw.images is not None and raw.images.shape == (7, 3, 6, 8)
    assert list(raw.images[:, 0, 0, 0]) == [10, 30, 50, 70, 0, 20, 40]
    assert (raw.roles.target, raw.roles.id, raw.roles.split) == ("class", "file", None)
    assert raw.notes == ("2 files are no pictures of a class: 1 .md, 1 .txt",)


def test_a_folder_for_each_split_and_class_and_one_that_is_only_called_so(home: Path) -> None:
    for split in ("train", "Val", "test"):
        for name in ("owl", "tit"):
            _picture(home / split / name / "1.png", 1)
    raw = ImageFolder(path=str(home), pictures=SMALL).read()
    assert list(raw.frame["split"]) == ["Val", "Val", "test", "test", "train", "train"]
    assert list(raw.frame["class"]) == ["owl", "tit"] * 3
    assert raw.roles.split == "split"
    _picture(home / "train/loose.png", 1)
    assert ImageFolder(path=str(home), pictures=SMALL).read().roles.split is None


def test_what_is_broken_is_refused_or_dropped_with_its_row(home: Path) -> None:
    for i in range(4):
        _picture(home / "owl" / f"{i}.png", i)
    (home / "owl/2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 4 pictures .*owl/2\.png \(it is empty\)"):
        ImageFolder(path=str(home), pictures=SMALL).read()
    raw = ImageFolder(path=str(home), pictures=DROP).read()
    assert list(raw.frame["file"]) == ["owl/0.png", "owl/1.png", "owl/3.png"]
    assert raw.images is not None and list(raw.images[:, 0, 0, 0]) == [0, 1, 3]
    assert "owl/2.png" in raw.notes[0]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: _picture(p / "loose.png", 1)])
def test_a_folder_without_classes_is_refused(home: Path, make) -> None:
    make(home)
    with pytest.raises(DataError, match="expected a folder for each class"):
        ImageFolder(path=str(home), pictures=SMALL).read()


def _table(home: Path, **columns: list[object]) -> str:
    for i in range(4):
        _picture(home / f"pictures/{i}.png", 10 * i)
    frame = pd.DataFrame({"image": [f"pictures/{i}.png" for i in range(4)], **columns})
    frame.to_csv(home / "birds.csv", index=False)
    return str(home / "birds.csv")


def test_a_table_of_pictures_with_one_label(home: Path) -> None:
    path = _table(home, species=["owl", "tit"] * 2, nest=[1, 1, 2, 2])
    (home / "pictures/1.png").write_bytes(b"no")
    raw = ImageCsv(path=path, target="species", group="nest", pictures=DROP).read()
    assert list(raw.frame["species"]) == ["owl", "owl", "tit"]
    assert raw.images is not None and list(raw.images[:, 0, 0, 0]) == [0, 20, 30]
    assert (raw.roles.target, raw.roles.group, raw.roles.id) == ("species", "nest", "image")
    assert "pictures/1.png" in raw.notes[0]


def test_several_labels_in_columns_or_in_a_cell(home: Path) -> None:
    cells = ["sky; bird", "", "bird", "water;sky;sky"]
    path = _table(home, bird=[1, 0, 1, 0], sky=["yes", "no", "no", "yes"], seen=cells)
    columns = ImageCsv(path=path, target=("bird", "sky"), pictures=SMALL).read()
    assert columns.task == "multilabel" and columns.labels == ("bird", "sky")
    assert np.array_equal(columns.targets, [[1, 1], [0, 0], [1, 0], [0, 1]])
    assert columns.targets.dtype == np.uint8 and columns.roles.target == ""
    assert "bird" not in columns.frame and "seen" in columns.frame
    listed = ImageCsv(path=path, target="seen", label_separator=";", pictures=SMALL).read()
    assert listed.labels == ("bird", "sky", "water")
    assert np.array_equal(listed.targets, [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 1]])
    dropped = ImageCsv(path=path, target=("bird", "sky"), pictures=DROP)
    (home / "pictures/2.png").write_bytes(b"")
    assert np.array_equal(dropped.read().targets, [[1, 1], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"target": "specie"}, r"data\.target=specie.*did you mean 'species'"),
        ({"target": "species", "image": "file"}, r"data\.image=file"),
        ({"target": ("species", "bird")}, r"label 'species', row 1 below the header.*got 'owl'"),
        ({"target": "away"}, r"column 'image'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(home: Path, knobs, message: str) -> None:
    path = _table(home, species=["owl", "tit"] * 2, bird=[1, 0, 1, 0])
    if knobs["target"] == "away":
        text = (home / "birds.csv").read_text().replace("pictures/3.png", "../birds.csv")
        (home / "birds.csv").write_text(text)
        knobs = {"target": "species"}
    with pytest.raises(DataError, match=message):
        ImageCsv(path=path, pictures=SMALL, **knobs).read()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"target": ("a", "b"), "label_separator": ";"}, "yes and no, not lists"),
        ({"target": ("a",)}, "two columns or more"),
        ({"target": "a", "task": "multilabel"}, "multilabel needs"),
        ({"target": ("a", "b"), "task": "regression"}, "several labels are multilabel"),
    ],
)
def test_a_target_that_contradicts_itself_is_refused(home: Path, knobs, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ImageCsv(path=_table(home, a=[1] * 4, b=[0] * 4), pictures=SMALL, **knobs).read()
