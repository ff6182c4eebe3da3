"""What a stage wrote is what a later one loads, or the file that is not is named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import digest, read_json, write_text
from assay.artifacts.manifest import artifact, recorded_digest
from assay.artifacts.staging import staged
from assay.errors import ArtifactError

WEIGHTS, SPLIT = Path("artifacts/train/weights"), Path("artifacts/train/split")
MENDED = "run 'dvc repro train', and where DVC sees no change 'dvc repro -f -s train'"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)


@pytest.fixture
def trained() -> None:
    with staged("train") as folder:
        (folder / "weights").write_bytes(bytes(range(200)))
        for name in ("a.npy", "a/b.npy", "a/c/d.npy"):
            write_text(folder / "split" / name.replace("a/", "inner/"), name)
        (folder / "empty").mkdir()


def _manifest(name: str, stage: str = "train") -> Any:
    return read_json(Path(f"artifacts/{stage}/manifest/{name}.json"))


def test_a_manifest_says_what_an_output_is_and_where_it_came_from(trained: None) -> None:
    with staged("export") as folder:
        artifact("train", "weights")
        artifact("train", "split")
        write_text(folder / "graph", "g")
    found = _manifest("graph", "export")
    assert (found["stage"], found["output"]) == ("export", "graph")
    assert found["files"] == {
        "graph": {"sha256": digest(Path("artifacts/export/graph")), "bytes": 1}
    }
    assert found["inputs"] == {"train/weights": digest(WEIGHTS), "train/split": digest(SPLIT)}
    assert found["code"] == {"commit": "none", "is_dirty": None}
    assert _manifest("weights")["inputs"] == {}, "what one stage loads is no input of another"


def test_what_was_written_is_loaded(trained: None) -> None:
    assert artifact("train", "weights") == WEIGHTS
    assert artifact("train", "split") == SPLIT
    assert artifact("train", "empty").is_dir()
    assert recorded_digest("train", "split") == digest(SPLIT)


def test_links_into_a_cache_are_followed(trained: None) -> None:
    for path in (WEIGHTS, SPLIT):
        kept = Path("cache", path.name).absolute()
        kept.parent.mkdir(exist_ok=True)
        path.rename(kept)
        path.symlink_to(kept)
        artifact("train", path.name)
    with Path("cache/split/a.npy").open("a") as file:
        file.write("more")
    with pytest.raises(ArtifactError, match=r"split/a\.npy was changed"):
        artifact("train", "split")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _damage(path: Path) -> None:
    path.write_text("{")


@pytest.mark.parametrize(
    ("name", "harm", "words"),
    [
        ("weights", lambda: _flip(WEIGHTS), "weights was changed: its content is not what"),
        ("weights", lambda: os.truncate(WEIGHTS, 150), "weights was changed: it has 150 bytes, w"),
        ("weights", lambda: _replace_by_folder(WEIGHTS), "weights is missing"),
        ("split", lambda: _flip(SPLIT / "inner/c/d.npy"), "split/inner/c/d.npy was changed"),
        ("split", lambda: os.truncate(SPLIT / "a.npy", 0), "split/a.npy was changed: it has 0"),
        ("split", lambda: (SPLIT / "a.npy").unlink(), "split/a.npy is missing"),
        ("split", lambda: (SPLIT / "x.npy").touch(), "split/x.npy was added"),
        ("empty", lambda: Path("artifacts/train/empty/x").touch(), "empty/x was added"),
        (
            "weights",
            lambda: _damage(Path("artifacts/train/manifest/weights.json")),
            "manifest/weights.json is damaged",
        ),
    ],
)
def test_what_was_changed_is_named(
    trained: None, name: str, harm: Callable[[], Any], words: str
) -> None:
    harm()
    with pytest.raises(ArtifactError) as refused:
        artifact("train", name)
    assert words in str(refused.value)
    assert "dvc repro" in str(refused.value)
    assert str(refused.value).startswith("artifacts/train/")


def test_a_change_is_said_with_what_mends_it(trained: None) -> None:
    _flip(WEIGHTS)
    with pytest.raises(ArtifactError, match="weights was changed") as refused:
        artifact("train", "weights")
    assert str(refused.value).endswith(MENDED)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (WEIGHTS.unlink, "artifacts/train/weights is missing: run 'dvc repro train' to make it"),
        (
            Path("artifacts/train/manifest/weights.json").unlink,
            "artifacts/train/weights cannot be checked, artifacts/train/manifest/weights.json is "
            "missing: run 'dvc repro train' to make it",
        ),
    ],
)
def test_what_is_missing_is_named(trained: None, harm: Callable[[], None], words: str) -> None:
    harm()
    with pytest.raises(ArtifactError) as refused:
        artifact("train", "weights")
    assert str(refused.value) == words


@pytest.mark.parametrize(
    "change",
    [{"output": "split"}, {"stage": "export"}, {"files": {"weights": {}}}, {"files": None}],
)
def test_a_manifest_of_something_else_is_refused(trained: None, change: dict[str, Any]) -> None:
    path = Path("artifacts/train/manifest/weights.json")
    path.write_text(json.dumps({**read_json(path), **change}))
    with pytest.raises(ArtifactError, match=r"weights\.json is damaged, no manifest of train/we"):
        artifact("train", "weights")


def test_the_configuration_lies_beside_the_stages_and_its_manifest_with_compose() -> None:
    with staged("compose") as folder:
        write_text(folder / "config.yaml", "seed: 0\n")
    assert artifact("compose", "config.yaml") == Path("artifacts/config.yaml")
    assert Path("artifacts/compose/manifest/config.yaml.json").is_file()
    Path("artifacts/config.yaml").write_text("seed: 1\n")
    with pytest.raises(ArtifactError, match=r"artifacts/config\.yaml was changed.*dvc repro comp"):
        artifact("compose", "config.yaml")


def test_the_commit_is_told_and_whether_the_code_differs_from_it() -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    write_text(Path("src/code.py"), "1")
    for words in (["init", "-q"], ["add", "src"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *words], check=True)
    told = []
    for text in ("1", "2"):
        write_text(Path("src/code.py"), text)
        with staged("train") as folder:
            write_text(folder / "weights", "w")
        told.append(_manifest("weights")["code"])
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert [code["commit"] for code in told] == [head.strip()] * 2
    assert [code["is_dirty"] for code in told] == [False, True]


def test_a_stage_cut_off_while_it_published_is_not_taken_for_whole(
    trained: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some files are new and some are old: neither kind is loaded before the stage is done."""
    replace = Path.replace

    def cut(self: Path, target: Path) -> Path:
        if self.name == "weights":
            raise KeyboardInterrupt
        return replace(self, target)

    with pytest.raises(KeyboardInterrupt), staged("train") as folder:
        write_text(folder / "split" / "a.npy", "new")
        write_text(folder / "weights", "new")
        monkeypatch.setattr(Path, "replace", cut)
    assert (SPLIT / "a.npy").read_text() == "new"
    for name in ("split", "weights"):
        with pytest.raises(ArtifactError, match="cannot be checked"):
            artifact("train", name)
