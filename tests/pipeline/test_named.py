"""Names that task or data lack are refused when the configuration is composed, with the nearest ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.artifacts.files import read_yaml
from assay.config.compose import compose_params
from assay.errors import ConfigError
from assay.pipeline.composing.named import require_names
from assay.pipeline.composing.schema import SCHEMA

CONF = Path(__file__).parents[2] / "conf"
MODELS = {"csv": "mlp", "digits": "cnn", "co2": "gru", "synthetic_stream": "autoencoder"}


def _problems(data: str, settings: dict[str, Any]) -> tuple[str, ...]:
    chosen = {"data": data, "model": MODELS.get(data, "mlp"), "set": settings}
    config = compose_params(CONF, chosen, schema=SCHEMA)
    try:
        require_names(config)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.fixture
def table(tmp_path: Path) -> dict[str, Any]:
    """A table whose task only its target's values tell."""
    numbers = [float(n) / 7 for n in range(60)]
    frame = pd.DataFrame({"age": range(60), "region": ["n", "s"] * 30, "price": numbers})
    frame["churned"] = ["yes", "no"] * 30
    frame.to_csv(tmp_path / "table.csv", index=False)
    return {"path": str(tmp_path / "table.csv"), "target": "price"}


@pytest.mark.parametrize(
    ("data", "gate", "said"),
    [
        ("digits", {"metric": "acuracy"}, "classification has no metric 'acuracy'; did you mean 'accuracy'?"),
        ("diabetes", {"minimum": {"accuracy": 0.9}}, "no metric 'accuracy'; there is: mae, mse, r2, rmse"),
        ("co2", {"maximum": {"maes": 3}}, "gate.maximum.maes: forecasting has no metric 'maes'; did you mean 'mae'?"),
        ("digits", {"minimum": {"cost": 1}}, "gate.minimum.cost: there is a cost only where export.costs says"),
        ("digits", {"minimum": {"log_loss": 0.1}}, "gate.minimum.log_loss: the less log_loss the better the model"),
        ("digits", {"maximum": {"accuracy": 0.9}}, "set gate.minimum.accuracy"),
        ("digits", {"champion": "not_inferior"}, "gate.margin: expected more than 0"),
        ("digits", {"baselines": ["linaer"]}, "image data has no baseline 'linaer' here; did you mean 'linear'?"),
        ("co2", {"baselines": ["boosting"]}, "'boosting' here; there is: drift, last, linear, plain, trivial"),
    ],
)  # fmt: skip
def test_what_the_task_lacks_is_refused(data: str, gate: dict[str, Any], said: str) -> None:
    found = [problem for problem in _problems(data, {"gate": gate}) if said in problem]
    assert len(found) == 1


def test_a_margin_of_the_wrong_sign_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"gate\.margin.*greater than or equal to 0; got -0\.01"):
        _problems("digits", {"gate": {"margin": -0.01}})


@pytest.mark.parametrize(
    ("data", "gate"),
    [
        ("digits", {"metric": "accuracy", "minimum": {"f1": 0.1}, "maximum": {"ece": 0.1}}),
        ("diabetes", {"metric": "mae", "baselines": ["boosting", "from_nothing"]}),
        ("digits", {"baselines": ["trivial", "without_samples"]}),
        ("synthetic_stream", {"maximum": {"flagged": 0.1}, "minimum": {"flagged": 0.01}}),
    ],
)
def test_what_the_task_has_is_let_through(data: str, gate: dict[str, Any]) -> None:
    assert _problems(data, {"gate": gate}) == ()


@pytest.mark.parametrize(
    "data", ["breast_cancer", "digits", "basic_motions", "co2", "prose", "synthetic_stream"]
)
def test_the_strict_gate_suits_every_kind_of_data(data: str) -> None:
    strict = read_yaml(CONF / "gate" / "strict.yaml")
    assert _problems(data, {"gate": strict}) == ()


def test_the_task_is_read_from_the_target_where_nothing_else_says_it(table: dict[str, Any]) -> None:
    settings = {"data": table, "gate": {"metric": "accuracy"}}
    (said,) = _problems("csv", settings)
    assert said.startswith("gate.metric: regression has no metric 'accuracy'")
    table["target"] = "churned"
    assert _problems("csv", settings) == ()


def test_a_column_that_the_data_lacks_is_refused_in_every_section(table: dict[str, Any]) -> None:
    settings = {
        "data": table,
        "evaluate": {"slices": ["regoin"]},
        "explain": {"slices": ["age", "sex"]},
    }
    first, second = _problems("csv", settings)
    assert first == "evaluate.slices: the data has no column 'regoin'; did you mean 'region'?"
    assert second == "explain.slices: the data has no column 'sex'; there is: age, churned, region"


def test_a_class_that_the_target_lacks_is_refused_before_training(table: dict[str, Any]) -> None:
    table["target"] = "churned"
    settings = {"data": table, "export": {"costs": {"yess": 5}}, "gate": {"maximum": {"cost": 1}}}
    assert _problems("csv", settings) == (
        "export.costs.yess: there is no class 'yess'; did you mean 'yes'?",
    )
    table["target"] = "price"
    costs, cost = _problems("csv", settings)[::-1]
    assert "costs decide between classes, but the task is regression" in costs
    assert "regression has no metric" in cost or "only where export.costs" in cost


def test_data_that_cannot_be_read_is_left_to_prepare(table: dict[str, Any]) -> None:
    table["path"] = "nowhere.csv"
    assert _problems("csv", {"data": table, "gate": {"metric": "accuracy"}}) == ()
