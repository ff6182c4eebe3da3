"""Search spaces in Hydra's sweep grammar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config.space import parse_space
from assay.errors import ConfigError
from assay.space import Choice, Condition, Dimension, Interval, combinations, in_order

_CONFIG = {
    "model": {"width": 32, "act": "relu", "dropout": 0.1, "flag": False, "deep": {"n": 2}},
    "training": {"lr": 0.01, "threads": None},
    "seed": 0,
}


def _one(key: str, expression: object) -> Dimension:
    section, _, name = key.partition(".")
    (found,) = parse_space({section: {name: expression}}, config=_CONFIG).values()
    return found


@pytest.mark.parametrize(
    ("key", "expression", "expected"),
    [
        ("training.lr", "interval(0, 1)", Interval(low=0, high=1)),
        ("training.lr", "interval(1e-4, 1e-1)", Interval(low=1e-4, high=1e-1)),
        ("training.lr", "tag(log, interval(1e-4, 1))", Interval(low=1e-4, high=1, is_log=True)),
        ("model.width", "interval(8, 64)", Interval(low=8, high=64, is_integer=True)),
        (
            "model.width",
            "tag(log, int, interval(8, 64))",
            Interval(low=8, high=64, is_log=True, is_integer=True),
        ),
        ("training.threads", "tag(int, interval(1, 4))", Interval(low=1, high=4, is_integer=True)),
        ("model.act", "choice(relu, 'gelu', \"x y\")", Choice(values=("relu", "gelu", "x y"))),
        ("model.act", "relu, gelu", Choice(values=("relu", "gelu"))),
        ("model.width", "range(8, 33, 8)", Interval(low=8, high=32, step=8, is_integer=True)),
        ("model.width", "range(32, 0, -8)", Interval(low=8, high=32, step=8, is_integer=True)),
        ("model.width", "int(interval(1, 3))", Interval(low=1, high=3, is_integer=True)),
        ("model.width", "range(5, 6)", Choice(values=(5,))),
        ("training.lr", "range(0.1, 0.4, 0.1)", Interval(low=0.1, high=0.3, step=0.1)),
        ("model.flag", "choice(true, false)", Choice(values=(True, False))),
        ("training.lr", "choice(1, 2.5)", Choice(values=(1, 2.5))),
    ],
)
def test_an_expression_is_a_dimension(key: str, expression: str, expected: Dimension) -> None:
    assert _one(key, expression) == expected


def test_deeper_keys_are_dotted() -> None:
    assert list(parse_space({"model": {"deep": {"n": "choice(1, 2)"}}}, config=_CONFIG)) == [
        "model.deep.n"
    ]


@pytest.mark.parametrize("empty", [{}, {"model": {}}])
def test_an_empty_space_has_no_dimension(empty: dict[str, Any]) -> None:
    if not empty:
        assert parse_space(empty, config=_CONFIG) == {}
    else:
        with pytest.raises(ConfigError, match="it never changes a group"):
            parse_space(empty, config=_CONFIG)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"model": {"widht": "choice(1, 2)"}}, "search.space.model.widht: names no key of the conf"),
        ({"model": "choice(mlp, cnn)"}, "search.space.model: a search tunes values of mod"),
        ({"seed": "choice(1, 2)"}, "search.space.seed: a search tunes values"),
        ({"data": {"seed": "choice(1, 2)"}}, "search.space.data.seed: names no key"),
        ({"model": {"width": 64}}, "search.space.model.width: 64 is one value, not a sweep; write 'interval"),
        ({"model": {"width": None}}, "search.space.model.width: None is one value"),
        ({"model": {"width": [8, 16]}}, "search.space.model.width: [8, 16] is one value"),
        ({"model": {"width": "choice(8"}}, "search.space.model.width: 'choice(8' is not a sweep"),
        ({"model": {"width": "choice()"}}, "search.space.model.width: 'choice()' is not a sweep"),
        ({"model": {"width": "interval(a, b)"}}, "search.space.model.width: 'interval(a, b)' is not a sweep"),
        ({"model": {"width": "interval(8, 4)"}}, "search.space.model.width: the interval from 8 to 4 is empty"),
        ({"model": {"width": "tag(int, interval(1.5, 4))"}}, "search.space.model.width: whole numbers need whole b"),
        ({"training": {"lr": "tag(log, interval(0, 1))"}}, "search.space.training.lr: a logarithmic interval beg"),
        ({"model": {"act": "interval(0, 1)"}}, "search.space.model.act: the value is no number ('relu'); use"),
        ({"model": {"flag": "interval(0, 1)"}}, "search.space.model.flag: the value is no number (False)"),
        ({"model": {"act": "glob(*)"}}, "search.space.model.act: 'glob(*)' is not a sweep"),
        ({"model": {"act": "choice([a, b], [c])"}}, "search.space.model.act: ['a', 'b'] is not one value"),
        ({"model": {"width": "interval(1, 2), 3"}}, "search.space.model.width: "),
        ({"model": {"width": "range(5, 5)"}}, "search.space.model.width: there is nothing to choose from"),
        ({"model": {"width": "range(1, 5, 0)"}}, "search.space.model.width: a range needs a step"),
    ],
)  # fmt: skip
def test_what_is_no_dimension_is_told_with_its_key(node: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_space(node, config=_CONFIG)
    (problem,) = caught.value.problems
    assert problem.startswith(sentence)


def test_all_problems_of_a_space_are_told_at_once() -> None:
    node = {"model": {"width": 1, "act": "choice(relu)", "x": "choice(1)"}, "training": {"lr": "a"}}
    with pytest.raises(ConfigError) as caught:
        parse_space(node, config=_CONFIG)
    assert len(caught.value.problems) == 3


_SGD = Condition(key="model.act", values=("gelu",))


@pytest.mark.parametrize(
    "node",
    [
        {"when": {"model.act=gelu": {"model": {"dropout": "interval(0, 0.5)"}}}},
        {"model": {"dropout": "tag(model.act:gelu, interval(0, 0.5))"}},
    ],
)
def test_a_dimension_may_exist_only_beside_other_values(node: dict[str, Any]) -> None:
    both = {**node, "model": {**node.get("model", {}), "act": "choice(relu, gelu)"}}
    space = parse_space(both, config=_CONFIG)
    assert space["model.dropout"] == Interval(low=0, high=0.5, when=(_SGD,))
    assert in_order(space) == ["model.act", "model.dropout"]
    assert parse_space(node, config=_CONFIG) == {}  # model.act stays relu
    chosen = {**_CONFIG, "model": {**_CONFIG["model"], "act": "gelu"}}  # type: ignore[dict-item]
    assert parse_space(node, config=chosen) == {"model.dropout": Interval(low=0, high=0.5)}


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        ({"model.akt=gelu": {"model": {"dropout": "interval(0, 1)"}}}, "did you mean 'model.act'?"),
        ({"model.act=tanh": {"model": {"dropout": "interval(0, 1)"}}}, "model.act is never tanh"),
        (
            {"model.act": {"model": {"dropout": "interval(0, 1)"}}},
            "is no condition; write KEY=VALUE",
        ),
        ({"model.act=gelu": "interval(0, 1)"}, "expected keys with sweeps"),
    ],
)
def test_a_condition_that_cannot_hold_is_told(when: dict[str, Any], sentence: str) -> None:
    node = {"model": {"act": "choice(relu, gelu)"}, "when": when}
    with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")):
        parse_space(node, config=_CONFIG)


def test_a_grid_has_every_setting_once_and_no_end_is_refused() -> None:
    space = parse_space(
        {
            "model": {
                "act": "choice(relu, gelu)",
                "deep": {"n": "tag(model.act:gelu, range(1, 4))"},
            }
        },
        config=_CONFIG,
    )
    assert combinations(space) == [
        {"model.act": "relu"},
        *({"model.act": "gelu", "model.deep.n": n} for n in (1, 2, 3)),
    ]
    with pytest.raises(ConfigError, match="a grid needs choice"):
        combinations({"training.lr": Interval(low=0, high=1)})


_numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(low=_numbers, high=_numbers)
def test_an_interval_survives_the_round_trip(low: float, high: float) -> None:
    if low < high:
        assert _one("training.lr", f"interval({low!r}, {high!r})") == Interval(low=low, high=high)


@given(st.lists(st.integers() | st.booleans() | _numbers, min_size=1, max_size=5))
def test_a_choice_survives_the_round_trip(values: list[Any]) -> None:
    written = ", ".join(str(v).lower() if isinstance(v, bool) else repr(v) for v in values)
    assert _one("training.lr", f"choice({written})") == Choice(values=tuple(values))
