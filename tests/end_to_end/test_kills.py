"""A pipeline that is killed, at a stage or at DVC itself, ends as one that was left alone.

The short form of ``benchmarks/kill_pipeline.py``, whose parts it uses.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from benchmarks.kill_pipeline import (
    CHOICES,
    SETTINGS,
    Plan,
    Tally,
    artifacts,
    cloned,
    compared,
    dvc,
    harass,
    left_behind,
    timed,
)
from tests.conftest import Project

pytestmark = pytest.mark.xdist_group("kills")
SMALL = {**CHOICES, "search": "none", "set": {**SETTINGS, "search": {}}}
KILLS = 4


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A pipeline that came to its end through kills, and the artifacts of one without."""

    project: Project
    tally: Tally
    expected: dict[str, str]


@pytest.fixture(scope="module")
def ended(new_project: Callable[[str], Project], tmp_path_factory: pytest.TempPathFactory) -> Ended:
    source, folder = new_project("kills").root, tmp_path_factory.mktemp("clones")
    alone = cloned(folder / "alone", source=source, params=SMALL)
    plan = Plan(kills=KILLS, stages=2, seconds=timed(dvc(alone)))
    killed, tally = cloned(folder / "killed", source=source, params=SMALL), Tally()
    harass(killed, tally, random.Random(0), plan)
    return Ended(project=Project(killed), tally=tally, expected=artifacts(alone))


def test_it_was_killed_and_went_on_each_time(ended: Ended) -> None:
    assert ended.tally.kills == KILLS
    assert {victim.split()[0] for victim in ended.tally.killed} == {"stage", "dvc"}
    assert ended.tally.refused == []


def test_it_ends_with_the_same_artifacts(ended: Ended) -> None:
    assert len(ended.expected) > 40
    assert compared(ended.project.root, ended.expected) == []
    assert ended.project.repro() == []


def test_no_stage_outlives_its_dvc(ended: Ended) -> None:
    assert left_behind(ended.tally.orphans) == []


def test_no_run_is_left_running(ended: Ended) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{ended.project.root}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("assay")
    runs = client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'")
    assert [run.info.run_name for run in runs] == []


def test_the_doctor_finds_nothing_more(ended: Ended) -> None:
    code = {"PYTHONPATH": str(Path(ended.project.root, "src"))}
    done = ended.project("assay", "doctor", env=code, check=False)
    assert done.returncode == 0, done.stdout
