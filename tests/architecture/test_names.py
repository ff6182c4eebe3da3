"""One name everywhere: a file under conf/, its module, its data card, its experiment."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assay.config.blanks import blanks

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"


def _names(group: str) -> list[str]:
    return sorted(p.stem for p in (CONF / group).glob("*.yaml"))


@pytest.mark.parametrize("name", _names("model"))
def test_a_model_is_one_module_and_one_file(name: str) -> None:
    assert (ROOT / f"src/assay/model/{name}.py").is_file()
    target = yaml.safe_load((CONF / f"model/{name}.yaml").read_text())["_target_"]
    assert target.rsplit(".", 1)[0] == f"assay.model.{name}"


def test_every_model_module_has_its_file() -> None:
    modules = {p.stem for p in (ROOT / "src/assay/model").glob("[a-z]*.py")}
    assert modules == set(_names("model"))


@pytest.mark.parametrize("name", [n for n in _names("data") if not blanks(CONF, n)])
def test_a_data_set_has_its_card(name: str) -> None:
    assert (ROOT / f"data/{name}/README.md").is_file()


@pytest.mark.parametrize(
    "file", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda p: p.stem
)
def test_an_experiment_has_the_form_of_params(file: Path) -> None:
    text = file.read_text()
    experiment = yaml.safe_load(text)
    groups = {p.name for p in CONF.iterdir() if p.is_dir() and p.name != "hydra"}
    assert set(experiment) <= groups | {"set"}
    for group in set(experiment) - {"set"}:
        is_added = group == "data" and f"assay add {experiment[group]}." in text
        assert is_added or experiment[group] in _names(group)


def test_every_room_has_a_readme() -> None:
    rooms = [p.parent for p in (ROOT / "src/assay").glob("*/__init__.py")]
    assert rooms
    missing = [room.name for room in rooms if not (room / "README.md").is_file()]
    assert not missing


def test_no_room_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert not [p for p in (ROOT / "src").rglob("*") if p.stem in drawers]


def test_init_files_are_docstrings() -> None:
    for file in (ROOT / "src/assay").rglob("__init__.py"):
        assert len(file.read_text().strip().splitlines()) <= 3, file
