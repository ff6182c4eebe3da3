import numpy as np
import pytest
from lime.lime_tabular import LimeTabularExplainer

from assay.explanation.sources import ImageSources
from assay.explanation.surrogate import Question, explain_parts, explain_table
from assay.explanation.surroundings import Surroundings

WEIGHTS = np.array([1.0, -2.0, 0.5])
QUESTION = Question(output=0, samples=1000, seed=0)


def linear(feeds):
    return sum(w * feeds[f"x{i}"] for i, w in enumerate(WEIGHTS))[:, None]


@pytest.fixture
def training():
    numbers = np.random.default_rng(0).normal(loc=3, scale=2, size=(200, 3))
    return {f"x{i}": numbers[:, i] for i in range(3)}


def row_of(columns, row=0):
    return {name: values[row : row + 1] for name, values in columns.items()}


def by_the_package(predict, training, own, *, is_word):
    """Values and R² by LIME itself, for columns of numbers and of codes."""
    matrix = np.stack(list(training.values()), axis=1)
    explainer = LimeTabularExplainer(
        matrix,
        mode="regression",
        categorical_features=np.flatnonzero(is_word).tolist(),
        discretize_continuous=False,
        sample_around_instance=True,
        feature_selection="none",
        random_state=QUESTION.seed,
    )
    found = explainer.explain_instance(
        own,
        lambda rows: predict(dict(zip(training, rows.T, strict=True)))[:, 0],
        num_features=len(own),
        num_samples=QUESTION.samples,
    )
    weights = np.array([weight for _, weight in sorted(found.local_exp[1])])
    distances = (own - matrix.mean(axis=0)) / matrix.std(axis=0)
    distances[is_word] = 1 - (matrix == own).mean(axis=0)[is_word]
    return weights * distances, found.score


def test_rows_are_explained_as_the_package_does_to_the_last_digits(training):
    codes = np.random.default_rng(1).integers(0, 2, 200).astype(float)
    training = {**training, "flag": np.append(codes[1:], 0.0)}
    training["flag"][0] = 0.0  # so that words have the codes of their order

    def predict(feeds):
        bent = np.tanh(feeds["x0"] - 3) + 0.2 * feeds["x1"] * feeds["x2"]
        return (bent + feeds["flag"] * feeds["x0"])[:, None]

    own = np.array([values[7] for values in training.values()])
    found = explain_table(
        predict, row_of(training, 7), training=Surroundings(training), question=QUESTION
    )
    is_word = np.array([False, False, False, True])
    wanted, r2 = by_the_package(predict, training, own, is_word=is_word)
    np.testing.assert_allclose(found.values, wanted, rtol=1e-8)
    assert found.r2 == pytest.approx(r2, rel=1e-8)


def test_a_linear_model_is_fitted_and_its_contributions_are_those_of_shap(training):
    found = explain_table(
        linear, row_of(training), training=Surroundings(training), question=QUESTION
    )
    wanted = [w * (x[0] - x.mean()) for w, x in zip(WEIGHTS, training.values(), strict=True)]
    assert found.r2 > 0.999
    np.testing.assert_allclose(found.values, wanted, rtol=0.02, atol=0.02)


def test_a_wild_model_has_a_low_r2(training):
    def wild(feeds):
        return np.sin(40 * feeds["x0"] * feeds["x1"])[:, None]

    assert (
        explain_table(wild, row_of(training), training=Surroundings(training), question=QUESTION).r2
        < 0.1
    )


def test_where_the_output_never_varies_nothing_is_explained(training):
    def constant(feeds):
        return np.full((len(feeds["x0"]), 1), 0.7)

    found = explain_table(
        constant, row_of(training), training=Surroundings(training), question=QUESTION
    )
    assert found.r2 == 0
    np.testing.assert_allclose(found.values, 0, atol=1e-12)


def test_the_same_seed_gives_the_same_values(training):
    first, second = (
        explain_table(linear, row_of(training), training=Surroundings(training), question=QUESTION)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.values, second.values)


def test_texts_booleans_and_missing_cells_are_categories():
    random = np.random.default_rng(0)
    training = {
        "colour": np.array(["red", "blue", "green", ""] * 50, dtype=object),
        "flag": random.integers(0, 2, 200).astype(float),
        "size": np.where(random.random(200) < 0.25, np.nan, random.normal(size=200)),
    }
    seen = []

    def predict(feeds):
        seen.append(feeds)
        size = np.where(np.isnan(feeds["size"]), 2.0, 0.0)
        return (4.0 * (feeds["colour"] == "red") + feeds["flag"] + size)[:, None]

    row = {
        "colour": np.array(["red"], dtype=object),
        "flag": np.ones(1),
        "size": np.full(1, np.nan),
    }
    found = explain_table(predict, row, training=Surroundings(training), question=QUESTION)
    missing = np.isnan(training["size"]).mean()
    wanted = [4 * 0.75, 1 - training["flag"].mean(), 2 * (1 - missing)]
    assert found.r2 > 0.99
    np.testing.assert_allclose(found.values, wanted, rtol=0.05)
    assert set(seen[0]["flag"]) == {0.0, 1.0}
    assert set(seen[0]["colour"]) == {"red", "blue", "green", ""}


def test_a_category_that_training_never_saw_is_explained():
    training = {"colour": np.array(["red", "blue"] * 20, dtype=object), "x": np.arange(40.0)}
    row = {"colour": np.array(["pink"], dtype=object), "x": np.array([3.0])}

    def predict(feeds):
        return (feeds["colour"] == "pink").astype(float)[:, None]

    found = explain_table(predict, row, training=Surroundings(training), question=QUESTION)
    assert found.values[0] > 0.3
    assert abs(found.values[1]) < 0.01


def test_patches_of_an_image_are_switched_off_one_by_one():
    images = np.random.default_rng(0).integers(0, 255, (3, 1, 4, 4)).astype(np.uint8)
    weights = np.random.default_rng(1).normal(size=(4, 4))
    sources = ImageSources(images, patches=16)

    def predict(feeds):
        return (feeds["image"][:, 0] * weights).sum(axis=(1, 2))[:, None]

    found = explain_parts(predict, sources, row=0, hidden=2, question=QUESTION)
    wanted = (weights * (images[0, 0].astype(float) - images[2, 0])).ravel()
    assert found.r2 > 0.99
    np.testing.assert_allclose(found.values, wanted, atol=0.05 * np.abs(wanted).max())
