"""No secret enters the configuration: refused by the key, with what to do, and never shown."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.config.application import run_application
from assay.config.compose import compose_params, groups, read_params
from assay.errors import ConfigError
from assay.pipeline.composing.schema import SCHEMA

ROOT = Path(__file__).parents[2]
PARAMS = {"data": "digits", "model": "mlp", "training": "default", "search": "none"}
PARAMS |= {"gate": "default"}
VALUE = "hunter2"


def refused(params: dict[str, Any], conf: Path = ROOT / "conf") -> str:
    with pytest.raises(ConfigError) as caught:
        compose_params(conf, params, schema=SCHEMA)
    assert VALUE not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"data": {"password": VALUE}}, "data.password"),
        ({"data": {"apiKey": VALUE}}, "data.apiKey"),
        ({"training": {"hf-token": VALUE}}, "training.hf-token"),
        ({"model": {"credentials": {"user": "a", "pass": VALUE}}}, "model.credentials.pass"),
        ({"name": f"https://ann:{VALUE}@host"}, "name"),
        ({"training": [{"token": VALUE}]}, "training.token"),
        ({"password": VALUE}, "password"),
    ],
)
def test_a_secret_under_set_is_refused_with_what_to_do(settings: dict[str, Any], key: str) -> None:
    text = refused({**PARAMS, "set": settings})
    assert f"{key}: this looks like a secret" in text
    assert "environment variable" in text
    assert f"{key.split('.')[-1]}_env" in text


def test_a_secret_beside_the_groups_is_refused() -> None:
    assert "password: this looks like a secret" in refused({**PARAMS, "password": VALUE})


def test_a_secret_in_conf_is_refused(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", conf)
    with (conf / "training/default.yaml").open("a") as file:
        file.write(f"api_key: {VALUE}\n")
    assert "training.api_key: this looks like a secret" in refused(PARAMS, conf)


def test_the_name_of_a_variable_is_no_secret() -> None:
    text = refused({**PARAMS, "set": {"data": {"password_env": "DB_PASSWORD"}}})
    assert "data.password_env: there is no such key" in text
    assert "looks like a secret" not in text


@pytest.mark.parametrize("experiment", sorted((ROOT / "experiments").glob("*.yaml")), ids=str)
def test_what_is_ready_made_holds_none(experiment: Path) -> None:
    params = read_params(experiment)
    if params["data"] not in groups(ROOT / "conf")["data"]:
        params["data"] = "prose"  # Of the same kind as what 'assay add' makes of the user's file.
    compose_params(ROOT / "conf", params, schema=SCHEMA)


@pytest.mark.parametrize(
    "word",
    [
        *(f"+training.password={VALUE}", f"++data.api_key='{VALUE}'", f"+data.token={VALUE},b"),
        *(f"+training={{secret: {VALUE}}}", f"name='https://ann:{VALUE}@host'"),
    ],
)
def test_a_secret_on_the_command_line_is_refused_before_hydra_writes(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def task(_job: object) -> float:
        raise AssertionError("it ran")

    with pytest.raises(ConfigError, match="this looks like a secret") as caught:
        run_application(
            [word], params={**PARAMS, "set": {}}, conf=ROOT / "conf", schema=SCHEMA, task=task
        )
    assert VALUE not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_commands_themselves_refuse_and_keep_nothing(new_project: Any) -> None:
    project = new_project("secrets")
    params = project.root / "params.yaml"
    text = params.read_text()
    run = [sys.executable, "-m", "assay.stages", "compose"]
    own = {"PYTHONPATH": "src", "STORE_PASSWORD": VALUE}
    for settings in ("{data: {password: hunter2}}", "{name: '${oc.env:STORE_PASSWORD}'}"):
        params.write_text(text.replace("set: {}", f"set: {settings}"))
        done: subprocess.CompletedProcess[str] = project(*run, env=own, check=False)
        assert done.returncode == 1
        assert "compose: the configuration has 1 problem" in done.stderr
        assert "environment" in done.stderr
        assert VALUE not in done.stdout + done.stderr
        assert not (project.root / "artifacts/config.yaml").exists()
    params.write_text(text)
    for word in ("+data.password=hunter2", "name=${oc.env:STORE_PASSWORD}"):
        done = project("assay", "run", word, env=own, check=False)
        assert done.returncode == 1
        assert "environment" in done.stderr
        assert VALUE not in done.stdout + done.stderr
    kept = [path for path in project.root.rglob("*") if path.is_file() and path.suffix == ".yaml"]
    assert not [path for path in kept if VALUE in path.read_text() and "tests" not in path.parts]
