"""Rates by group are those of fairlearn, with intervals from the bootstrap."""

import numpy as np
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
)

from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.fairness import fairness, fairness_words
from assay.metrics.knobs import Evaluate

KNOBS = Evaluate(resamples=200)


def _people(count=600, gap=0.2, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["f", "m"], object), count)
    is_positive = rng.random(count) < 0.4
    chance = np.where(is_positive, 0.7, 0.3) - np.where(group == "f", gap, 0.0)
    return {"group": group, "is_positive": is_positive, "is_selected": rng.random(count) < chance}


def test_values_agree_with_fairlearn():
    people = _people()
    found = fairness(**people, knobs=KNOBS, dependence=ONE_BY_ONE)
    names = ("is_positive", "is_selected")
    arrays = dict(zip(("y_true", "y_pred"), (people[n].astype(int) for n in names), strict=True))
    same = {**arrays, "sensitive_features": people["group"].astype(str)}
    difference = {k: v["value"] for k, v in found["difference"].items()}
    assert difference["selection_rate"] == pytest.approx(demographic_parity_difference(**same))
    assert found["ratio"]["selection_rate"]["value"] == pytest.approx(
        demographic_parity_ratio(**same)
    )
    worst = max(difference["true_positive_rate"], difference["false_positive_rate"])
    assert worst == pytest.approx(equalized_odds_difference(**same))
    for part in (*found["groups"].values(), found["difference"], found["ratio"]):
        for rate in (part[name] for name in difference):
            assert rate["low"] <= rate["value"] <= rate["high"]


def test_an_interval_of_a_difference_holds_the_true_one():
    held = 0
    for seed in range(12):
        found = fairness(**_people(seed=seed), knobs=KNOBS, dependence=ONE_BY_ONE)
        rate = found["difference"]["true_positive_rate"]
        held += rate["low"] <= 0.2 <= rate["high"]
    assert held >= 9


def test_small_groups_are_left_out_by_name():
    people = _people()
    people["group"][:3] = "x"
    found = fairness(**people, knobs=KNOBS, dependence=ONE_BY_ONE)
    assert set(found["groups"]) == {"f", "m"} and found["left_out"] == {"x": 3}
    alone = {**people, "group": np.where(people["group"] == "x", "x", "f").astype(object)}
    found = fairness(**alone, knobs=KNOBS, dependence=ONE_BY_ONE)
    assert "fewer than two groups have 20 rows" in found["reason"]
    (words,) = fairness_words([{"column": "sex", "positive": "yes", **found}])
    assert words.startswith("sex, predicted 'yes': not compared")


def test_a_rate_that_no_row_shows_is_none_and_left_out():
    people = _people()
    people["is_positive"] = people["is_positive"] & (people["group"] == "f")
    found = fairness(**people, knobs=KNOBS, dependence=ONE_BY_ONE)
    assert found["groups"]["m"]["true_positive_rate"]["value"] is None
    assert found["difference"]["true_positive_rate"]["value"] in (0.0, None)
    assert found["difference"]["false_positive_rate"]["value"] > 0
    (words,) = fairness_words([{"column": "sex", "positive": "yes", **found}])
    assert "false positive rate" in words


def test_rows_of_one_person_are_drawn_together():
    people = {name: np.repeat(array, 8) for name, array in _people(count=80).items()}
    person = Dependence(way="group", code=np.repeat(np.arange(80), 8))
    alone, together = (
        fairness(**people, knobs=KNOBS, dependence=d)["groups"]["m"]["selection_rate"]
        for d in (ONE_BY_ONE, person)
    )
    assert together["high"] - together["low"] > 1.5 * (alone["high"] - alone["low"])
