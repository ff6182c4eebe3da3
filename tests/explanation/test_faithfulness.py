import numpy as np
import pytest
from scipy.stats import spearmanr

from assay.explanation.faithfulness import (
    TRUSTWORTHY,
    additivity_errors,
    correlations,
    judge_agreement,
    judge_shapley,
    judge_surrogate,
    rank_correlations,
    repeatability,
    to_explain,
)


def test_a_random_explanation_is_named_bad():
    random = np.random.default_rng(0)
    output = random.random((10, 1))
    base = output.mean(axis=0)
    values = random.normal(size=(10, 6, 1))
    errors = additivity_errors(values, base=base, output=output)
    scale = to_explain(output, base=base)
    again = repeatability(random.normal(size=(10, 6)), random.normal(size=(10, 6)))
    words = judge_shapley(
        relative_error=float(errors.mean()) / scale, repeatable=again, scale=scale
    )
    assert words.startswith("weak, because they miss the predictions by")
    assert "another estimate would correlate" in words
    assert judge_agreement(rank_correlations(values[:, :, 0], values[::-1, :, 0])) != TRUSTWORTHY


def test_a_good_explanation_is_named_trustworthy():
    words = judge_shapley(relative_error=1e-9, repeatable=np.array([0.95, 0.99]), scale=0.3)
    assert words == TRUSTWORTHY
    assert judge_surrogate(np.array([0.8, 0.9])) == TRUSTWORTHY
    assert judge_agreement(np.array([0.8])) == TRUSTWORTHY


@pytest.mark.parametrize("r2", [0.2, -3.0, float("nan")])
def test_a_poor_fit_is_named(r2):
    assert judge_surrogate(np.array([r2])).startswith("weak, because the local linear models")


def test_an_undefined_error_is_not_trusted():
    words = judge_shapley(relative_error=float("nan"), repeatable=np.ones(2), scale=0.3)
    assert words.startswith("weak")


def test_equal_predictions_leave_nothing_to_explain():
    words = judge_shapley(relative_error=0.0, repeatable=np.zeros(2), scale=0.0)
    assert "nothing to explain" in words


def test_rank_correlations_are_those_of_scipy():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 9)).round(1)
    wanted = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlations(a, b), wanted)


def test_a_constant_row_correlates_with_nothing():
    assert correlations(np.ones((1, 4)), np.arange(4.0)[None]).tolist() == [0.0]


def test_features_that_cannot_matter_make_nobody_agree():
    random = np.random.default_rng(0)
    counts = np.zeros((30, 64), bool)
    counts[:, :8] = True
    a, b = (np.where(counts, random.random((30, 64)), 0) for _ in range(2))
    assert np.median(rank_correlations(a, b)) > 0.9
    assert abs(np.median(rank_correlations(a, b, counts=counts))) < 0.3
    assert rank_correlations(a, a, counts=counts) == pytest.approx(1)
