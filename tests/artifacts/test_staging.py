"""A stage's output is whole or absent, and one process writes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.artifacts.running import run_python, small_disk

from assay.artifacts.files import write_json, write_text
from assay.artifacts.staging import staged
from assay.errors import Terminated


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files() -> set[str]:
    """Return the files under artifacts/, but manifests, locks and other stages' drafts."""
    listed = {p.relative_to("artifacts") for p in Path("artifacts").rglob("*") if p.is_file()}
    return {str(p) for p in listed if not {"manifest", ".locks", ".drafts"} & set(p.parts)}


def test_what_was_drafted_becomes_the_output() -> None:
    with staged("train") as folder:
        write_json(folder / "a.json", 1)
        (folder / "split").mkdir()
        write_text(folder / "split" / "b.txt", "b")
        assert not Path("artifacts/train").exists()
    assert _files() == {"train/a.json", "train/split/b.txt"}
    assert not Path("artifacts/.drafts").exists()


def test_a_folder_of_before_is_replaced_whole_and_strangers_stay() -> None:
    old = Path("artifacts/train/split")
    old.mkdir(parents=True)
    (old / "stale.npy").touch()
    (old.parent / ".gitignore").touch()
    with staged("train") as folder:
        (folder / "split").mkdir()
        write_text(folder / "split" / "fresh.npy", "")
    assert _files() == {"train/split/fresh.npy", "train/.gitignore"}


def test_a_link_into_a_cache_is_replaced_and_the_cache_stays() -> None:
    cache = Path("cache/ab")
    cache.mkdir(parents=True)
    (cache / "kept.npy").touch()
    Path("artifacts/train").mkdir(parents=True)
    Path("artifacts/train/split").symlink_to(cache.resolve())
    with staged("train") as folder:
        (folder / "split").mkdir()
    assert not Path("artifacts/train/split").is_symlink()
    assert (cache / "kept.npy").is_file()


def test_a_file_gives_way_to_a_folder_of_its_name() -> None:
    Path("artifacts/train").mkdir(parents=True)
    Path("artifacts/train/split").touch()
    with staged("train") as folder:
        (folder / "split").mkdir()
    assert Path("artifacts/train/split").is_dir()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux what is flushed")
def test_what_is_moved_into_place_lasts_through_a_power_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every file and folder is flushed while it is still a draft, then the folder of the output."""
    flushed, flush = [], os.fsync

    def recorded(handle: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{handle}").readlink().relative_to(Path.cwd())))
        flush(handle)

    with staged("train") as folder:
        (folder / "a.txt").write_text("a")
        (folder / "split").mkdir()
        (folder / "split" / "b.txt").write_text("b")
        monkeypatch.setattr(os, "fsync", recorded)
    draft = "artifacts/.drafts/train"
    drafts = {f"{draft}/{name}" for name in ("a.txt", "split/b.txt", "split", "manifest")}
    assert {draft, f"{draft}/manifest/a.txt.json", *drafts} < set(flushed)
    assert flushed[-1] == "artifacts/train"


@pytest.mark.parametrize("error", [ValueError("x"), Terminated(), KeyboardInterrupt()])
def test_nothing_is_left_of_a_stage_that_did_not_end_well(error: BaseException) -> None:
    write_text(Path("artifacts/train/a.json"), "before")
    with pytest.raises(type(error)), staged("train") as folder:
        write_text(folder / "a.json", "after")
        raise error
    assert _files() == {"train/a.json"}
    assert Path("artifacts/train/a.json").read_text() == "before"


def test_what_a_killed_process_left_is_swept_and_what_another_stage_drafts_is_not() -> None:
    for stage in ("train", "evaluate"):
        write_text(Path(f"artifacts/.drafts/{stage}/half.npy"), "")
    with staged("train") as folder:
        write_text(folder / "a.json", "")
    assert _files() == {"train/a.json"}
    assert Path("artifacts/.drafts/evaluate/half.npy").is_file()


_WRITES_MUCH = """
    import numpy as np
    from assay.artifacts.staging import staged
    from assay.errors import exit_plainly
    with exit_plainly("prepare"), staged("prepare") as folder:
        (folder / "small.txt").write_text("small")
        {write}
"""


@pytest.mark.parametrize(
    "write",
    [
        "np.save(folder / 'large.npy', np.zeros(100_000))",
        "(folder / 'large.txt').write_text('x' * 100_000)",
        "__import__('pandas').DataFrame({'a': np.random.rand(99_999)}).to_parquet(folder / 'a.parquet')",
    ],
)
def test_a_full_disk_ends_in_one_message_and_nothing_written(write: str) -> None:
    done = run_python(_WRITES_MUCH.format(write=write), before=small_disk)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "prepare: the system refused a file" in done.stderr
    assert "nothing was written" in done.stderr
    assert not _files()


def test_a_signal_in_the_middle_of_a_stage_leaves_nothing() -> None:
    done = run_python(
        """
        import os, signal
        from assay.artifacts.staging import staged
        from assay.errors import exit_plainly
        with exit_plainly("train"), staged("train") as folder:
            (folder / "a.txt").write_text("a")
            os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert done.returncode == 143
    assert "train: terminated" in done.stderr
    assert not _files()
