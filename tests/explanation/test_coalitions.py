"""Both ways to SHAP values, beside exact ones."""

import numpy as np
import pytest

from assay.explanation.coalitions import in_line, kernel_shap, on_grid, partition_shap
from assay.explanation.curves import Asked, Probe
from assay.explanation.shapley import explain
from assay.explanation.sources import TableSources

FEATURES = 5


def probe(predict, *, features=FEATURES):
    numbers = np.random.default_rng(0).normal(size=(30, features))
    sources = TableSources({f"f{i}": numbers[:, i] for i in range(features)})
    asked = Asked(rows=np.arange(6), outputs=np.zeros(6, int))
    return Probe(predict=predict, sources=sources, asked=asked, background=np.arange(20, 30))


def curved(feeds):
    f = list(feeds.values())
    return (f[0] * f[1] + np.sin(f[2]) + f[3] * f[4] * f[0])[:, None]


def by_permutations(found):
    return explain(
        found.predict,
        found.sources,
        rows=found.asked.rows,
        background=found.background,
        permutations=400,
        seed=0,
    ).values[:, :, 0]


def test_all_coalitions_of_few_columns_give_shapleys_values():
    found = probe(curved)
    np.testing.assert_allclose(kernel_shap(found, seed=0), by_permutations(found), atol=0.12)


def test_a_draw_of_coalitions_adds_up_and_comes_near():
    def linear(feeds):
        return np.stack(list(feeds.values()), axis=1) @ np.arange(16)[:, None]

    found = probe(linear, features=16)
    values = kernel_shap(found, seed=1)
    own, hidden = (found.sources.feeds(found.sources.codes[r]) for r in (range(6), range(20, 30)))
    wanted = linear(own)[:, 0] - linear(hidden).mean()
    np.testing.assert_allclose(values.sum(axis=1), wanted)
    np.testing.assert_allclose(values, by_permutations(found), atol=1e-6)


def test_parts_add_up_and_halves_of_a_sum_are_exact():
    found = probe(curved)
    values = partition_shap(found, halves=in_line)
    everything = np.ones((6, 1, FEATURES), bool)
    wanted = (found.answers(everything) - found.answers(~everything))[:, 0]
    np.testing.assert_allclose(values.sum(axis=1), wanted, atol=1e-12)

    def by_halves(feeds):
        f = list(feeds.values())
        return (f[0] * f[1] + f[2] * f[3])[:, None]

    pairs = probe(by_halves, features=4)
    np.testing.assert_allclose(
        partition_shap(pairs, halves=in_line), kernel_shap(pairs, seed=0), atol=1e-9
    )


@pytest.mark.parametrize("across", [1, 3, 4])
def test_a_grid_is_cut_until_each_patch_stands_alone(across):
    waiting, alone = [np.arange(12)], []
    halves = on_grid(across)
    while waiting:
        part = waiting.pop()
        if len(part) == 1:
            alone.append(int(part[0]))
            continue
        first, second = halves(part)
        assert len(first)
        assert len(second)
        waiting += [first, second]
    assert sorted(alone) == list(range(12))
