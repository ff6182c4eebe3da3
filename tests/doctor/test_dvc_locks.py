"""Locks of DVC that a dead process left, each made as DVC makes it."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

RWLOCKS = (".dvc/tmp/rwlock", ".dvc/tmp/exps/rwlock")


def _write(tiny, name, pid, mode="write"):
    info = {"pid": pid, "cmd": "dvc repro"}
    path = tiny.root / name
    path.parent.mkdir(exist_ok=True)
    held = str(tiny.root / "artifacts/first.txt")
    path.write_text(json.dumps({mode: {held: [info] if mode == "read" else info}}))
    return path


@pytest.fixture
def gone() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", RWLOCKS)
@pytest.mark.parametrize("content", ["", '{"write": {"', "[]", '{"read": {"x": [3]}}'])
def test_one_that_was_cut_short_is_removed(tiny, name, content):
    path = tiny.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert tiny.find("dvc_locks").state == "found"
    tiny.mend("dvc_locks")
    assert not path.exists()


def test_it_stops_dvc_until_it_is_mended(tiny):
    (tiny.root / ".dvc/tmp/rwlock").write_text("")
    assert tiny("dvc", "repro", "-f", check=False).returncode != 0
    tiny.mend("dvc_locks")
    assert tiny.repro("-f") == ["first", "second", "third"]


@pytest.mark.parametrize("mode", ["read", "write"])
def test_what_a_dead_process_held_is_freed(tiny, gone, mode):
    path = _write(tiny, RWLOCKS[0], gone, mode)
    assert f"for process {gone}, which is gone" in tiny.find("dvc_locks").text
    tiny.mend("dvc_locks")
    assert json.loads(path.read_text()) == {"read": {}, "write": {}}


def test_an_id_that_was_given_out_again_does_not_block(tiny):
    """DVC itself waits for ever for a process that has nothing to do with it."""
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        path = _write(tiny, RWLOCKS[0], stranger.pid)
        os.utime(path, (time.time() - 3600, time.time() - 3600))
        blocked = tiny("dvc", "repro", "-f", "-s", "first", check=False)
        assert "is busy" in blocked.stderr
        tiny.mend("dvc_locks")
        assert tiny.repro("-f", "-s", "first") == ["first"]
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_living_dvc_holds_stays(tiny, sleeper):
    path = _write(tiny, RWLOCKS[0], sleeper.pid)
    before = path.read_text()
    (line,) = tiny.doctor("dvc_locks", fix=True)
    assert line.state == "ok"
    assert f"(process {sleeper.pid})" in line.text
    assert path.read_text() == before


def test_of_two_holders_the_living_one_keeps_its_paths(tiny, gone, sleeper):
    path = _write(tiny, RWLOCKS[0], sleeper.pid)
    content = json.loads(path.read_text())
    content["read"] = {"x": [{"pid": gone, "cmd": "dvc repro"}]}
    path.write_text(json.dumps(content))
    (line,) = tiny.doctor("dvc_locks", fix=True)
    assert line.state == "left"
    assert json.loads(path.read_text()) == content


def test_a_hard_link_left_behind_is_told_with_what_to_do(tiny):
    (tiny.root / ".dvc/tmp/lock").write_text("")
    assert tiny.find("dvc_locks").state == "ok"
    tiny("dvc", "config", "core.hardlink_lock", "true")
    (tiny.root / ".dvc/tmp/lock").write_text("")
    (line,) = tiny.doctor("dvc_locks", fix=True)
    assert line.state == "found"
    assert "remove .dvc/tmp/lock" in line.text
