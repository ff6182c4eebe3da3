"""What params.yaml describes over the real conf/ is resolved, checked and written, or refused."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.config.blanks import blanks
from assay.config.compose import compose_params, difference, groups
from assay.data.csv import Csv
from assay.errors import ConfigError
from assay.pipeline.composing.match import models_for, require_match
from assay.pipeline.composing.schema import SCHEMA
from assay.stages import compose

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
OPTIONS = [(group, option) for group, options in groups(CONF).items() for option in options]
_CSV = {"data": {"path": "churn.csv", "target": "churned"}}


def _composed(settings: Any = None, *, conf: Path = CONF, **choices: Any) -> dict[str, Any]:
    base = {
        "data": "digits",
        "model": "cnn",
        "training": "default",
        "search": "tpe",
        "gate": "default",
    }
    return compose_params(conf, {**base, **choices, "set": settings or {}}, schema=SCHEMA)


def _problems(settings: Any = None, *, conf: Path = CONF, **choices: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        _composed(settings, conf=conf, **choices)
    return caught.value.problems


def _space(section: str, **dimensions: str) -> dict[str, Any]:
    return {"search": {"space": {section: dimensions}}}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return shutil.copytree(CONF, tmp_path / "conf")


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes(group: str, option: str) -> None:
    needed = dict.fromkeys(blanks(CONF, option), "x") if group == "data" else {}
    config = _composed({"data": needed} if needed else None, **{group: option})
    assert config["choices"][group] == option


def test_everything_is_written_out_and_plain() -> None:
    config = _composed()
    assert yaml.safe_load(yaml.safe_dump(config)) == config
    assert set(config) == {"choices", "name", "seed", "data", "model", *SCHEMA}
    assert config["name"] == "digits"
    assert config["evaluate"]["confidence"] == 0.95
    assert config["search"]["space"]["model"]["pooling"] == "choice(max, average)"
    assert "space" not in config["model"]


def test_the_stage_writes_one_file_and_its_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CONF, tmp_path / "conf")
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    compose.run(compose.Params())
    written = tmp_path / "artifacts/config.yaml"
    first = written.read_bytes()
    compose.run(compose.Params())
    assert written.read_bytes() == first
    files = {str(p.relative_to(tmp_path)) for p in (tmp_path / "artifacts").rglob("*.*")}
    assert files == {
        "artifacts/.locks",
        "artifacts/.locks/compose.lock",
        "artifacts/compose/manifest/config.yaml.json",
        "artifacts/config.yaml",
    }


def test_the_stage_leaves_the_file_of_before_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "params.yaml").write_text("data: digits\nmodel: gruu\n")
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/config.yaml").write_text("before")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="model: there is no option 'gruu'"):
        compose.run(compose.Params())
    assert (tmp_path / "artifacts/config.yaml").read_text() == "before"


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"data": "digts"}, "data: there is no option 'digts'; did you mean 'digits'?"),
        ({"model": None}, "model: there is no option None; there is: "),
        ({"model": ["cnn", "mlp"]}, "model: there is no option ['cnn', 'mlp']"),
        ({"modle": "cnn"}, "modle: there is no such group; did you mean 'model'?"),
        ({"seed": 3}, "seed: belongs under 'set'"),
        ({"explain": {}}, "explain: belongs under 'set'"),
    ],
)
def test_a_wrong_choice_is_told(choices: dict[str, Any], sentence: str) -> None:
    (problem,) = _problems(**choices)
    assert problem.startswith(sentence)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"trainin": {"lr": 1}}, "trainin: there is no such key; did you mean 'training'?"),
        ({"training": {"max_epoch": 1}}, "training.max_epoch: there is no such key; did you mean 'max_epochs'?"),
        ({"training": {"lr": "fast"}}, "training.lr: the value should be a valid number"),
        ({"training": {"lr": 0}}, "training.lr: the value should be greater than 0; got 0"),
        ({"training": {"optimizer": "adm"}}, "training.optimizer: expected one of sgd, adam, adamw, rmsprop; got"),
        ({"training": "default"}, "training: expected keys with values, got 'default'"),
        ({"training": None}, "training: expected keys with values, got None"),
        ({"model": {"widht": 8}}, "model.widht: there is no such key; did you mean 'width'?"),
        ({"model": {"width": 1}}, "model.width: the value should be greater than or equal to 4; got 1"),
        ({"model": "mlp"}, "model: expected keys with values, got 'mlp'"),
        ({"data": "adult"}, "data: expected keys with values, got 'adult'"),
        ({"model": {"_target_": "os.system"}}, "model._target_: 'os.system' is not a class in assay.model.*"),
        ({"data": {"_target_": "assay.model.cnn.Cnn"}}, "data._target_: 'assay.model.cnn.Cnn' is not"),
        ({"data": {"split": {"test": 0.9}}}, "data.split: valid (0.15) and test (0.9) take every row"),
        ({"seed": "x"}, "seed: the value should be a valid integer"),
        ({"seed": -1}, "seed: the value should be greater than or equal to 0"),
        ({"name": 3}, "name: expected text, got 3: put it in quotes"),
        ({"choices": {"data": "x"}}, "choices: there is no such key"),
        ("fast", "set: expected keys with values as in conf/, got 'fast'"),
        ({"training": {"lr": "${nowhere}"}}, "training.lr: "),
        ({"training": {"lr": "${"}}, "set: "),
        ({"model": {"space": "choice(1)"}}, "model.space: expected keys with sweeps"),
        ({"search": {"space": "choice(1)"}}, "search.space: expected keys with sweeps"),
        (_space("model", widht="choice(8, 16)"), "search.space.model.widht: names no key of the conf"),
        (_space("data", kind="choice(1, 2)"), "search.space.data.kind: a search tunes values of model"),
        (_space("model", width="choice(8, 0)"), "search.space.model.width: the value should be greater than or"),
        (_space("model", activation="choice(relu, rely)"), "search.space.model.activation: expected one of"),
        (_space("training", lr="interval(0, 1)"), "search.space.training.lr: the value should be greater than 0"),
        (_space("training", batch_size="interval(1.5, 9)"), "search.space.training.batch_size: "),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_with_its_key(settings: Any, sentence: str) -> None:
    (problem,) = _problems(settings)
    assert problem.startswith(sentence), problem


def test_several_mistakes_are_told_at_once() -> None:
    settings = {
        "training": {"lr": -1, "max_epoch": 3},
        "search": {"trials": "many"},
        "gat": {},
        "seed": "x",
    }
    problems = _problems(settings, model="gruu", modle="cnn")
    told = {problem.split(":")[0] for problem in problems}
    assert told == {
        "model",
        "modle",
        "training.lr",
        "training.max_epoch",
        "search.trials",
        "gat",
        "seed",
    }


def test_a_wrong_space_is_told_beside_other_mistakes() -> None:
    settings = {"seed": "x", "search": {"space": {"model": {"widht": "choice(8, 16)"}}}}
    told = {problem.split(":")[0] for problem in _problems(settings)}
    assert told == {"seed", "search.space.model.widht"}


def test_a_needed_value_is_asked_for() -> None:
    assert _problems(data="csv", model="mlp") == (
        "data.path: a value is needed",
        "data.target: a value is needed",
    )


@pytest.mark.parametrize(
    "expression",
    ["${oc.env:HOME}", "${oc.env:NOWHERE,x}", "a-${ oc.env:HOME}", "${oc.decode:${oc.env:HOME}}"],
)
def test_the_environment_never_enters_the_configuration(expression: str, conf: Path) -> None:
    (problem,) = _problems({"name": expression})
    assert problem.startswith("name: environment variables are not read into the configuration")
    assert os.environ["HOME"] not in problem
    (conf / "training/default.yaml").open("a").write(f"device: '{expression}'\n")
    text = (conf / "training/default.yaml").read_text().replace("device: auto", "")
    (conf / "training/default.yaml").write_text(text)
    (problem,) = _problems(conf=conf)
    assert problem.startswith("training.device: environment variables")


def test_values_may_refer_to_each_other() -> None:
    assert (
        _composed({"data": {"split": {"seed": "${seed}"}}, "seed": 7})["data"]["split"]["seed"] == 7
    )


def test_yaml_numbers_without_a_point_are_numbers() -> None:
    assert _composed({"training": {"lr": "1e-3"}})["training"]["lr"] == 0.001


def test_null_takes_a_dimension_out_and_other_values_win() -> None:
    space = {"model": {"width": None, "dropout": "interval(0, 0.1)"}, "training": None}
    found = _composed({"search": {"space": space}})["search"]["space"]
    assert "width" not in found["model"]
    assert found["model"]["dropout"] == "interval(0, 0.1)"
    assert "training" not in found


def test_a_section_of_which_nothing_is_left_is_not_searched() -> None:
    own = yaml.safe_load((CONF / "model/cnn.yaml").read_text())["space"]
    space = {"training": dict.fromkeys(own["training"])}
    assert _composed({"search": {"space": space}})["search"]["space"] == {"model": own["model"]}
    given = {"training": {"lr": 0.5, "weight_decay": 0.1}, "search": {"space": space}}
    assert _composed(given)["search"]["space"] == {"model": own["model"]}


def test_a_null_space_leaves_the_models_own() -> None:
    own = yaml.safe_load((CONF / "model/cnn.yaml").read_text())["space"]
    assert _composed({"search": {"space": None}})["search"]["space"] == own


def test_no_search_has_no_space() -> None:
    assert _composed(search="none")["search"]["space"] == {}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("training/default.yaml", "max_epochs: [\n"),
        ("training/default.yaml", "lr: 1\nlr: 2\n"),
        ("config.yaml", "defaults:\n  - training: nowhere\n"),
    ],
)
def test_a_damaged_conf_is_one_message(conf: Path, file: str, text: str) -> None:
    (conf / file).write_text(text)
    (problem,) = _problems(conf=conf)
    assert problem.startswith(str(conf))


def test_a_model_of_the_users_own_composes(conf: Path) -> None:
    (conf / "model/wide.yaml").write_text("_target_: assay.model.mlp.Mlp\nwidth: 512\n")
    assert _composed(model="wide", data="diabetes", conf=conf)["model"]["width"] == 512


@pytest.mark.parametrize(("data", "model"), [*itertools.product(("digits", "csv"), ("cnn", "mlp"))])
def test_a_model_on_data_that_it_cannot_take_is_told(data: str, model: str) -> None:
    config = _composed(_CSV if data == "csv" else None, data=data, model=model)
    kind = "table" if data == "csv" else "image"
    if model in models_for(kind, conf=CONF):
        require_match(config, conf=CONF)
        return
    with pytest.raises(
        ConfigError, match="model: 'cnn' cannot take table data such as 'csv'; these can: "
    ):
        require_match(config, conf=CONF)


def test_the_difference_to_the_options_is_what_was_set() -> None:
    settings = {"training": {"lr": 0.5, "early_stopping": {"patience": 3}}, "seed": 2}
    assert difference(_composed(settings), _composed()) == settings


def test_what_is_set_is_not_searched() -> None:
    own = _composed()["search"]["space"]["training"]
    assert "lr" in own
    space = _composed({"training": {"lr": 0.5}})["search"]["space"]
    assert space["training"] == {key: value for key, value in own.items() if key != "lr"}
    both = {"training": {"lr": 0.5}, **_space("training", lr="interval(0.1, 1)")}
    assert _composed(both)["search"]["space"]["training"]["lr"] == "interval(0.1, 1)"


def test_where_all_that_a_model_searches_is_set_there_is_no_trial(conf: Path) -> None:
    space = "space: {training: {lr: 'interval(0.1, 1)'}}\n"
    (conf / "model/own.yaml").write_text(f"_target_: assay.model.mlp.Mlp\n{space}")
    assert _composed(model="own", conf=conf)["search"]["trials"] == 12
    config = _composed({"training": {"lr": 0.5}}, model="own", conf=conf)
    assert (config["search"]["trials"], config["search"]["space"]) == (0, {})


def test_a_difference_composes_to_the_same_again() -> None:
    config = _composed({"training": {"lr": 0.5}, "search": {"space": {"training": {"lr": None}}}})
    again = _composed(difference(config, _composed()))
    assert again == config


def test_paths_and_columns_reach_the_data_as_they_are() -> None:
    node = _composed(_CSV, data="csv", model="mlp")["data"]
    assert (node["path"], node["target"]) == ("churn.csv", "churned")
    assert node["_target_"] == f"{Csv.__module__}.{Csv.__name__}"
