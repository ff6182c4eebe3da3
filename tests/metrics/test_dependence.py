"""Rows that depend on each other are drawn together, so intervals are as wide as they must be."""

import numpy as np
import pandas as pd
import pytest

from assay.metrics.dependence import Dependence, draw_groups
from assay.metrics.intervals import resample, score_with_intervals
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective
from assay.metrics.paired import estimate
from assay.pipeline.evaluating.dependence import dependence_of

KNOBS = Evaluate(resamples=200)
ROWS = np.arange(6)


def _covered(draw, *, repeats=150):
    """Say how often the intervals, with and without the dependence, hold the true MAE of 1."""
    held = np.zeros(2)
    for seed in range(repeats):
        error, dependence = draw(np.random.default_rng(seed))
        arrays = {"target": np.zeros(len(error)), "output": np.abs(error)}
        for place, how in enumerate(({"dependence": dependence}, {})):
            found = resample("regression", **arrays, knobs=KNOBS, **how).interval("mae")
            held[place] += found["low"] <= 1.0 <= found["high"]
    return held / repeats


def _in_groups(rng):
    code = np.repeat(np.arange(30), 8)
    return 1 + 0.3 * rng.normal(size=30)[code] + 0.1 * rng.normal(size=240), Dependence(
        way="group", code=code
    )


def _in_time(rng):
    noise = rng.normal(size=603)
    error = 1 + 0.2 * np.convolve(noise, np.ones(4) / 2, "valid")
    shuffled = rng.permutation(600)
    return error[shuffled], Dependence(way="time", code=shuffled)


def test_groups_drawn_whole_cover_the_truth_and_single_rows_do_not():
    with_groups, alone = _covered(_in_groups)
    assert with_groups > 0.88 and alone < 0.7


def test_blocks_in_time_cover_the_truth_more_often_than_single_rows():
    with_blocks, alone = _covered(_in_time)
    assert with_blocks > 0.8 and alone < 0.75


def test_groups_of_one_class_are_drawn_within_their_class():
    code, rng = np.repeat(np.arange(20), 2), np.random.default_rng(0)
    pure = np.repeat(np.arange(20) < 2, 2)
    counts = draw_groups(rng, code, stratum=pure, size=50)
    assert np.all(counts[:, pure].sum(1) == 4)
    assert np.array_equal(counts[:, ::2], counts[:, 1::2])
    mixed = draw_groups(rng, code, stratum=np.arange(40) % 2, size=50)
    assert np.all(mixed.sum(1) == 40)


def test_one_group_gives_values_without_intervals_and_says_why():
    found = resample(
        "regression",
        target=np.arange(5.0),
        output=np.zeros(5),
        knobs=KNOBS,
        dependence=Dependence(way="group", code=np.zeros(5, int)),
    ).interval("mae")
    assert found["value"] == 2.0 and found["low"] is None
    assert "one group" in found["reason"]


def test_dependence_follows_the_split():
    rows = pd.DataFrame({"__group__": list("abbacc"), "__time__": [3, 1, 2, 6, 5, 4]})
    assert dependence_of(rows, way="group").code.tolist() == [0, 1, 1, 0, 2, 2]
    assert dependence_of(rows, way="column").way == "group"
    assert dependence_of(rows, way="time").code.tolist() == [2, 0, 1, 5, 4, 3]
    dates = pd.DataFrame({"__time__": ["2020-02-01", "2020-01-01", "2021-01-01T00:00:00Z"]})
    assert dependence_of(dates, way="time").code.tolist() == [1, 0, 2]
    for way in ("random", "stratified"):
        assert dependence_of(rows, way=way).code is None
    assert dependence_of(rows[["__time__"]], way="column").code is None


def test_a_part_of_the_rows_keeps_its_groups():
    part = Dependence(way="group", code=ROWS // 2).of(ROWS > 2)
    assert part.code.tolist() == [1, 2, 2] and part.units(3) == 2


def test_a_gain_within_groups_is_tested_over_groups():
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(40), 10)
    target = rng.integers(2, size=400)
    luck = (rng.random(40) < 0.5)[code]
    ours = np.eye(2)[np.where(luck, target, 1 - target)]
    theirs = np.eye(2)[np.where(luck, 1 - target, target)]
    goal = Objective(name="accuracy", direction="maximize")
    pair = {"target": target, "ours": ours, "theirs": theirs, "goal": goal, "knobs": KNOBS}
    alone = estimate("classification", **pair)
    whole = estimate("classification", **pair, dependence=Dependence(way="group", code=code))
    assert alone.test == "McNemar's exact test" and whole.test == "paired bootstrap over groups"
    assert whole.degrees == 39 and whole.error == pytest.approx(alone.error * 10**0.5, rel=0.2)


def test_rows_one_by_one_are_drawn_as_before():
    rng = np.random.default_rng(0)
    arrays = {"target": rng.integers(2, size=90), "output": np.full((90, 2), 0.5), "knobs": KNOBS}
    assert score_with_intervals("classification", **arrays) == (
        resample("classification", **arrays, dependence=Dependence()).intervals()
    )
