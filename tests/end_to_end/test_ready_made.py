"""Every ready-made experiment runs, for a batch, by the real command; a new file joins by its name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import of_the_hub

ROOT = Path(__file__).parents[2]
NAMES = sorted(file.stem for file in (ROOT / "experiments").glob("*.yaml"))
# What an experiment builds on that is no file of the project, and a small thing in its place.
INSTEAD = {"mnist-transfer": ["model.source=tiny"]}
SENTIMENT = """_target_: assay.data.text_csv.TextCsv
path: sentiment.csv
target: label
tokens: {by: word, vocabulary: 8000, steps: 128, lowercase: true, source: ""}
split: {by: auto, valid: 0.15, test: 0.2, seed: 0}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """How each experiment ended, all run in one process."""
    root = tmp_path_factory.mktemp("ready-made")
    for name in ("conf", "experiments", "data"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, root / name)
    (root / "conf/data/sentiment.yaml").write_text(SENTIMENT)
    lines = [f"{word} film,{label}" for word, label in (("good", 1), ("bad", 0)) * 30]
    (root / "sentiment.csv").write_text("\n".join(["text,label", *lines]))
    of_the_hub("resnet", root / "tiny")
    words = [word for name in NAMES for word in (name, *INSTEAD.get(name, []), "--")]
    script = ROOT / "tests/end_to_end/every.py"
    done = subprocess.run(
        [sys.executable, str(script), *words], cwd=root, capture_output=True, text=True, timeout=600
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RAN ")]
    assert lines, done.stderr
    return {found["name"]: found for line in lines for found in [json.loads(line[4:])]}


@pytest.mark.parametrize("name", NAMES)
def test_a_ready_made_experiment_runs(ended: Mapping[str, Mapping[str, Any]], name: str) -> None:
    assert ended[name]["status"] == 0, ended[name]["said"]
