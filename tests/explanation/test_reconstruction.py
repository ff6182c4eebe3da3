import numpy as np

from assay.explanation.reconstruction import error_by_feature


def test_the_parts_of_features_add_up_to_the_score():
    random = np.random.default_rng(0)
    given, returned = random.normal(size=(2, 7, 12))
    feature = np.repeat(np.arange(4), 3)
    found = error_by_feature(given, returned, feature=feature, features=5)
    np.testing.assert_allclose(found.sum(axis=1), np.square(given - returned).mean(axis=1))
    np.testing.assert_allclose(
        found[:, 1], np.square(given - returned)[:, 3:6].sum(axis=1) / given.shape[1]
    )
    assert (found[:, 4] == 0).all(), "a feature without a number has no error"
