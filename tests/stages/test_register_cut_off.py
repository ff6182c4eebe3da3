"""A registration that was cut off is made again as if it had never been begun."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stages import test_register as made

from assay.artifacts.files import read_json
from assay.gate.knobs import Gate
from assay.stages import register
from assay.tracking import registry

# Kills itself at one of the registration's steps, or ends well and is not recorded by any DVC.
_REGISTER = """
    import os, signal
    from assay.gate.knobs import Gate
    from assay.stages import register
    from assay.tracking import registry

    def cut(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    register.reloaded_outputs = lambda version, rows: registry.predict(version.uri, rows)
    {step}
    register.run(register.Params(gate=Gate(), name="flowers"))
"""
STEPS = {
    "before the version is measured": "register.reloaded_outputs = cut",
    "before the alias": "registry.set_alias = cut",
    "after the alias": "registry.describe = cut",
    "after the description": "register.log.info = cut",
    "after its end, before DVC records it": "",
}


@pytest.fixture(autouse=True)
def _project(empty_home, tmp_path, monkeypatch):
    for name in made.UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    shutil.copytree(empty_home, tmp_path / "home")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    made.reload_here(monkeypatch)


def _cut_off(step):
    code = "\n".join(line[4:] for line in _REGISTER.format(step=STEPS[step]).splitlines())
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=300)
    assert done.returncode == (-signal.SIGKILL if STEPS[step] else 0)


def _receipt():
    """Return the receipt without what names a run or a version."""
    receipt = read_json(made.RECEIPT)
    return {key: value for key, value in receipt.items() if key not in ("run_id", "version")}


@pytest.mark.parametrize("step", STEPS)
def test_it_ends_as_if_it_had_not_been_cut_off(step):
    made.go(weight=0.3)
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {register: recorded}\n")
    made.pipeline(weight=2.0)
    _cut_off(step)
    register.run(register.Params(gate=Gate(), name="flowers"))
    receipt = _receipt()
    assert (receipt["alias"], receipt["accepted"]) == ("champion", True)
    (reason,) = [r for r in receipt["reasons"] if r.startswith("better than the champion")]
    assert "version 1" in reason
    number = read_json(made.RECEIPT)["version"]
    assert registry.champion_of("flowers").number == number
    assert sorted(made.versions()) == sorted(["1", number])
    assert made.versions()[number].tags["settled"] == "true"


def test_a_first_champion_that_was_cut_off_leaves_none():
    made.pipeline()
    _cut_off("after the alias")
    assert registry.champion_of("flowers") is not None
    register.run(register.Params(gate=Gate(), name="flowers"))
    assert _receipt()["alias"] == "champion"
    assert len(made.versions()) == 1


def test_what_dvc_recorded_stands():
    made.pipeline()
    _cut_off("after its end, before DVC records it")
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {register: recorded}\n")
    register.run(register.Params(gate=Gate(), name="flowers"))
    assert sorted(made.versions()) == ["1", "2"]
    assert _receipt()["alias"] == "challenger"
