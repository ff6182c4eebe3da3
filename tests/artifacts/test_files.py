"""Files are written whole or not at all, and every failure names its file."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.artifacts.files import (
    digest,
    read_json,
    read_yaml,
    staged,
    write_json,
    write_text,
    write_yaml,
)
from assay.errors import ArtifactError, Terminated


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(folder: str = "artifacts") -> set[str]:
    return {str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file()}


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


@pytest.mark.parametrize("error", [ValueError("x"), Terminated(), KeyboardInterrupt()])
def test_nothing_is_left_of_a_stage_that_did_not_end_well(error: BaseException) -> None:
    write_text(Path("artifacts/train/a.json"), "before")
    with pytest.raises(type(error)), staged("train") as folder:
        write_text(folder / "a.json", "after")
        raise error
    assert _files() == {"train/a.json"}
    assert Path("artifacts/train/a.json").read_text() == "before"


def test_what_a_killed_process_left_is_swept_and_a_living_ones_draft_is_not() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    living = Path(f"artifacts/.drafts/train-{os.getppid()}")
    dead = Path(f"artifacts/.drafts/train-{ended.pid}")
    other = Path(f"artifacts/.drafts/evaluate-{ended.pid}")
    for folder in (living, dead, other):
        folder.mkdir(parents=True)
    with staged("train"):
        pass
    assert (living.is_dir(), dead.exists(), other.is_dir()) == (True, False, True)


def _run(
    body: str, *, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)],
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=60,
    )


_WRITES_MUCH = """
    import numpy as np
    from assay.artifacts.files import staged
    from assay.errors import exit_plainly
    with exit_plainly("prepare"), staged("prepare") as folder:
        (folder / "small.txt").write_text("small")
        {write}
"""


def _small_disk() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize(
    "write",
    [
        "np.save(folder / 'large.npy', np.zeros(100_000))",
        "(folder / 'large.txt').write_text('x' * 100_000)",
        "__import__('pandas').DataFrame({'a': np.random.rand(99_999)}).to_parquet(folder / 'a.parquet')",
    ],
)
def test_a_full_disk_ends_in_one_message_and_nothing_written(write: str) -> None:
    done = _run(_WRITES_MUCH.format(write=write), before=_small_disk)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "prepare: the system refused a file" in done.stderr
    assert "nothing was written" in done.stderr
    assert not _files()


def test_a_full_disk_in_the_middle_of_a_file_leaves_the_file_of_before() -> None:
    Path("params.yaml").write_text("data: digits\n")
    done = _run(
        """
        from pathlib import Path
        from assay.artifacts.files import write_text
        from assay.errors import exit_plainly
        with exit_plainly("assay use"):
            write_text(Path("params.yaml"), "x" * 100_000)
        """,
        before=_small_disk,
    )
    assert done.returncode == 1
    assert "params.yaml cannot be written" in done.stderr
    assert Path("params.yaml").read_text() == "data: digits\n"
    assert _files(".") == {"params.yaml"}


def test_a_signal_in_the_middle_of_a_stage_leaves_nothing() -> None:
    done = _run(
        """
        import os, signal
        from assay.artifacts.files import staged
        from assay.errors import exit_plainly
        with exit_plainly("train"), staged("train") as folder:
            (folder / "a.txt").write_text("a")
            os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert done.returncode == 143
    assert "train: terminated" in done.stderr
    assert not _files()


def test_a_parent_that_is_a_file_is_named() -> None:
    Path("folder").touch()
    with pytest.raises(ArtifactError, match=r"folder/a\.json cannot be written"):
        write_json(Path("folder/a.json"), 1)


_TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(_PLAIN)
def test_json_is_read_as_it_was_written(value: object) -> None:
    write_json(Path("a.json"), value)
    assert read_json(Path("a.json")) == value


@given(st.dictionaries(st.text("abc123e-._~", min_size=1), _PLAIN, max_size=3))
def test_yaml_is_read_as_it_was_written(value: object) -> None:
    write_yaml(Path("a.yaml"), value)
    assert read_yaml(Path("a.yaml")) == value


def test_equal_values_are_equal_bytes() -> None:
    write_json(Path("a.json"), {"b": 1, "a": 2})
    write_json(Path("b.json"), {"a": 2, "b": 1})
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


@pytest.mark.parametrize(
    ("read", "content", "expected"),
    [
        (read_json, None, "a is missing: run 'dvc repro'"),
        (read_json, b'{"a": ', "a is damaged, not JSON"),
        (read_json, b"\xff", "a cannot be read"),
        (read_yaml, None, "a is missing: run 'dvc repro'"),
        (read_yaml, b"a: [", "a is damaged, not YAML"),
        (read_yaml, b"a: !!python/object/apply:os.getcwd []", "a is damaged, not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    read: Callable[[Path], object], content: bytes | None, expected: str
) -> None:
    if content is not None:
        Path("a").write_bytes(content)
    with pytest.raises(ArtifactError, match=expected.replace("(", r"\(")):
        read(Path("a"))


def test_a_digest_covers_names_and_contents() -> None:
    digests = set()
    for name, text in [("a", "1"), ("b", "1"), ("a", "2")]:
        folder = Path(f"folder-{name}-{text}")
        write_text(folder / name, text)
        digests.add(digest(folder))
    assert len(digests) == 3
    assert digest(Path("folder-a-1")) in digests


def test_the_digest_of_a_file_is_sha256() -> None:
    write_text(Path("a"), "")
    assert digest(Path("a")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_there_is_no_digest_of_nothing() -> None:
    with pytest.raises(ArtifactError, match="nowhere is missing"):
        digest(Path("nowhere"))
