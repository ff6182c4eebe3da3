import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional

from assay.data.prepared import IGNORED
from assay.metrics.objective import objective_error
from assay.metrics.scores import score, weighted

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 7, 40)
INSIDE = np.arange(6) < LENGTHS[:, None]


@pytest.fixture(scope="module")
def tags():
    target = np.where(INSIDE, RNG.integers(0, 4, (40, 6)), IGNORED)
    output = RNG.dirichlet(np.ones(4), (40, 6))
    return target, output


def test_tags_are_scored_as_torch_and_scikit_learn_score_the_steps(tags):
    target, output = tags
    found = score("tagging", target=target, output=output)
    flat, chances = target[INSIDE], output[INSIDE]
    loss = functional.nll_loss(torch.from_numpy(np.log(chances)), torch.from_numpy(flat))
    assert found["log_loss"] == pytest.approx(loss.item())
    assert found["accuracy"] == pytest.approx((chances.argmax(1) == flat).mean())
    assert found["f1"] == pytest.approx(f1_score(flat, chances.argmax(1), average="macro"))


def test_what_lies_after_a_row_s_end_counts_for_nothing(tags):
    target, output = tags
    other = np.where(INSIDE[:, :, None], output, 0.25)
    assert score("tagging", target=target, output=output) == score(
        "tagging", target=target, output=other
    )


def test_a_row_of_weight_two_counts_as_that_row_twice(tags):
    target, output = tags
    weights = np.ones((1, 40))
    weights[0, 3] = 2
    twice = np.r_[np.arange(40), 3]
    heavy = weighted("tagging", target=target, output=output)(weights)
    doubled = score("tagging", target=target[twice], output=output[twice])
    assert {n: v[0] for n, v in heavy.items()} == pytest.approx(doubled)


def test_perplexity_is_that_of_all_tokens_together():
    target = np.array([[5, 6, IGNORED], [7, IGNORED, IGNORED]])
    found = score("language_modelling", target=target, output=np.log([0.25, 0.5]))
    assert found["log_loss"] == pytest.approx(math.log(8) / 3)
    assert found["perplexity"] == pytest.approx(2.0)
    assert found["bits_per_token"] == pytest.approx(1.0)


def test_the_error_of_a_ratio_is_that_of_the_bootstrap():
    target = np.where(INSIDE, 1, IGNORED)
    output = -RNG.gamma(2.0, LENGTHS)
    drawn = RNG.multinomial(40, np.full(40, 1 / 40), size=4000).astype(float)
    spread = weighted("language_modelling", target=target, output=output)(drawn)["log_loss"].std()
    error = objective_error("language_modelling", target=target, output=output)
    assert error == pytest.approx(spread, rel=0.15)
