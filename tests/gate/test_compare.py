"""Candidate and champion on the same rows: verdicts, slices, and the level that is left."""

from dataclasses import replace

import numpy as np
import pytest

from assay.gate.compare import Champion, Contest, against_champion, verdict_of
from assay.gate.decide import metric_of
from assay.gate.knobs import Gate
from assay.gate.looks import spent_level
from assay.metrics.knobs import Evaluate
from assay.metrics.paired import Estimate


def answers(right, rows=200):
    """Return probabilities of two classes, of which the first ``right`` rows are right."""
    target = np.arange(rows) % 2
    said = np.where(np.arange(rows) < right, target, 1 - target)
    return target, np.stack([np.where(said == 0, 0.9, 0.1), np.where(said == 1, 0.9, 0.1)], axis=1)


def contest(ours, theirs, *, looks=1, slices=None, metric="accuracy", version="3", note=""):
    target, output = answers(ours)
    rival = theirs if theirs is None else answers(theirs)[1]
    return Contest(
        task="classification",
        target=target,
        ours=output,
        champion=Champion(version=version, output=rival, note=note),
        goal=metric_of(Gate(metric=metric), task="classification"),
        looks=looks,
        slices=slices or {},
        knobs=Evaluate(resamples=200),
    )


@pytest.mark.parametrize(
    ("gain", "margin", "verdict"),
    [
        (3.0, 0.0, "superior"),
        (-3.0, 0.0, "inferior"),
        (1.0, 0.0, "undecided"),
        (-1.0, 0.0, "undecided"),
        (1.0, 0.8, "not inferior"),
        (-1.0, 4.0, "not inferior"),
        (-3.0, 6.0, "not inferior"),
        (-3.0, 1.0, "inferior"),
    ],
)
def test_a_verdict_is_what_the_interval_leaves_room_for(gain, margin, verdict):
    found = Estimate(gain=gain, error=1.0, rows=50, test="t")
    assert verdict_of(found, level=0.05, margin=margin) == verdict


def test_what_is_undefined_is_undecided():
    found = Estimate(gain=np.nan, error=np.nan, rows=1, test="t")
    assert verdict_of(found, level=0.05, margin=1.0) == "undecided"


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "roc_auc"])
def test_each_metric_has_a_test_that_finds_a_plain_gain(metric):
    (found,) = against_champion(Gate(), contest(190, 150, metric=metric))
    assert found.passed
    assert found.verdict == "superior"
    assert "version 3" in found.name
    (found,) = against_champion(Gate(), contest(150, 190, metric=metric))
    assert not found.passed
    assert found.verdict == "inferior"


def test_a_twin_of_the_champion_gains_nothing_and_not_less():
    same = contest(190, 190, metric="log_loss")
    (found,) = against_champion(Gate(), replace(same, ours=same.champion.output))
    assert found.verdict == "undecided" and found.found.startswith("gain +0 (+0 to +0)")


@pytest.mark.parametrize("rival", [None, 150])
def test_test_rows_of_one_class_pass_no_model(rival):
    both = contest(190, rival)
    here = np.zeros(200, np.int64)
    (told, *_) = against_champion(Gate(), replace(both, target=here, classes=("no", "yes")))
    assert not told.passed and told.found == "200 rows, all of no"
    assert all("tell models apart" not in c.name for c in against_champion(Gate(), both))


def test_a_gain_that_chance_may_have_made_is_no_gain():
    (found,) = against_champion(Gate(), contest(192, 190))
    assert not found.passed
    assert found.verdict == "undecided"
    assert "rows would settle it" in found.reason
    assert "McNemar" in found.reason


def test_the_same_model_again_says_that_nothing_differs():
    (found,) = against_champion(Gate(), contest(190, 190))
    assert "the two do not differ" in found.reason


def test_a_margin_lets_an_equal_model_in_where_that_is_asked_for():
    gate = Gate(champion="not_inferior", margin=0.05)
    assert against_champion(gate, contest(190, 190))[0].verdict == "not inferior"
    assert against_champion(gate, contest(190, 190))[0].passed
    assert not against_champion(gate, contest(165, 190))[0].passed
    assert not against_champion(Gate(margin=0.05), contest(190, 190))[0].passed


def test_what_wins_at_the_first_look_need_not_win_at_the_twentieth():
    assert against_champion(Gate(), contest(196, 188))[0].passed
    late = against_champion(Gate(), contest(196, 188, looks=20))[0]
    assert not late.passed
    assert "this is look 20" in late.wanted


def test_the_levels_of_all_looks_sum_to_the_level():
    total = sum(spent_level(0.05, looks=k) for k in range(1, 100_000))
    assert 0.049999 < total < 0.05


def test_where_there_is_no_champion_none_is_to_be_beaten():
    assert all(c.passed for c in against_champion(Gate(), replace(contest(1, 1), champion=None)))


@pytest.mark.parametrize(("rule", "passed"), [("keep", False), ("replace", True)])
def test_a_champion_that_cannot_be_run_is_kept_unless_the_gate_says_otherwise(rule, passed):
    gate = Gate(incomparable=rule)
    (found,) = against_champion(gate, contest(190, None, note="column 'age' is missing"))
    assert found.passed is passed
    assert "column 'age' is missing" in str(found)


def halves(rows=200):
    first = np.arange(rows) < rows // 2
    return {"region north": first, "region south": ~first}


def test_a_slice_that_falls_behind_fails_a_model_that_gains_on_the_whole():
    fight = contest(200, 100, slices=halves())
    worse = fight.ours.copy()
    worse[:20] = worse[:20, ::-1]
    whole, slices = against_champion(Gate(), replace(fight, ours=worse))
    assert whole.passed
    assert not slices.passed
    assert "the worst, region north: gain -0.2" in slices.found
    assert "over 2 slices" in slices.reason
    _, slices = against_champion(Gate(slice_margin=0.5), replace(fight, ours=worse))
    assert slices.passed
    assert len(against_champion(Gate(slice_margin=None), replace(fight, ours=worse))) == 1


def test_slices_with_nothing_to_tell_say_how_small_they_are():
    one = {"region north": np.arange(200) < 1}
    _, slices = against_champion(Gate(), contest(190, 150, slices=one, metric="log_loss"))
    assert slices.passed
    assert slices.reason == "too few rows: region north has 1"
