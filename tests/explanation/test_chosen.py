import numpy as np

from assay.explanation.chosen import choose_classified, choose_estimated


def test_mistakes_doubts_and_right_ones_of_each_class_are_chosen_once():
    random = np.random.default_rng(0)
    probability = random.dirichlet(np.ones(3), size=60)
    target = np.where(random.random(60) < 0.8, probability.argmax(axis=1), 0)
    found = choose_classified(probability, target, classes=("a", "b", "c"), count=12)
    sure, right = probability.max(axis=1), probability.argmax(axis=1) == target
    rows = [c.row for c in found]
    assert len(rows) == len(set(rows)) == 12
    assert found[0].reason == "surest mistake"
    assert found[0].row == max(np.flatnonzero(~right), key=lambda i: sure[i])
    assert any(c.row == sure.argmin() or c.reason == "surest mistake" for c in found)
    assert {"surest and right for a", "surest and right for b", "typical and right for c"} <= {
        c.reason for c in found
    }


def test_without_mistakes_and_with_few_rows_there_is_still_something_to_see():
    probability = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    found = choose_classified(probability, np.array([0, 1, 0]), classes=("a", "b"), count=12)
    assert sorted(c.row for c in found) == [0, 1, 2]
    assert all(c.reason for c in found)


def test_regression_shows_the_largest_errors_first():
    target = np.arange(30.0)
    prediction = target.copy()
    prediction[4] += 9
    prediction[20] -= 8
    found = choose_estimated(prediction, target, count=8)
    assert (found[0].row, found[0].reason) == (4, "largest overestimate")
    assert (found[1].row, found[1].reason) == (20, "largest underestimate")
    assert len({c.row for c in found}) == len(found) == 8
