"""Prepared data for exploring: made once, compared before use, made anew where they changed."""

import os
import shutil

import pytest

from assay.artifacts.files import digest
from assay.pipeline.fitting.cache import data_digest, data_fingerprint, prepared_folder


def _prepared(node):
    return prepared_folder(node, fingerprint=data_fingerprint(node))


@pytest.fixture(scope="module")
def node():
    return {"_target_": "assay.data.breast_cancer.BreastCancer"}


@pytest.fixture(scope="module")
def made(node, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        _prepared(node)
    return home


@pytest.fixture
def folder(made, node, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return _prepared(node)


def _flip(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_it_is_made_once(folder, node):
    before = (folder / "digests.json").stat().st_mtime_ns
    assert _prepared(node) == folder
    assert (folder / "digests.json").stat().st_mtime_ns == before
    assert len(data_digest(folder)) == 64


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: _flip(folder / "train/target.npy"),
        lambda folder: os.truncate(folder / "valid/rows.parquet", 100),
        lambda folder: (folder / "spec.json").unlink(),
        lambda folder: (folder / "train/more.npy").write_text(""),
        lambda folder: (folder / "digests.json").write_text("{"),
        lambda folder: (folder / "digests.json").write_text("{}"),
        lambda folder: (folder / "digests.json").write_text('{"data": "", "entries": []}'),
    ],
)
def test_what_changed_is_said_and_made_anew(folder, node, damage, caplog):
    whole = digest(folder)
    damage(folder)
    assert _prepared(node) == folder
    assert digest(folder) == whole
    assert "prepared again" in caplog.text


def test_an_unfinished_folder_is_made_anew(folder, node):
    whole = digest(folder)
    (folder / "digests.json").unlink()
    _prepared(node)
    assert digest(folder) == whole


def test_the_name_of_prepared_images_depends_on_every_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / "birds" / name).mkdir(parents=True)
        (tmp_path / f"birds/{name}/1.png").write_bytes(name.encode())
    (tmp_path / "birds.csv").write_text("image,y\na/1.png,1\nb/1.png,2\n")
    table = {"path": "birds.csv", "folder": "birds", "target": "y"}
    nodes = [
        {"_target_": "assay.data.image_folder.ImageFolder", "path": str(tmp_path / "birds")},
        {"_target_": "assay.data.image_csv.ImageCsv", **table},
    ]
    before = [data_fingerprint(node) for node in nodes]
    assert [data_fingerprint(node) for node in nodes] == before
    (tmp_path / "birds/b/1.png").write_bytes(b"changed")
    assert not set(before) & {data_fingerprint(node) for node in nodes}
