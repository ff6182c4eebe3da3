"""Files are written whole or not at all, and every failure names its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.artifacts.running import run_python, small_disk

from assay.artifacts.files import (
    digest,
    read_json,
    read_yaml,
    write_json,
    write_text,
    write_yaml,
)
from assay.errors import ArtifactError


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(folder: str = "artifacts") -> set[str]:
    return {str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file()}


def test_a_full_disk_in_the_middle_of_a_file_leaves_the_file_of_before() -> None:
    Path("params.yaml").write_text("data: digits\n")
    done = run_python(
        """
        from pathlib import Path
        from assay.artifacts.files import write_text
        from assay.errors import exit_plainly
        with exit_plainly("assay use"):
            write_text(Path("params.yaml"), "x" * 100_000)
        """,
        before=small_disk,
    )
    assert done.returncode == 1
    assert "params.yaml cannot be written" in done.stderr
    assert Path("params.yaml").read_text() == "data: digits\n"
    assert _files(".") == {"params.yaml"}


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
