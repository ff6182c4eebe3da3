import itertools
import math

import numpy as np
import pytest
from tests.synthetic import write_inputs

from assay.baselines.language import KneserNey, count_language
from assay.baselines.tags import count_tags
from assay.metrics.scores import score

TEXTS = [[2, 3, 4], [2, 3, 5], [2, 3, 4], [6, 3, 4], [6, 7, 5], [2, 7]]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_of_all_tokens_sum_to_one(order):
    model = KneserNey(TEXTS, order=order, vocabulary=9)
    for context in itertools.chain([()], itertools.product(range(9), repeat=order - 1)):
        total = sum(model.probability(token, context) for token in range(9))
        assert total == pytest.approx(1.0)


def test_a_pair_s_probability_is_that_of_the_formula():
    """Chen and Goodman, equations 26 to 28, with discounts of 0.75, since no count of four occurs."""
    model = KneserNey(TEXTS, order=2, vocabulary=9)
    pairs = {(2, 3): 3, (3, 4): 3, (3, 5): 1, (6, 3): 1, (6, 7): 1, (7, 5): 1, (2, 7): 1}
    before = {3: 2, 4: 1, 5: 2, 7: 2}
    assert len(pairs) == sum(before.values())
    lower = (before[4] - 0.75) / 7 + 0.75 * 4 / 7 / 9
    assert model.probability(4, ()) == pytest.approx(lower)
    assert model.probability(4, (3,)) == pytest.approx((3 - 0.75) / 4 + 0.75 * 2 / 4 * lower)


def test_a_context_that_was_never_seen_falls_back():
    model = KneserNey(TEXTS, order=3, vocabulary=9)
    assert model.probability(4, (8, 3)) == model.probability(4, (3,))
    assert model.probability(4, (8, 8)) == model.probability(4, ())


def test_a_text_s_likelihood_is_the_product_over_its_tokens():
    model = KneserNey(TEXTS, order=3, vocabulary=9)
    expected = math.log(model.probability(3, (2,))) + math.log(model.probability(4, (2, 3)))
    assert model.log_likelihood([2, 3, 4]) == pytest.approx(expected)


def test_more_context_predicts_a_text_with_a_rule_better():
    rng = np.random.default_rng(0)
    texts = [_ruled(rng) for _ in range(60)]
    likely = [
        sum(KneserNey(texts[:50], order=n, vocabulary=8).log_likelihood(t) for t in texts[50:])
        for n in (1, 2, 3)
    ]
    assert likely[0] < likely[1] < likely[2]


def _ruled(rng):
    """A token is the sum of the two before it, modulo 6, but now and then any other."""
    text = [2, 3]
    for _ in range(12):
        is_ruled = rng.random() < 0.9
        text.append(int(2 + (text[-1] + text[-2]) % 6 if is_ruled else rng.integers(2, 8)))
    return text


def test_every_order_answers_for_every_text(tmp_path):
    inputs = write_inputs(tmp_path, kind="text", task="language_modelling")
    found = count_language(inputs.train, inputs.valid, spec=inputs.spec)
    assert list(found) == ["trivial", "bigram", "trigram"]
    assert all(answer.output.shape == (len(inputs.valid),) for answer in found.values())


def test_tags_are_looked_up_by_their_token(tmp_path):
    inputs = write_inputs(tmp_path, kind="text", task="tagging")
    found = count_tags(inputs.train, inputs.valid, spec=inputs.spec)
    for answer in found.values():
        np.testing.assert_allclose(answer.output.sum(axis=2), 1.0)
    accuracy = {
        name: score("tagging", target=inputs.valid.target, output=answer.output)["accuracy"]
        for name, answer in found.items()
    }
    assert accuracy["lookup"] == 1.0 > accuracy["trivial"]
