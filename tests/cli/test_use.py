"""``assay use`` without a name says what there is to use."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from assay.cli.use import command
from assay.config.compose import read_params


def test_an_experiment_leaves_nothing_of_the_one_before(project: Path) -> None:
    (project / "experiments").mkdir()
    said = "data: digits\nmodel: cnn\ntraining: default\nsearch: none\ngate: default\n"
    (project / "experiments/plain.yaml").write_text(said)
    (project / "experiments/shifted.yaml").write_text(f"{said}augmentation: images\n")
    CliRunner().invoke(command, ["shifted"], catch_exceptions=False)
    assert read_params(project / "params.yaml")["augmentation"] == "images"
    CliRunner().invoke(command, ["plain"], catch_exceptions=False)
    assert "augmentation" not in read_params(project / "params.yaml")


def test_without_a_name_every_experiment_is_told_with_what_it_shows(project: Path) -> None:
    (project / "experiments").mkdir()
    for name in ("b-mlp", "a-gru"):
        (project / f"experiments/{name}.yaml").write_text(f"# What {name} shows.\n# More.\n")
    before = (project / "params.yaml").read_text()
    told = CliRunner().invoke(command, [], catch_exceptions=False).output.splitlines()
    assert told[:2] == ["a-gru  What a-gru shows.", "b-mlp  What b-mlp shows."]
    assert (project / "params.yaml").read_text() == before
