"""Paired tests, against independent references."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel
from sklearn.metrics import roc_auc_score

from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective
from assay.metrics.paired import Estimate, bootstrap, delong, estimate, mcnemar
from assay.metrics.repeated import corrected_resampled_t, holm

LESS, MORE = "minimize", "maximize"


def two_models(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    first = positive + rng.normal(scale=0.8, size=rows)
    second = positive + rng.normal(scale=1.2, size=rows)
    return positive, first.round(1), second.round(1)


def test_mcnemar_is_the_binomial_test_of_the_rows_that_one_got_right():
    rng = np.random.default_rng(1)
    ours, theirs = rng.random(100) < 0.9, rng.random(100) < 0.7
    found = mcnemar(ours, theirs)
    gained, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    reference = binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue
    assert found.p_better() == pytest.approx(reference)
    assert found.gain == pytest.approx((gained - lost) / 100)


def test_mcnemar_of_a_table_by_hand():
    """12 rows gained, 3 lost: P(X >= 12 | 15, 1/2) = (455 + 105 + 15 + 1) / 2^15."""
    ours = np.r_[np.ones(12), np.zeros(3), np.ones(85)].astype(bool)
    theirs = np.r_[np.zeros(12), np.ones(3), np.ones(85)].astype(bool)
    assert mcnemar(ours, theirs).p_better() == pytest.approx(576 / 32768)
    low, high = mcnemar(ours, theirs).interval(0.025)
    # Agresti and Min: b = 12.5, c = 3.5, n = 102, error = sqrt(16 - 81 / 102) / 102
    half = 1.959964 * np.sqrt(16 - 81 / 102) / 102
    assert (low, high) == pytest.approx((9 / 102 - half, 9 / 102 + half), abs=1e-6)


def test_where_both_are_always_right_there_is_nothing_to_tell():
    same = np.ones(50, bool)
    assert mcnemar(same, same).p_better() == 1.0
    assert mcnemar(same, same).rows_to_settle(0.05) is None


def _delong_by_hand(positive, first, second):
    """The structural components by their definition: every pair of rows."""

    def pairs(score):
        x, y = score[positive][:, None], score[~positive][None]
        return (x > y) + 0.5 * (x == y)

    a, b = pairs(first), pairs(second)
    tens, ones = np.cov(a.mean(1), b.mean(1)), np.cov(a.mean(0), b.mean(0))
    cov = tens / positive.sum() + ones / (~positive).sum()
    return a.mean() - b.mean(), np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])


@pytest.mark.parametrize("seed", range(3))
def test_delong_is_that_of_its_definition(seed):
    positive, first, second = two_models(seed=seed)
    found = delong(positive, first, second)
    gain, error = _delong_by_hand(positive, first, second)
    assert found.gain == pytest.approx(gain)
    assert found.error == pytest.approx(error)
    areas = [roc_auc_score(positive, score) for score in (first, second)]
    assert found.gain == pytest.approx(areas[0] - areas[1])


def test_delong_needs_two_rows_of_each_class():
    positive, first, second = two_models()
    assert not delong(np.zeros_like(positive), first, second).is_defined


def test_the_bootstrap_of_a_mean_is_students_paired_test():
    rng = np.random.default_rng(2)
    target = rng.normal(size=80)
    ours, theirs = target + rng.normal(scale=0.5, size=80), target + rng.normal(size=80)
    goal = Objective(name="mae", direction=LESS)
    knobs = Evaluate(resamples=4000)
    found = bootstrap("regression", target=target, ours=ours, theirs=theirs, goal=goal, knobs=knobs)
    reference = ttest_rel(abs(theirs - target), abs(ours - target), alternative="greater")
    assert found.gain == pytest.approx(np.mean(abs(theirs - target) - abs(ours - target)))
    assert found.gain / found.error == pytest.approx(reference.statistic, rel=0.04)
    assert found.degrees == reference.df
    low, _ = found.interval(0.05)
    assert low == pytest.approx(found.gain - 1.664371 * found.error, rel=1e-5)


@pytest.mark.parametrize(
    ("metric", "test"),
    [
        ("accuracy", "McNemar's exact test"),
        ("roc_auc", "DeLong's test"),
        ("f1", "paired bootstrap"),
    ],
)
def test_each_metric_gets_its_test(metric, test):
    positive, first, second = two_models()
    chance = [1 / (1 + np.exp(-s)) for s in (first - 0.5, second - 0.5)]
    ours, theirs = (np.stack([1 - p, p], axis=1) for p in chance)
    goal = Objective(name=metric, direction=MORE)
    found = estimate(
        "classification",
        target=positive.astype(int),
        ours=ours,
        theirs=theirs,
        goal=goal,
        knobs=Evaluate(resamples=100),
    )
    assert found.test == test


def test_a_split_of_one_class_has_no_area_but_a_log_loss():
    target = np.zeros(20, int)
    ours, theirs = np.tile([0.9, 0.1], (20, 1)), np.tile([0.8, 0.2], (20, 1))
    for name, direction, known in (("roc_auc", MORE, False), ("log_loss", LESS, True)):
        goal = Objective(name=name, direction=direction)
        found = estimate(
            "classification", target=target, ours=ours, theirs=theirs, goal=goal, knobs=Evaluate()
        )
        assert found.is_defined is known


def test_the_rows_that_settle_a_tie_give_the_stated_power():
    """z(0.05) + z(0.2) = 2.486475; a gain of one error needs its square times the rows."""
    found = Estimate(gain=0.1, error=0.1, rows=100, test="t")
    assert found.rows_to_settle(0.05) == 619
    assert Estimate(gain=0.0, error=0.1, rows=100, test="t").rows_to_settle(0.05) is None


def test_holm_by_hand():
    """0.01 x 3, 0.02 x 2, 0.2 x 1, none below the one before."""
    assert holm([0.02, 0.2, 0.01]) == pytest.approx([0.04, 0.2, 0.03])
    assert holm([0.03, 0.03]) == pytest.approx([0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_repeated_seeds_are_students_paired_test_and_splits_cost_more():
    rng = np.random.default_rng(3)
    ours, theirs = rng.normal(0.9, 0.01, 10), rng.normal(0.89, 0.01, 10)
    _, _, p = corrected_resampled_t(list(ours - theirs), ratio=0.0)
    assert p == pytest.approx(ttest_rel(ours, theirs).pvalue)
    _, error, _ = corrected_resampled_t([0.0, 0.02], ratio=1 / 9)
    assert error == pytest.approx(np.sqrt((1 / 2 + 1 / 9) * 0.0002))
    with pytest.raises(ValueError, match="two gains or more"):
        corrected_resampled_t([0.1], ratio=1 / 9)


def test_windows_that_share_targets_are_as_sure_as_they_are():
    """Over equally good forecasts a gain is as far from 0 as its error says, in the mean."""
    rng, rows, horizon, found = np.random.default_rng(4), 200, 6, []
    steps = np.arange(rows)[:, None] + np.arange(horizon)
    for _ in range(120):
        truth, *said = rng.normal(size=(3, rows + horizon))[:, steps][..., None]
        gain = estimate(
            "forecasting",
            target=truth,
            ours=truth + said[0],
            theirs=truth + said[1],
            goal=Objective(name="mae", direction="minimize"),
            knobs=Evaluate(resamples=60),
            naive=(1.0,),
        )
        found.append(gain.gain / gain.error)
    assert np.mean(np.square(found)) == pytest.approx(1.0, abs=0.35)
