"""What is installed: forbidden versions with their reason, and a licence for every package."""

from __future__ import annotations

import importlib.util
import tomllib
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from tests.conftest import ROOT

LINES = (ROOT / "constraints.txt").read_text().splitlines()
FORBIDDEN = {("pytorch-lightning", "2.6.2"), ("pytorch-lightning", "2.6.3"), ("mlflow", "3.18.0")}


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    place = importlib.util.spec_from_file_location("licences", ROOT / "scripts/licences.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "version"), sorted(FORBIDDEN))
def test_forbidden_versions_are_excluded_with_a_reason(name: str, version: str) -> None:
    parts = [line.partition("#") for line in LINES if line.startswith(f"{name}!=")]
    assert [p for p in parts if not Requirement(p[0]).specifier.contains(version) and p[2].strip()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [r for r in map(Requirement, project["dependencies"]) if r.name == name]
    assert all(not r.specifier.contains(version) for r in needed)
    assert needed


def test_no_pin_is_forbidden(licences: ModuleType) -> None:
    pins = licences.pinned()
    for line in LINES:
        text = line.partition("#")[0].strip()
        if text and "!=" in text:
            requirement = Requirement(text)
            assert requirement.specifier.contains(Version(pins[requirement.name]), prereleases=True)


def test_every_package_has_a_licence_that_is_accepted(licences: ModuleType) -> None:
    rows = [
        line.split(" | ")
        for line in licences.PAGE.read_text().splitlines()
        if line.startswith("| ")
    ][1:]
    listed = {
        name.removeprefix("| "): (version, licence.removesuffix(" |"))
        for name, version, licence in rows
    }
    assert {name: version for name, (version, _) in listed.items()} == licences.pinned()
    for name, (_, licence) in listed.items():
        assert licences.strange_words(licence) == [], name
        assert not licence.startswith("GPL") or name in licences.COPYLEFT


def test_the_page_says_what_the_packages_say(licences: ModuleType) -> None:
    present = [n for n in licences.pinned() if licences.licence_of(n) != "not installed"]
    text = licences.PAGE.read_text()
    for name in present:
        assert f"| {name} | {licences.pinned()[name]} | {licences.licence_of(name)} |" in text


@pytest.mark.parametrize("licence", ["GNU AGPL-3.0", "unknown", "Proprietary", "MIT AND SSPL-1.0"])
def test_other_licences_are_seen(licences: ModuleType, licence: str) -> None:
    assert licences.strange_words(licence) != []
