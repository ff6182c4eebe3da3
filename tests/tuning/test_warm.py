"""A warm start: given settings, and the best of an earlier study of the same space."""

import pytest
from tests.tuning.bowl import SPACE

from assay.errors import ConfigError
from assay.space import Interval
from assay.tuning.problem import Problem
from assay.tuning.storage import place_of
from assay.tuning.warm import best_settings, checked_settings

GOOD = {"training.lr": 3e-3, "model.width": 8, "model.activation": "relu"}


def test_given_settings_are_the_first_trials_and_an_open_key_is_drawn(start):
    few = {"model.width": 40}
    result = start(warm=[GOOD, few], trials=3)
    assert result.trials[0].values == dict(sorted(GOOD.items()))
    assert result.trials[1].values["model.width"] == 40
    assert set(result.trials[1].values) == set(SPACE)


def test_the_best_of_an_earlier_study_begin_a_new_one(start, tmp_path):
    first = start()
    place, new = place_of(tmp_path / "study.db"), Problem(study="new", space=SPACE)
    warm = best_settings(place, "s", problem=new, count=2)
    best = sorted(first.trials, key=lambda t: t.value)[:2]
    assert warm == [dict(t.values) for t in best]
    again = start(study="new", warm=warm, trials=2)
    assert [t.values for t in again.trials] == [t.values for t in best]


def test_an_earlier_study_of_another_space_is_refused_with_the_difference(start, tmp_path):
    start(trials=1)
    place = place_of(tmp_path / "study.db")
    other = {**SPACE, "training.lr": Interval(low=1e-3, high=1e-1, is_log=True)}
    with pytest.raises(ConfigError, match=r"search.space.training.lr: was Float.*is now Float"):
        best_settings(place, "s", problem=Problem(study="new", space=other), count=2)
    with pytest.raises(ConfigError, match="there is no study 't'; there is: s"):
        best_settings(place, "t", problem=Problem(study="new", space=SPACE), count=2)


def test_settings_outside_the_space_are_told_at_once():
    with pytest.raises(ConfigError) as error:
        checked_settings([GOOD, {"training.rl": 1, "model.width": 8.5}], space=SPACE)
    assert list(error.value.problems) == [
        "search.warm.1.training.rl: is not searched; did you mean 'training.lr'?",
        "search.warm.1.model.width: 8.5 lies outside the space",
    ]
