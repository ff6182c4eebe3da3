"""params.yaml is read as conf/ is, and edited as a person would edit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config.compose import read_params
from assay.config.params import without_section, write_params
from assay.errors import ConfigError

_TEXT = """\
# What 'dvc repro' runs.
data: digits   # the data
model: cnn

# whatever else differs
set:
  training:
    lr: 1e-3        # found by hand
    max_epochs: 5   # enough
  model: {width: 8}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(_TEXT)
    return path


def test_numbers_are_read_as_in_conf(file: Path) -> None:
    params = read_params(file)
    assert params["set"]["training"] == {"lr": 0.001, "max_epochs": 5}
    assert params["data"] == "digits"


def test_an_empty_set_is_a_mapping(file: Path) -> None:
    file.write_text("data: digits\nset:\n")
    assert read_params(file)["set"] == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "params.yaml is missing: it names one option for each group"),
        ("", "params.yaml: expected group names with options and 'set'"),
        ("- data\n", "params.yaml: expected group names"),
        ("3\n", "params.yaml: "),
        ("data: [\n", "params.yaml: while parsing"),
        ("set: {a: 1}\nset: {b: 2}\n", "params.yaml: .*duplicate key set"),
        ("data: !!python/object/apply:os.getcwd []\n", "params.yaml: could not determine"),
    ],
)
def test_a_file_that_says_nothing_sensible_is_named(
    file: Path, text: str | None, sentence: str
) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        read_params(file)


def test_comments_and_order_stay(file: Path) -> None:
    shown = write_params(file, {"model": "mlp", "set": {"training": {"lr": 0.5, "max_epochs": 5}}})
    assert file.read_text() == _TEXT.replace("model: cnn", "model: mlp").replace(
        "lr: 1e-3        #", "lr: 0.5         #"
    ).replace("  model: {width: 8}\n", "")
    assert "-model: cnn" in shown and "+model: mlp" in shown
    assert "max_epochs" not in [line[1:] for line in shown.splitlines() if line[0] in "+-"]


def test_a_null_is_written_where_the_key_is_new(file: Path) -> None:
    params = read_params(file)
    params["set"]["training"]["gradient_clip"] = None
    write_params(file, params)
    assert read_params(file) == params


def test_a_whole_leaves_no_choice_of_before(file: Path) -> None:
    file.write_text(file.read_text() + "augmentation: images\n")
    params = {key: value for key, value in read_params(file).items() if key != "augmentation"}
    write_params(file, params)
    assert read_params(file)["augmentation"] == "images"
    shown = write_params(file, params, whole=True)
    assert "-augmentation: images" in shown and read_params(file) == params


def test_saying_the_same_again_changes_no_byte(file: Path) -> None:
    before = file.read_bytes()
    assert write_params(file, read_params(file)) == ""
    assert file.read_bytes() == before


def test_a_section_is_taken_out_of_a_copy() -> None:
    settings = {"model": {"width": 1}, "seed": 1}
    assert without_section(settings, "model") == {"seed": 1}
    assert "model" in settings
