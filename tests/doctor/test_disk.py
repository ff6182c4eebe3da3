"""Disk that the dead hold, and what the living hold."""

from __future__ import annotations

import os
import time

import pytest
from filelock import FileLock

from assay.doctor import disk

OLD = time.time() - 8 * 24 * 3600


@pytest.fixture
def checkpoints(tiny):
    folder = tiny.root / ".assay/checkpoints/0123456789abcdef0123"
    folder.mkdir(parents=True)
    (folder / "step-000000007.ckpt").write_bytes(b"x" * 2000)
    return folder


def _age(folder):
    for path in (*folder.iterdir(), folder):
        os.utime(path, (OLD, OLD))


def test_fresh_checkpoints_are_kept_for_the_next_start(tiny, checkpoints):
    (line,) = tiny.doctor("disk", fix=True)
    assert line.state == "note"
    assert "2 kB" in line.text
    assert checkpoints.is_dir()


def test_checkpoints_of_a_week_ago_are_removed(tiny, checkpoints):
    _age(checkpoints)
    assert "cut off 8 days ago" in tiny.find("disk").text
    tiny.mend("disk")
    assert not checkpoints.exists()


def test_checkpoints_of_a_process_at_work_stay(tiny, checkpoints):
    with FileLock(checkpoints / "lock"):
        _age(checkpoints)
        (line,) = tiny.doctor("disk", fix=True)
        assert line.state == "ok"
    assert checkpoints.is_dir()


def test_a_stage_s_draft_goes_unless_the_stage_is_at_work(tiny):
    draft = tiny.root / "artifacts/.drafts/train"
    draft.mkdir(parents=True)
    (draft / "weights.safetensors").write_bytes(b"half")
    lock = tiny.root / "artifacts/.locks/train.lock"
    lock.parent.mkdir()
    with FileLock(lock):
        assert tiny.find("disk").state == "ok"
    assert "stage train was cut off" in tiny.find("disk").text
    tiny.mend("disk")
    assert not draft.exists()


DRAFTS = (
    ".params.yaml.999999999",
    ".assay/.note.json.999999999",
    ".assay/cache/prepare/.0123.999999999",
    ".assay/checkpoints/x/.run.json.999999999",
    "artifacts/.config.yaml.999999999",
    "artifacts/train/.run.json.999999999",
    "data/words/.words.csv.draft",
)


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_that_its_process_did_not_finish_goes(tiny, name):
    path = tiny.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    assert path.name in " ".join(line.text for line in tiny.doctor("disk"))
    tiny.doctor("disk", fix=True)
    assert not path.exists()


def test_a_draft_of_a_living_process_and_a_file_of_the_user_s_stay(tiny):
    kept = [f".params.yaml.{os.getpid()}", ".env.production", ".python-version", ".dvcignore.1x"]
    for name in kept:
        (tiny.root / name).write_text("mine")
    assert [line.state for line in tiny.doctor("disk", fix=True)] == ["ok"]
    assert all((tiny.root / name).exists() for name in kept)


def test_the_user_s_runs_are_told_only_where_they_are_large(tiny, monkeypatch):
    folder = tiny.root / "multirun/2026"
    folder.mkdir(parents=True)
    (folder / "log").write_bytes(b"x" * 1000)
    assert tiny.find("disk").state == "ok"
    monkeypatch.setattr(disk, "LARGE_BYTES", 999)
    (line,) = tiny.doctor("disk", fix=True)
    assert (line.state, folder.is_dir()) == ("note", True)
    assert "multirun/ holds 1 kB" in line.text
