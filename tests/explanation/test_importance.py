import numpy as np

from assay.explanation.importance import importance, moved


def test_two_classes_move_the_same_probability_that_one_of_them_does():
    phi = np.random.default_rng(0).normal(size=(5, 3))
    both = np.stack([phi, -phi], axis=2)
    np.testing.assert_allclose(moved(both), np.abs(phi))
    np.testing.assert_allclose(moved(phi[:, :, None]), np.abs(phi))


def test_ranks_follow_the_means_and_intervals_hold_them():
    amounts = np.abs(np.random.default_rng(0).normal(size=(80, 3))) * [1, 3, 2]
    found = importance(amounts, names=("a", "b", "c"), seed=0)
    assert found.rank.tolist() == [3, 1, 2]
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()


def test_the_interval_covers_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    true = np.sqrt(2 / np.pi)
    covered = 0
    for seed in range(200):
        found = importance(np.abs(random.normal(size=(60, 1))), names=("a",), seed=seed)
        covered += int(found.low[0] <= true <= found.high[0])
    assert 0.88 <= covered / 200 <= 0.99
