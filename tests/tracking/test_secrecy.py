"""Secrets are blotted out in all that goes to MLflow, whatever way they came."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.tracking.recorded import ran, rows

from assay.tracking import buffer
from assay.tracking.difference import difference
from assay.tracking.explore import explore_run
from assay.tracking.find import find_run
from assay.tracking.tracked import opened

VALUE = "hunter2"


def everything(home: Path) -> bytes:
    files = [path for path in home.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def config(home, project):
    text = "data: {path: x}\nname: n\nstore:\n  api_key: hunter2\n  url: http://a:hunter2@h/x\n"
    (project / "artifacts" / "config.yaml").write_text(text)
    return home


def test_nothing_of_it_is_in_the_store_or_beside(config, dvc, project):
    (project / "own.yaml").write_text("password: hunter2\nlr: 0.1\n")
    with pytest.raises(ValueError, match="failed"), ran("train") as tracked:
        tracked.log_params({"store": {"password": VALUE, "n": 3}, "urls": [f"http://a:{VALUE}@h"]})
        tracked.set_tags({"api-key": VALUE, "overrides": f"lr=1 store.password={VALUE}"})
        tracked.log_text(f'{{"token": "{VALUE}"}}', "note.json")
        tracked.log_artifact(project / "own.yaml", "files")
        tracked.log_dataset(
            name="d", digest="1", source=f"http://a:{VALUE}@h/d.csv", context="training", rows=1
        )
        tracked.log_parent(tags={"token": VALUE})
        with opened(lambda: tracked.new_child(f"trial password={VALUE}", tags={"secret": VALUE})):
            pass
        raise ValueError(f"failed at http://a:{VALUE}@h")
    found = find_run(tracked.run_id)
    assert found.params == {"store.password": "***", "store.n": "3", "urls": "['http://***@h']"}
    assert found.tags["overrides"] == "lr=1 store.password=***"
    assert found.tags["error"] == "ValueError: failed at http://***@h"
    assert found.text("files/own.yaml") == "password: '***'\nlr: 0.1\n"
    row = find_run(rows()[0].info.run_id)
    assert row.text("config.yaml").endswith("  api_key: '***'\n  url: http://***@h/x\n")
    assert VALUE.encode() not in everything(config)


def test_a_run_of_the_command_line_shows_none(config):
    settings = {"store": {"client_secret": VALUE, "n": 1}}
    with explore_run(name=f"lr=1 token={VALUE}", parent=None, config=settings) as tracked:
        pass
    found = find_run(tracked.run_id)
    assert found.name == "lr=1 token=***"
    assert found.text("config.yaml") == "store:\n  client_secret: '***'\n  n: 1\n"
    assert VALUE.encode() not in everything(config)


def test_what_is_kept_for_later_holds_none_either(config, dvc, monkeypatch):
    def away(*_: object) -> None:
        raise OSError("away")

    with ran("train") as tracked:
        monkeypatch.setattr(buffer, "deliver", away)
        tracked.log_params({"password": VALUE})
        with opened(lambda: tracked.new_child("trial", tags={"api_key": VALUE})):
            pass
        assert VALUE.encode() not in everything(config)
        assert list(config.glob("spool/*/*.jsonl"))


@pytest.mark.parametrize("name", [".env", ".env.local", "key.pem", "id_rsa", "credentials.json"])
def test_new_files_of_secrets_are_named_and_not_shown(project, monkeypatch, name):
    monkeypatch.setenv("DVC_ROOT", str(project))
    (project / ".git_is_own").write_text("")
    for words in (["init", "-q"], ["add", ".git_is_own"], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", *words], check=True)
    (project / name).write_text(VALUE)
    (project / "secrets.py").write_text("code = 1\n")
    patch = difference()
    assert f"# left out, a new file that may hold secrets: {name}\n" in patch
    assert VALUE not in patch
    assert "+code = 1" in patch
