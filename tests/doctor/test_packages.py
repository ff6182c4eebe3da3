"""Installed packages against ``constraints.txt``."""

from __future__ import annotations

import shutil
from importlib.metadata import version

import pytest
from tests.conftest import ROOT

from assay.doctor import packages


def test_what_is_installed_here_is_as_pinned(tiny):
    (tiny.root / "constraints.txt").write_text((ROOT / "constraints.txt").read_text())
    assert tiny.find("packages").state in ("ok", "note")


def test_another_version_is_said_and_no_damage(tiny):
    (tiny.root / "constraints.txt").write_text("click==0.0.1\npsutil==0.0.2\nno-such-thing==1\n")
    line = tiny.find("packages")
    assert line.state == "note"
    assert f"click {version('click')} (pinned 0.0.1)" in line.text
    assert "no-such-thing" not in line.text


def test_a_forbidden_one_is_damage_with_its_reason(tiny):
    line = f"click!={version('click')}  # it is only a test\nclick==0.0.1\n"
    (tiny.root / "constraints.txt").write_text(line)
    found, other = tiny.doctor("packages")
    assert (found.state, other.state) == ("found", "note")
    assert f"click {version('click')} is forbidden" in found.text
    assert "it is only a test" in found.text


@pytest.mark.parametrize(("name", "release"), [("pytorch-lightning", "2.6.3"), ("shap", "0.52.0")])
def test_what_constraints_forbid(tiny, monkeypatch, name, release):
    shutil.copy(ROOT / "constraints.txt", tiny.root)
    real = packages.version
    monkeypatch.setattr(packages, "version", lambda n: release if n == name else real(n))
    assert f"{name} {release} is forbidden" in tiny.doctor("packages")[0].text


def test_a_build_of_a_pinned_version_is_that_version(tiny, monkeypatch):
    monkeypatch.setattr(packages, "version", lambda name: "2.13.0+cu130")
    (tiny.root / "constraints.txt").write_text("torch==2.13.0\n")
    assert tiny.find("packages").state == "ok"


def test_a_missing_file_is_told(tiny):
    (tiny.root / "constraints.txt").unlink()
    assert "constraints.txt cannot be read" in tiny.find("packages").text
