"""``assay use sweep:ID`` for the trials of the stage ``search``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from assay.cli.use import command as use
from assay.config.compose import compose_params
from assay.config.load import merged
from assay.config.words import as_words
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.searching.trials import trial_run
from assay.tracking.find import find_run
from assay.tracking.run import joined_run, stage_run
from assay.tuning.trial import Draw

TRIED = ({"training.lr": 0.1, "model.width": 16}, {"training.lr": 0.02, "model.width": 32})


CHOICES = {"data": "digits", "model": "mlp", "training": "default", "search": "tpe"}


def _searched(
    project: Path,
    scratch: Path,
    *,
    tried: Sequence[dict[str, Any]] = TRIED,
    settings: dict[str, Any] | None = None,
) -> str:
    params = {**CHOICES, "set": settings or {}}
    config = compose_params(project / "conf", params, schema=SCHEMA)
    with stage_run("search", folder=scratch) as tracked:
        tracked.set_tags({"study": "s", "best_trial": "001"})
        for number, values in enumerate(tried):
            nodes = {key: config[key] for key in ("model", "training")}
            words = as_words({**merged(nodes, values), "seed": 0})
            draw = Draw(number=number, values=values, seed=0)
            with trial_run(tracked, draw, study="s", words=words):
                pass
    parent = find_run(tracked.run_id).parent
    assert parent is not None
    del config["gate"]["level"]  # as if the search were older than this key
    with joined_run(parent) as row:
        row.log_text(yaml.safe_dump(config), "config.yaml")
    return tracked.run_id


def test_the_best_or_a_named_trial_becomes_the_configuration(project: Path, tmp_path: Path) -> None:
    run_id = _searched(project, tmp_path)
    parent = find_run(run_id).parent
    file = project / "params.yaml"
    before = file.read_text()
    for name, values in ((run_id, TRIED[1]), (f"{run_id}/0", TRIED[0]), (parent, TRIED[1])):
        shown = CliRunner().invoke(use, [f"sweep:{name}"], standalone_mode=False)
        assert shown.exception is None
        settings = yaml.safe_load(file.read_text())["set"]
        file.write_text(before)
        assert settings == {
            "training": {"lr": values["training.lr"]},
            "model": {"width": values["model.width"]},
        }


def test_what_a_search_settled_is_not_searched_again(project: Path, tmp_path: Path) -> None:
    """Also where the best value is the default, and where params.yaml brought the space."""
    space = {
        "model": {"depth": "interval(1, 3)", "width": None, "dropout": None, "residual": None},
        "training": {"lr": "interval(0.01, 1)", "weight_decay": None},
        "when": {"training.optimizer=sgd": {"training": {"momentum": "interval(0.5, 0.9)"}}},
    }
    space["training"]["optimizer"] = "choice(adamw, sgd)"  # type: ignore[index]
    best = {"model.depth": 2, "training.lr": 0.02, "training.optimizer": "adamw"}
    run_id = _searched(
        project, tmp_path, tried=(best, best), settings={"search": {"space": space, "repeats": 0}}
    )
    file = project / "params.yaml"
    before = file.read_text()
    assert not CliRunner().invoke(use, [f"sweep:{run_id}"], standalone_mode=False).exception
    found = yaml.safe_load(file.read_text())
    file.write_text(before)
    assert found["set"]["training"] == {"lr": 0.02, "optimizer": "adamw"}
    assert found["set"]["model"] == {"depth": 2}
    search = compose_params(project / "conf", found, schema=SCHEMA)["search"]
    assert (search["space"], search["trials"], search["repeats"]) == ({}, 0, 0)
