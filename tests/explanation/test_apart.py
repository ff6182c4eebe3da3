import numpy as np
import pytest

from assay.explanation.apart import TELLS_APART, TWINS, apart, reasons_against

_TRIES = 1000


def told_apart(spread: float, untrained) -> bool:
    output = spread * np.array([[-1.0], [1.0]])
    return not reasons_against(apart(output, reach=1.0, untrained=untrained))


@pytest.mark.parametrize("deviation", [0.09, 0.43])
def test_an_untrained_network_is_rarely_taken_for_a_trained_one(deviation):
    random = np.random.default_rng(0)
    spreads = 0.05 * np.exp(random.normal(scale=deviation, size=(_TRIES, 1 + TWINS)))
    passed = np.mean([told_apart(own, others) for own, *others in spreads])
    assert passed < 0.02, "one in a hundred is what the limit allows"
    by_one_twin = np.mean(spreads[:, 0] > 1.5 * spreads[:, 1])
    assert passed < by_one_twin or deviation < 0.2


def test_the_smallest_spreads_are_no_measure():
    dead = [1e-9] * TWINS
    assert not told_apart(0.9 * TELLS_APART, dead)
    assert told_apart(1.1 * TELLS_APART, dead), "but what tells rows apart at all beats dead ones"
    assert not told_apart(0.03, [1e-6, *[0.03] * (TWINS - 1)]), "nor do they lower the limit"


def test_a_trained_network_tells_rows_apart_by_more_than_chance():
    assert told_apart(0.3, [0.0127, 0.02, 0.03, 0.0354, 0.05, 0.0981] * 2)


def test_where_nothing_is_known_to_compare_with_nothing_is_claimed():
    output = np.array([[0.0], [1.0]])
    assert apart(output, reach=None, untrained=[0.1, 0.2])["share"] is None
    found = apart(output, reach=1.0, untrained=[])
    assert (found["share"], found["times"]) == (0.5, None)
