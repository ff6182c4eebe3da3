from hypothesis import given
from hypothesis import strategies as st

from assay.explanation.knobs import Explain
from assay.explanation.plan import plan


def test_the_budget_is_kept_where_it_can_be():
    for features in (4, 14, 64):
        sizes = plan(Explain(), features=features, test_rows=500, train_rows=1000)
        walk = (2 * features + 1) * sizes.background
        spent = walk * (sizes.rows * sizes.permutations + 2 * sizes.global_rows / 2)
        assert spent <= 1.1 * Explain().samples
        assert sizes.permutations >= 4


@given(st.integers(1, 3000), st.integers(1, 50), st.integers(2, 50))
def test_any_data_has_a_plan(features, test_rows, train_rows):
    sizes = plan(Explain(), features=features, test_rows=test_rows, train_rows=train_rows)
    assert 1 <= sizes.rows <= test_rows
    assert 1 <= sizes.global_rows <= test_rows
    assert 1 <= sizes.background <= train_rows
    assert sizes.permutations >= 2
    assert sizes.permutations % 2 == 0
