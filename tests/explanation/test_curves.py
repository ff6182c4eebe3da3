from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from assay.explanation.curves import Asked, Probe, chance, drops, gains, infidelity
from assay.explanation.faithfulness import TRUSTWORTHY
from assay.explanation.sources import TableSources
from assay.explanation.trust import _against_random, agreement_of, verdict

WEIGHTS = np.array([3.0, -2.0, 1.0, 0.0, 0.5])


def linear(feeds):
    return sum(w * feeds[f"x{i}"] for i, w in enumerate(WEIGHTS))[:, None]


@pytest.fixture
def numbers():
    return np.random.default_rng(0).normal(size=(30, 5))


@pytest.fixture
def probe(numbers):
    return Probe(
        predict=linear,
        sources=TableSources({f"x{i}": numbers[:, i] for i in range(5)}),
        asked=Asked(rows=np.arange(10), outputs=np.zeros(10, int)),
        background=np.arange(10, 30),
    )


@pytest.fixture
def truth(numbers):
    return WEIGHTS * (numbers[:10] - numbers[10:].mean(axis=0))


def test_the_true_attributions_gain_over_random_ones_and_the_opposite_loses(probe, truth):
    own = gains(probe, truth, is_signed=True)
    other = chance(probe, seed=0).signed
    assert (own > other).all()
    assert (gains(probe, -truth, is_signed=True) < other).all()


def test_no_order_of_features_beats_the_true_one_of_a_linear_model(probe, truth):
    best = gains(probe, truth, is_signed=True)
    random = np.random.default_rng(1)
    for _ in range(5):
        tried = gains(probe, random.normal(size=truth.shape), is_signed=True)
        assert (tried <= best + 1e-12).all()


def test_sizes_alone_are_scored_by_closeness_to_the_full_prediction(probe, truth):
    own = gains(probe, np.abs(truth), is_signed=False)
    assert own.mean() > chance(probe, seed=0).unsigned.mean()


def test_infidelity_is_nil_for_the_truth_and_one_for_nothing(probe, truth):
    found = drops(probe, seed=0)
    np.testing.assert_allclose(infidelity(found, truth), 0, atol=1e-12)
    np.testing.assert_allclose(infidelity(found, 7 * truth), 0, atol=1e-12)
    np.testing.assert_allclose(infidelity(found, truth * 0), 1)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"against_random": {"gain": 0.0, "low": -0.1, "high": 0.1}}, "no better than a random"),
        ({"completeness": {"relative": 0.4}}, "misses the predictions by 40%"),
        ({"randomisation": {"median": 0.97}}, "hardly depends on what the model learned"),
        ({"sensitivity": {"median": 3.0}}, "a small change of the input"),
        (
            {"tells_apart": {"share": 0.004, "times": None, "needed": None}},
            "next to nothing to explain",
        ),
        (
            {"tells_apart": {"share": 0.05, "times": 1.1, "needed": 2.0}},
            "1.1 times as much as those of random weights",
        ),
    ],
)
def test_each_failing_is_published_in_words(part, words):
    good = {
        "against_random": {"gain": 0.3, "low": 0.2, "high": 0.4},
        "completeness": {"relative": 0.0},
        "randomisation": {"median": 0.1},
        "sensitivity": {"median": 0.1},
        "tells_apart": {"share": 0.3, "times": 20.0, "needed": 2.0},
    }
    assert verdict("shap", good) == TRUSTWORTHY
    assert words in verdict("shap", {**good, **part})


def test_methods_that_rank_alike_agree(truth):
    every = np.ones(truth.shape, bool)
    found = agreement_of({"one": truth, "same": 2 * truth, "other": truth[:, ::-1]}, counts=every)
    assert found["one"]["same"] == pytest.approx(1)
    assert found["one"]["other"] < 0.9


def test_a_random_attribution_is_rarely_called_better_than_random(probe):
    random = np.random.default_rng(0)
    few = replace(probe, asked=Asked(rows=np.arange(4), outputs=np.zeros(4, int)))
    grounds = SimpleNamespace(probe=few, chance=chance(few, seed=0))
    shape = (4, len(probe.sources.names))
    found = [
        _against_random("shap", random.normal(size=shape), grounds=grounds) for _ in range(200)
    ]
    assert sum(f["low"] > 0 for f in found) <= 12, "one in forty is what the interval allows"
