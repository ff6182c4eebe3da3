import numpy as np
import pytest

from assay.explanation.curves import Asked
from assay.explanation.interaction import FOUND, NONE, interaction_table, interactions
from assay.explanation.sources import TableSources

NAMES = ("a", "b", "c")


def table(predict):
    random = np.random.default_rng(0)
    numbers = random.normal(size=(120, 3))
    sources = TableSources({name: numbers[:, i] for i, name in enumerate(NAMES)})
    found = interactions(
        predict,
        sources,
        asked=Asked(rows=np.arange(60), outputs=np.zeros(60, int)),
        background=np.arange(60, 120),
        features=[0, 1, 2],
        seed=0,
    )
    return found, interaction_table(found, names=NAMES, seed=0)


def product(feeds):
    return (feeds["a"] * feeds["b"] + feeds["c"])[:, None]


def test_a_product_is_found_and_a_sum_is_not():
    _, found = table(product)
    first = found.iloc[0]
    assert {first["feature"], first["other"]} == {"a", "b"}
    assert first["verdict"] == FOUND
    assert first["low"] < first["interaction"] < first["high"]
    assert set(found["verdict"][1:]) == {NONE}
    assert found["interaction"][1:].to_numpy() == pytest.approx(0, abs=1e-9)


def test_a_product_interacts_as_far_as_both_stand_from_the_background():
    found, _ = table(product)
    random = np.random.default_rng(0)
    numbers = random.normal(size=(120, 3))
    a, b = numbers[:60, 0], numbers[:60, 1]
    around = numbers[60:]
    wanted = ((a[:, None] - around[:, 0]) * (b[:, None] - around[:, 1])).mean(axis=1)
    estimate = found.halves.mean(axis=0)[:, found.pairs.index((0, 1))]
    assert np.corrcoef(wanted, estimate)[0, 1] > 0.85


def test_noise_alone_is_no_interaction():
    def wild(feeds):
        mixed = np.sin(1e6 * (feeds["a"] + 2 * feeds["b"] + 3 * feeds["c"]))
        return mixed[:, None]

    _, found = table(wild)
    assert (found["low"] <= 0).sum() >= 2
