"""A damaged ``dvc.lock``: rebuilt from what was recorded once, or left to ``dvc repro``."""

from __future__ import annotations

import contextlib
import shutil
import subprocess

import pytest

from assay.doctor.entries import load, read_lock


def _cut(tiny, share: float) -> bytes:
    path = tiny.root / "dvc.lock"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return whole


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.55, 0.8, 0.97, 0.9999])
def test_a_truncated_one_is_rebuilt_byte_for_byte_and_nothing_runs(tiny, share):
    whole = _cut(tiny, share)
    line = tiny.find("lockfile")
    assert line.state == "found"
    assert "--fix keeps it as dvc.lock.damaged" in line.text
    line = tiny.mend("lockfile")
    assert "3 of 3 stages rebuilt" in line.text
    assert (tiny.root / "dvc.lock").read_bytes() == whole
    assert (tiny.root / "dvc.lock.damaged").read_bytes() == whole[: int(len(whole) * share)]
    assert tiny.repro() == []


def test_what_is_whole_of_a_prefix_is_what_was_recorded(tiny):
    """No entry of a cut file is believed unless all of it is there; where no damage is seen, DVC reads it."""
    text = (tiny.root / "dvc.lock").read_text()
    recorded = load(text)["stages"]
    for end in range(0, len(text), 7):
        found = read_lock(text[:end])
        assert found.problem or load(text[:end])["schema"] == "2.0"
        if found.problem:
            assert all(entry == recorded[name] for name, entry in found.whole.items())


NO_LOCKS = {
    "nothing": b"",
    "zeros": b"\0" * 500,
    "another file": b"hello: world\n",
    "a list": b"- 1\n",
    "no stages": b"schema: '2.0'\nstages:\n",
    "an empty stage": b"schema: '2.0'\nstages:\n  first:\n",
    "a conflict": b"<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.0'\n>>>>>>> other\n",
    "a tag": b"!!python/object/apply:os.system ['touch pwned']\n",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("case", NO_LOCKS)
def test_what_is_no_lock_is_damage(tiny, case):
    (tiny.root / "dvc.lock").write_bytes(NO_LOCKS[case])
    assert tiny.find("lockfile").state == "found"
    assert not (tiny.root / "pwned").exists()


def test_without_a_run_cache_git_has_it(tiny):
    shutil.rmtree(tiny.root / ".dvc/cache/runs")
    whole = _cut(tiny, 0.0)
    assert "3 from git" in tiny.mend("lockfile").text
    assert (tiny.root / "dvc.lock").read_bytes() == whole


def test_without_a_run_cache_or_git_it_is_left_to_repro(tiny):
    shutil.rmtree(tiny.root / ".dvc/cache/runs")
    tiny("git", "rm", "-q", "--cached", "dvc.lock")
    tiny("git", "commit", "-qm", "no lock")
    whole = _cut(tiny, 0.0)
    line = tiny.mend("lockfile")
    assert "0 of 3 stages rebuilt" in line.text
    assert "first, second, third" in line.text
    assert tiny.repro() == ["first", "second", "third"]
    assert (tiny.root / "dvc.lock").read_bytes() == whole


def test_an_entry_that_does_not_fit_is_not_kept(tiny):
    """What was recorded for other data is no record of these, wherever it is found."""
    (tiny.root / "data/words/words.csv").unlink()
    (tiny.root / "data/words/words.csv").write_text("x\n")
    _cut(tiny, 0.0)
    line = tiny.mend("lockfile")
    assert "2 of 3 stages rebuilt" in line.text
    assert "first" not in load((tiny.root / "dvc.lock").read_text())["stages"]
    assert tiny.repro()[0] == "first"


def test_what_belongs_to_deleted_outputs_is_restored_by_repro(tiny):
    whole = _cut(tiny, 0.5)
    shutil.rmtree(tiny.root / "artifacts")
    tiny.mend("lockfile")
    assert tiny.repro() == []
    assert (tiny.root / "dvc.lock").read_bytes() == whole
    assert (tiny.root / "artifacts/third.txt").read_text() == "1"


def test_a_deleted_one_comes_from_git(tiny):
    whole = (tiny.root / "dvc.lock").read_bytes()
    (tiny.root / "dvc.lock").unlink()
    assert "is missing, though git has one" in tiny.find("lockfile").text
    tiny.mend("lockfile")
    assert (tiny.root / "dvc.lock").read_bytes() == whole
    assert not (tiny.root / "dvc.lock.damaged").exists()


def test_where_dvc_cannot_confirm_it_the_file_stays_as_it_was(tiny):
    _cut(tiny, 0.5)
    damaged = (tiny.root / "dvc.lock").read_bytes()
    (tiny.root / ".dvc/config").write_text("[core\n")
    (line, *_) = tiny.doctor("lockfile", fix=True)
    assert line.state == "failed"
    assert (tiny.root / "dvc.lock").read_bytes() == damaged
    assert not (tiny.root / "dvc.lock.damaged").exists()


def test_on_a_full_disk_it_stays_as_it_was_too(tiny, tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: it takes the rights of root")
    try:
        shutil.copytree(tiny.root, disk, symlinks=True, dirs_exist_ok=True)
        monkeypatch.chdir(disk)
        small = type(tiny)(disk)
        _cut(small, 0.5)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                pass
        before = small.digest()
        (line, *_) = small.doctor("lockfile", fix=True)
        assert (line.state, small.digest()) == ("failed", before)
        assert "No space left on device" in line.text
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_while_a_pipeline_is_at_work_it_is_left_alone(tiny, sleeper):
    _cut(tiny, 0.5)
    before = tiny.digest()
    (line,) = tiny.doctor("lockfile", fix=True)
    assert line.state == "left"
    assert f"'dvc repro' (process {sleeper.pid}) works here" in line.text
    assert tiny.digest() == before
