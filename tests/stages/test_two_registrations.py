"""Two processes that register at the same moment: one champion, and every look counted.

In one project a lock keeps them apart; two projects share a registry alone.
"""

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
from tests.stages import test_register as made

from assay.artifacts.files import read_json
from assay.gate.knobs import Gate
from assay.stages import register
from assay.tracking import registry
from assay.tracking.looks import count_looks
from assay.tracking.store import open_store


@pytest.fixture
def home(empty_home, tmp_path, monkeypatch):
    for name in made.UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    shutil.copytree(empty_home, tmp_path / "home")
    return tmp_path


def _register(folder, weight, barrier, home):
    os.chdir(folder)
    os.environ["ASSAY_HOME"] = str(home)
    made.pipeline(weight=weight)
    register.reloaded_outputs = lambda version, rows: registry.predict(version.uri, rows)
    barrier.wait()
    register.run(register.Params(gate=Gate(), name="flowers"))


@pytest.mark.parametrize("projects", [1, 2])
def test_one_becomes_champion_and_the_other_was_compared_with_it(home, monkeypatch, projects):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    folders = [home / "one", home / "two"]
    for folder in folders:
        folder.mkdir()
    homes = [home / "home", home / "home"]
    if projects == 2:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'home' / 'mlflow.db'}")
        homes = [folder / ".assay" for folder in folders]
    jobs = [
        context.Process(target=_register, args=(folder, weight, barrier, own))
        for folder, weight, own in zip(folders, (1.7, 1.8), homes, strict=True)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0]
    receipts = [read_json(folder / made.RECEIPT) for folder in folders]
    assert sorted(r["alias"] for r in receipts) == ["challenger", "champion"]
    winner, loser = sorted(receipts, key=lambda r: r["alias"], reverse=True)
    champion = registry.champion_of("flowers")
    assert champion.number == winner["version"]
    compared = [r for r in loser["reasons"] if f"the champion, version {champion.number}" in r]
    assert len(compared) == 1
    assert "this is look 2" in compared[0]
    split = champion.tags["test_digest"]
    assert count_looks(split, graph=champion.tags["graph_digest"]) == 2
    tags = open_store().client.get_registered_model("flowers").tags
    assert tags[f"looks_at_test.{split[:12]}"] == "2"
    assert (
        Path(folders[0] / made.CARD).read_text().count("look 2")
        + Path(folders[1] / made.CARD).read_text().count("look 2")
        == 1
    )
