"""Every sampler on a space with a condition: whole, resumable, the same for the same seed."""

import importlib.util
from contextlib import nullcontext
from typing import get_args

import pytest

from assay.errors import ConfigError
from assay.space import Choice, Condition, Interval
from assay.tuning.knobs import SamplerName, Search
from assay.tuning.problem import Problem
from assay.tuning.sampler import sampler
from assay.tuning.study import Score, search

SPACE = {
    "training.lr": Interval(low=1e-4, high=1e-1, is_log=True),
    "training.optimizer": Choice(values=("adamw", "sgd")),
    "training.momentum": Interval(
        low=0.5, high=0.9, when=(Condition(key="training.optimizer", values=("sgd",)),)
    ),
    "model.width": Interval(low=8, high=32, step=8, is_integer=True),
    "model.units": Interval(low=1, high=64, is_log=True, is_integer=True),
}
GRID = {
    **{k: v for k, v in SPACE.items() if k in ("training.optimizer", "model.width")},
    "training.momentum": Interval(
        low=0.5, high=0.7, step=0.1, when=SPACE["training.momentum"].when
    ),
}


def bowl(draw, report):
    values = draw.values
    assert ("training.momentum" in values) == (values["training.optimizer"] == "sgd")
    assert values["model.width"] in (8, 16, 24, 32)
    assert all(type(values[k]) is int for k in ("model.width", "model.units") if k in values)
    return Score(value=values["model.width"] / 100 + values.get("training.lr", 0.0))


def run(path, name, **knobs):
    return search(
        lambda share: nullcontext(bowl),
        problem=Problem(study="s", space=GRID if name == "grid" else SPACE, seed=3),
        knobs=Search(sampler=name, pruner="none", repeats=0, **knobs),
        storage=path,
    )


@pytest.mark.parametrize("name", get_args(SamplerName))
def test_a_search_in_two_starts_draws_what_one_draws(tmp_path, name):
    whole = run(tmp_path / "whole.db", name, trials=6)
    run(tmp_path / "parts.db", name, trials=4)
    parts = run(tmp_path / "parts.db", name, trials=6)
    assert parts.fresh == 2
    assert [(t.number, t.values) for t in parts.trials] == [
        (t.number, t.values) for t in whole.trials
    ]
    assert len({t.values["training.optimizer"] for t in whole.trials}) == 2


def test_a_grid_tries_each_setting_once_and_ends(tmp_path):
    tried = [
        tuple(sorted(t.values.items())) for t in run(tmp_path / "s.db", "grid", trials=40).trials
    ]
    assert len(tried) == len(set(tried)) == 4 * (1 + 3)


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (SPACE, "search.space.training.lr: a grid needs choice"),
        ({k: Choice(values=tuple(range(200))) for k in ("a.b", "a.c")}, "a grid of 40000 settings"),
    ],
)
def test_a_grid_without_end_is_refused(space, sentence):
    with pytest.raises(ConfigError, match=sentence):
        sampler(Search(sampler="grid"), seed=0, space=space)


def test_a_missing_package_is_one_message(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="cmaes needs the package cmaes: pip install cmaes"):
        sampler(Search(sampler="cmaes"), seed=0, space=SPACE)
