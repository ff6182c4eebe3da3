from itertools import combinations
from math import comb

import numpy as np
import pytest

from assay.explanation.faithfulness import additivity_errors
from assay.explanation.shapley import explain
from assay.explanation.sources import ImageSources, TableSources

WEIGHTS = np.array([1.0, -2.0, 0.5, 0.0])


def linear(feeds):
    return sum(w * feeds[f"x{i}"] for i, w in enumerate(WEIGHTS))[:, None]


@pytest.fixture
def numbers():
    return np.random.default_rng(0).normal(size=(40, 4))


@pytest.fixture
def sources(numbers):
    return TableSources({f"x{i}": numbers[:, i] for i in range(4)})


def explained(predict, sources, *, permutations=2, seed=0, rows=8):
    return explain(
        predict,
        sources,
        rows=np.arange(rows),
        background=np.arange(8, len(sources.codes)),
        permutations=permutations,
        seed=seed,
    )


def test_a_linear_model_gives_weight_times_distance_from_the_mean(numbers, sources):
    found = explained(linear, sources)
    wanted = WEIGHTS * (numbers[:8] - numbers[8:].mean(axis=0))
    np.testing.assert_allclose(found.values[:, :, 0], wanted, atol=1e-12)


def test_values_add_up_to_the_prediction_for_every_output(sources):
    def curved(feeds):
        score = np.tanh(feeds["x0"] * feeds["x1"] + np.sin(3 * feeds["x2"]))
        return np.stack([score, -score, score**2], axis=1)

    found = explained(curved, sources)
    output = curved(sources.feeds(sources.codes[:8]))
    errors = additivity_errors(found.values, base=found.base, output=output)
    assert found.values.shape == (8, 4, 3)
    assert errors.max() < 1e-12


def test_the_same_seed_gives_the_same_values_and_another_one_does_not(sources):
    def crossed(feeds):
        return (feeds["x0"] * feeds["x1"] * feeds["x2"] * feeds["x3"])[:, None]

    first, second = explained(crossed, sources, seed=3), explained(crossed, sources, seed=3)
    other = explained(crossed, sources, seed=5)
    np.testing.assert_array_equal(first.values, second.values)
    assert not np.array_equal(first.values, other.values)


def test_evaluations_are_those_that_the_model_was_asked_for(sources):
    asked = []

    def counting(feeds):
        asked.append(len(feeds["x0"]))
        return linear(feeds)

    found = explained(counting, sources, permutations=4)
    assert found.evaluations == sum(asked)
    assert max(asked) >= 32 * 5, "the walk of a row is one batch"


def test_texts_and_missing_values_belong_to_their_raw_column():
    colours = np.array(["red", "blue", "", "red", "blue", "red"], dtype=object)
    sizes = np.array([1.0, np.nan, 3.0, np.nan, 5.0, 1.0])
    sources = TableSources({"colour": colours, "size": sizes, "same": np.ones(6)})

    def predict(feeds):
        size = np.where(np.isnan(feeds["size"]), 10.0, feeds["size"])
        return (3.0 * (feeds["colour"] == "red") + size)[:, None]

    found = explain(
        predict, sources, rows=np.arange(3), background=np.arange(3, 6), permutations=2, seed=0
    )
    background_red, background_size = 2.0, (10.0 + 5.0 + 1.0) / 3
    wanted = [
        [3 - background_red, 1 - background_size, 0],
        [-background_red, 10 - background_size, 0],
        [-background_red, 3 - background_size, 0],
    ]
    np.testing.assert_allclose(found.values[:, :, 0], wanted, atol=1e-12)


def test_patches_of_an_image_share_what_their_pixels_do():
    images = np.random.default_rng(0).integers(0, 255, (12, 2, 4, 4)).astype(np.uint8)
    weights = np.random.default_rng(1).normal(size=(2, 4, 4))
    sources = ImageSources(images, patches=4)

    def predict(feeds):
        return (feeds["image"].astype(float) * weights).sum(axis=(1, 2, 3))[:, None]

    found = explain(
        predict, sources, rows=np.arange(2), background=np.arange(2, 12), permutations=2, seed=0
    )
    pixels = (weights * (images[:2] - images[2:].mean(axis=0))).sum(axis=1)
    wanted = [[p[sources.patch_of == k].sum() for k in range(4)] for p in pixels]
    np.testing.assert_allclose(found.values[:, :, 0], wanted, atol=1e-9)


def test_values_come_to_those_of_shapleys_own_formula(sources):
    def curved(feeds):
        return np.tanh(feeds["x0"] * feeds["x1"] + np.sin(3 * feeds["x2"]) + feeds["x3"])[:, None]

    def worth(row, shown):
        codes = np.where(np.isin(np.arange(4), shown), sources.codes[row], sources.codes[8:])
        return curved(sources.feeds(codes)).mean()

    def share(row, feature):
        others = [f for f in range(4) if f != feature]
        subsets = [s for size in range(4) for s in combinations(others, size)]
        return sum(
            (worth(row, (*s, feature)) - worth(row, s)) / (4 * comb(3, len(s))) for s in subsets
        )

    found = explained(curved, sources, permutations=400, rows=3)
    wanted = [[share(row, feature) for feature in range(4)] for row in range(3)]
    np.testing.assert_allclose(found.values[:, :, 0], wanted, atol=0.02)
