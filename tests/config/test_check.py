"""Knobs are checked against their types and ranges, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Lt

from assay.config.check import typed
from assay.config.load import build, load, merged
from assay.data.csv import Csv
from assay.data.splitting import Splitting
from assay.errors import ArtifactError, ConfigError


@dataclass(frozen=True, kw_only=True)
class Stopping:
    patience: Annotated[int, Ge(1)] | None = 8


@dataclass(frozen=True, kw_only=True)
class Knobs:
    needed: int
    rate: Annotated[float, Gt(0), Lt(10)] = 0.1
    way: Literal["adam", "adamw", "sgd"] = "adam"
    is_fast: bool = False
    names: tuple[str, ...] = ()
    word: str = ""
    stopping: Stopping = field(default_factory=Stopping)


def _problems(**values: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        typed(Knobs, {"needed": 1, **values}, where="training")
    return caught.value.problems


def test_values_become_what_their_types_say() -> None:
    values = {"needed": "3", "rate": "1e-3", "names": ["a"], "stopping": {"patience": None}}
    knobs = typed(Knobs, values)
    assert knobs == Knobs(needed=3, rate=0.001, names=("a",), stopping=Stopping(patience=None))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rat": 1}, "training.rat: there is no such key; did you mean 'rate'?"),
        ({"rate": "fast"}, "training.rate: the value should be a valid number"),
        ({"rate": 0}, "training.rate: the value should be greater than 0; got 0"),
        ({"rate": 10.5}, "training.rate: the value should be less than 10; got 10.5"),
        ({"rate": True}, "training.rate: the value should be a number; got True"),
        ({"rate": float("inf")}, "training.rate: the value should be a finite number; got inf"),
        ({"rate": float("nan")}, "training.rate: the value should be a finite number; got nan"),
        ({"needed": 1.5}, "training.needed: the value should be a valid integer"),
        ({"needed": True}, "training.needed: the value should be a number; got True"),
        ({"needed": None}, "training.needed: the value should be a valid integer; got None"),
        ({"way": "adm"}, "training.way: expected one of adam, adamw, sgd; got 'adm'; did you"),
        ({"is_fast": "maybe"}, "training.is_fast: the value should be a valid boolean"),
        ({"word": 3}, "training.word: expected text, got 3: put it in quotes"),
        ({"names": "a"}, "training.names: the value should be a valid tuple; got 'a'"),
        ({"stopping": 3}, "training.stopping: "),
        ({"stopping": {"patience": 0}}, "training.stopping.patience: the value should be greater"),
        ({"stopping": {"patience": True}}, "training.stopping.patience: the value should be a num"),
        ({"stopping": {"patienc": 1}}, "training.stopping.patienc: there is no such key; did you"),
    ],
)
def test_one_mistake_is_one_sentence_with_its_key(values: dict[str, Any], sentence: str) -> None:
    problems = _problems(**values)
    assert len(problems) == 1
    assert problems[0].startswith(sentence)


def test_a_value_that_is_needed_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"training\.needed: a value is needed"):
        typed(Knobs, {}, where="training")


def test_all_mistakes_are_told_at_once() -> None:
    problems = _problems(rat=1, way="x", rate=-1, stopping={"patience": 0, "patienc": 1})
    keys = [problem.split(":")[0].removeprefix("training.") for problem in problems]
    assert set(keys) == {"rat", "rate", "stopping.patience", "stopping.patienc", "way"}
    assert len(keys) == 5


def test_shares_that_leave_nothing_are_told_with_their_key() -> None:
    with pytest.raises(ConfigError) as caught:
        typed(Csv, {"path": "a", "target": "b", "split": {"valid": 0.6, "test": 0.4}}, where="data")
    (problem,) = caught.value.problems
    assert problem.startswith("data.split: valid (0.6) and test (0.4) take every row")


def test_a_target_is_built_with_its_knobs_checked() -> None:
    node = {"_target_": "assay.data.csv.Csv", "path": "a.csv", "target": "y", "ignore": ["x"]}
    assert build(node, where="data") == Csv(path="a.csv", target="y", ignore=("x",))


@pytest.mark.parametrize("where", ["data", "model", ""])
@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "assay.artifacts.files.write_text",
        "assay.data.csv.gzip.open",
        "assay.data.csv.Path",
        "assay.data.csv.read_table",
        "assay.data.raw.Raw",
        "assay.data.spec.Column",
        "assay.data.nowhere.Nothing",
        "assay.data",
        "assay.database.Thing",
        "",
        None,
        3,
        ["os.system"],
        {"_target_": "os.system"},
    ],
)
def test_a_hostile_or_senseless_target_is_refused(target: object, where: str) -> None:
    with pytest.raises(ConfigError, match="_target_"):
        build({"_target_": target, "command": "touch /tmp/hostile"}, where=where)


def test_a_data_set_is_no_model() -> None:
    with pytest.raises(ConfigError, match=r"model\._target_: 'assay.data.digits.Digits' is not"):
        build({"_target_": "assay.data.digits.Digits"}, where="model")


@pytest.mark.parametrize("node", ["cnn", None, 3, ["cnn"]])
def test_a_section_that_is_no_mapping_is_told(node: Any) -> None:
    with pytest.raises(ConfigError, match="model: expected keys with values, got"):
        build(node, where="model")


@dataclass(frozen=True, kw_only=True)
class Params:
    data: Csv
    split: Splitting
    space: Mapping[str, Any]
    seed: int


_FILE = """
data: {_target_: assay.data.csv.Csv, path: a.csv, target: y}
split: {valid: 0.2}
space: {_target_: os.system, args: [true]}
seed: 3
other: {}
"""


def test_a_stages_parameters_are_read_and_built(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(_FILE)
    params = load(Params, tmp_path / "config.yaml")
    assert params.data == Csv(path="a.csv", target="y")
    assert params.split == Splitting(valid=0.2)
    assert params.space == {"_target_": "os.system", "args": [True]}
    assert params.seed == 3


@pytest.mark.parametrize("text", ["seed: 3\n", "", "- 1\n"])
def test_a_file_that_lacks_keys_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ArtifactError, match=r"config\.yaml lacks data, split, space"):
        load(Params, tmp_path / "config.yaml")


def test_dotted_values_are_merged_into_a_copy() -> None:
    node = {"training": {"lr": 0.1, "stop": {"patience": 1}}, "seed": 0}
    result = merged(node, {"training.lr": 0.5, "training.stop.patience": 2, "seed": 1})
    assert result == {"training": {"lr": 0.5, "stop": {"patience": 2}}, "seed": 1}
    assert node == {"training": {"lr": 0.1, "stop": {"patience": 1}}, "seed": 0}


@pytest.mark.parametrize("key", ["training.lrr", "training.lr.deep", "lr", "training.stop"])
def test_a_dotted_key_that_is_not_there_is_told(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: there is no such key"):
        merged({"training": {"lr": 0.1}}, {key: 1})
