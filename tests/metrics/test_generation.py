"""Measures of generated samples, against distributions made by hand."""

import numpy as np
import pytest

from assay.metrics.generation import (
    balls_around,
    copied_share,
    frechet_distance,
    missing_classes,
    nearest,
    opinion,
    spread,
)


def _normal(rows, *, mean=0.0, scale=1.0, features=4, seed=0):
    return mean + scale * np.random.default_rng(seed).normal(size=(rows, features))


def test_the_distance_of_two_normal_distributions_is_known():
    rows = 200_000
    apart = frechet_distance(_normal(rows), _normal(rows, mean=2.0, scale=3.0, seed=1))
    # |m - n|^2 + sum (s - t)^2 over four independent features
    assert apart == pytest.approx(4 * 2.0**2 + 4 * (3.0 - 1.0) ** 2, rel=0.02)


def test_the_distance_of_correlated_sets_is_that_of_the_root_of_their_product():
    mixing = np.random.default_rng(5).normal(size=(3, 3))
    first, second = _normal(500, features=3) @ mixing, _normal(500, features=3, seed=2)
    ours, theirs = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values = np.linalg.eigvals(ours @ theirs)
    expected = np.square(first.mean(0) - second.mean(0)).sum()
    expected += np.trace(ours) + np.trace(theirs) - 2 * np.sqrt(values.real).sum()
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_a_set_is_at_no_distance_from_itself_even_with_a_feature_that_never_changes():
    rows = np.hstack([_normal(50), np.zeros((50, 1))])
    assert frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-9)


def test_the_same_distribution_covers_nearly_all_and_is_about_as_dense():
    balls = balls_around(_normal(400))
    found = spread(balls, _normal(2000, seed=1))
    assert found.covered.mean() > 0.95
    assert found.density.mean() == pytest.approx(2000 * 5 / 2000 / 5, abs=0.2)


def test_a_collapsed_generator_covers_little_and_a_wide_one_is_not_dense():
    balls = balls_around(_normal(400))
    collapsed = spread(balls, _normal(1000, scale=0.01, seed=1))
    wide = spread(balls, _normal(1000, scale=6.0, seed=1))
    assert collapsed.covered.mean() < 0.1 < collapsed.density.mean()
    assert wide.density.mean() < 0.1


def test_half_of_the_modes_is_half_of_the_coverage():
    modes = np.repeat([[0.0, 0.0], [100.0, 0.0]], 100, axis=0)
    real = modes + _normal(200, features=2)
    one = spread(balls_around(real), _normal(500, features=2, seed=1))
    assert one.covered[:100].mean() > 0.9
    assert not one.covered[100:].any()


def test_training_rows_given_back_are_called_copies():
    train, held_out = _normal(300), _normal(300, seed=1)
    row, distance = nearest(train[[7, 3]], train)
    assert row.tolist() == [7, 3] and not distance.any()
    assert copied_share(train[:100] + 1e-6, train=train, held_out=held_out) == 1.0
    assert copied_share(_normal(500, seed=2), train=train, held_out=held_out) < 0.05


def test_a_class_that_no_sample_is_judged_to_be_of_is_missing():
    found = np.hstack([np.ones((3, 2)), np.eye(4)[[0, 2, 2]]])
    features, probability = opinion(found, classes=4)
    assert features.shape == (3, 2)
    assert missing_classes(probability) == [1, 3]
