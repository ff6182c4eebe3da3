"""Every command of the README runs, in its order, in one fresh project with shorter defaults."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.conftest import ROOT, Project
from tests.end_to_end.churn import write_churn

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.split("#")[0].strip()
]
# Run by .ci/run itself; a shell's own; a server, which has a test of its own below.
ELSEWHERE = {"make test", "source .venv/bin/activate", "assay ui"}
SHORTER = {
    "conf/training/default.yaml": {"max_epochs": 2},
    "conf/search/tpe.yaml": {"trials": 2},
    "conf/config.yaml": {
        "evaluate": {"resamples": 50},
        "explain": {"rows": 1, "global_rows": 20, "lime_samples": 200},
    },
}


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    project = new_project("readme")
    for name, values in SHORTER.items():
        path = project.root / name
        path.write_text(
            yaml.safe_dump({**yaml.safe_load(path.read_text()), **values}, sort_keys=False)
        )
    project.commit("shorter")
    (project.root / ".git/info/exclude").write_text(".venv\n*.csv\n")
    (project.root / ".venv").symlink_to(sys.prefix)
    (Path(sys.prefix) / "bin/.installed").touch()
    write_churn(project.root / "churn.csv", rows=300)
    write_churn(project.root / "new_customers.csv", rows=20)
    return project


def test_the_readme_runs_from_top_to_bottom(project: Project) -> None:
    assert COMMANDS[0] == "make repro"
    for line in COMMANDS:
        if line not in ELSEWHERE:
            project("bash", "-c", line)
    assert (project.root / "scored.csv").is_file()


def test_its_test_command_is_what_ci_runs() -> None:
    assert "make test" in COMMANDS
    assert "make test" in (ROOT / ".ci/run").read_text()


def test_its_model_of_two_files_works_as_shown(project: Project) -> None:
    shown = re.findall(
        r"`((?:src|conf)/[\w/]+\.(?:py|yaml))`\n\n```\w+\n(.*?)```", README, re.DOTALL
    )
    assert [name for name, _ in shown] == ["src/assay/model/linear.py", "conf/model/linear.yaml"]
    for name, text in shown:
        (project.root / name).write_text(text)
    # As from the project's own environment, whose 'assay' is this project's code.
    env = {"PYTHONPATH": str(project.root / "src")}
    done = project("assay", "run", "model=linear", "data=digits", env=env)
    assert "assay use run:" in done.stdout + done.stderr


def test_its_yaml_of_params_is_valid(project: Project) -> None:
    (shown,) = re.findall(r"```yaml\n(data: .*?)```", README, re.DOTALL)
    path = project.root / "params.yaml"
    before = path.read_text()
    path.write_text(shown)
    project("dvc", "repro", "compose")
    path.write_text(before)


def test_the_ui_answers(project: Project) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        ["assay", "ui", "--no-browser", "--port", str(port)],
        cwd=project.root,
        env=project.environment({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert "MLflow" in _page(f"http://127.0.0.1:{port}/", serving)
    finally:
        serving.terminate()
        serving.wait(timeout=30)


def _page(address: str, serving: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 90
    while time.monotonic() < until and serving.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.5)
    return pytest.fail(f"{address} did not answer")


def test_what_it_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
