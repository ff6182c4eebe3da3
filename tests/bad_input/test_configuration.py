"""Bad configuration: params.yaml, conf/ and experiments/, refused by compose before any stage runs."""

from __future__ import annotations

import pytest
from tests.bad_input.way import Case, Place

GOOD = "data: digits\nmodel: mlp\ntraining: default\nsearch: none\ngate: default\n"
DEEP = 3000


def _params(content: str | bytes | None, *says: str) -> Case:
    return Case(way="stage compose", files={"params.yaml": content}, says=says)


def _set(text: str, *says: str) -> Case:
    return _params(f"{GOOD}set: {text}\n", *says)


def _conf(name: str, content: str | bytes | None, *says: str) -> Case:
    return Case(way="stage compose", files={f"conf/{name}": content}, says=says)


PARAMS = {
    "no params.yaml": _params(None, "params.yaml is missing: it names one option for each group"),
    "empty": _params("", "params.yaml: expected group names with options and 'set', got {}"),
    "comments alone": _params("# data: digits\n", "params.yaml: expected group names"),
    "a list": _params("- data\n- model\n", "expected group names with options", "['data', 'model']"),
    "a word": _params("hello", "hello: there is no such group; there is: augmentation, data, gate"),
    "two documents": _params(f"{GOOD}---\n{GOOD}", "expected a single document"),
    "a key twice": _params(f"{GOOD}data: csv\n", "found duplicate key data", "line 6"),
    "tabs": _params("data:\tdigits\n\tmodel: mlp\n", "found a tab character"),
    "UTF-16": _params(GOOD.encode("utf-16"), "params.yaml: 'utf-8' codec can't decode byte 0xff"),
    "Latin-1": _params("name: n\xe9e\n".encode("latin-1"), "'utf-8' codec can't decode byte 0xe9"),
    "a NUL": _params("data: dig\0its\n", "params.yaml: unacceptable character #x0000"),
    "a control character": _params('data: "a\x07"\n', "unacceptable character #x0007"),
    "an unclosed bracket": _params(f"{GOOD}set: {{training: {{lr: 1}}\n", "params.yaml: while parsing"),
    "an unclosed quote": _params("data: 'digits\n", "while scanning a quoted scalar"),
    "nested without end": _params("set: " + "[" * DEEP + "]" * DEEP, "params.yaml: maximum recursion"),
    "an alias of itself": _params(f"{GOOD}set: &a {{x: *a}}\n", "recursive aliases"),
    "a key that is a list": _params(f"{GOOD}? [a]\n: 2\n", "found unhashable key"),
    "an empty key": _params(f"{GOOD}null: 2\n", "Incompatible key type"),
    "an unknown group": _params("modle: mlp\n", "modle: there is no such group; did you mean 'model'?"),
    "a number as a group": _params(f"{GOOD}1: 2\n", "1: there is no such group"),
    "an unknown option": _params("model: mpl\n", "there is no option 'mpl'; did you mean 'mlp'?"),
    "a list of options": _params("model: [mlp, cnn]\n", "model: there is no option ['mlp', 'cnn']"),
    "no option": _params("model:\n", "model: there is no option None; there is: autoencoder, cnn"),
    "a path as an option": _params("data: ../data/digits\n", "data: there is no option '../data/digits'"),
    "a value beside the groups": _params(f"{GOOD}seed: 1\n", "seed: belongs under 'set'"),
    "a model for other data": _params("data: diabetes\nmodel: cnn\n", "'cnn' cannot take table data", "mlp"),
}  # fmt: skip
SET = {
    "set is a list": _set("[a]", "set: expected keys with values as in conf/, got ['a']"),
    "set is a word": _set("fast", "set: expected keys with values as in conf/, got 'fast'"),
    "a dotted key": _set("{training.lr: 1}", "training.lr: there is no such key"),
    "an unknown section": _set("{trainig: {lr: 1}}", "trainig: there is no such key; did you mean 'training'?"),
    "a misspelt key": _set("{training: {lrr: 1}}", "training.lrr: there is no such key; did you mean 'lr'?"),
    "a misspelt key within": _set(
        "{training: {early_stopping: {patiense: 1}}}", "early_stopping.patiense", "'patience'?"
    ),
    "a misspelt split": _set("{data: {split: {tset: 0.2}}}", "data.split.tset", "'test'?"),
    "a section that is a list": _set("{training: [1]}", "training: expected keys with values, got [1]"),
    "a section that is a word": _set("{training: fast}", "training: expected keys with values, got 'fast'"),
    "a section that is nothing": _set("{training: null}", "training: expected keys with values, got None"),
    "words for a number": _set("{training: {lr: fast}}", "training.lr: ", "number", "'fast'"),
    "a list for a number": _set("{training: {lr: [1]}}", "training.lr: ", "got [1]"),
    "keys for a number": _set("{model: {width: {a: 1}}}", "model.width: ", "got {'a': 1}"),
    "yes for a number": _set("{training: {max_epochs: true}}", "training.max_epochs: ", "got True"),
    "half an epoch": _set("{training: {max_epochs: 1.5}}", "max_epochs: ", "fractional part"),
    "NaN": _set("{training: {lr: .nan}}", "training.lr: the value should be a finite number; got nan"),
    "infinity": _set("{training: {lr: .inf}}", "training.lr: the value should be a finite number; got inf"),
    "beyond a float": _set("{training: {lr: 1e999}}", "training.lr: the value should be a finite number"),
    "below its range": _set("{training: {batch_size: 0}}", "training.batch_size: ", "got 0"),
    "above its range": _set("{model: {dropout: 1.5}}", "model.dropout: ", "got 1.5"),
    "no such choice": _set("{training: {loss: mes}}", "training.loss: expected one of", "'mse'?"),
    "a number of 5000 digits": _set("{seed: %s}" % ("1" * 5000), "params.yaml: Exceeds the limit"),
    "a seed below 0": _set("{seed: -1}", "seed: the value should be greater than or equal to 0; got -1"),
    "a seed beyond 32 bits": _set("{seed: 99999999999}", "seed: the value should be less than"),
    "a seed of yes": _set("{seed: true}", "seed: the value should be a number; got True"),
    "a number by force": _set("{seed: !!int abc}", "params.yaml: invalid literal for int()"),
    "a float by force": _set("{training: {lr: !!float abc}}", "could not convert string to float"),
    "no such date": _set("{name: !!timestamp 2020-13-45}", "params.yaml: "),
    "a YAML set": _set("{name: !!set {a, b}}", "not a supported primitive type"),
    "a name with a path": _set("{name: ../x}", "name: expected at most 100 letters", "'../x'"),
    "a name with a NUL": _set('{name: "a\\0b"}', "name: expected at most 100 letters"),
    "a name with an address": _set("{name: 'a@b'}", "name: expected at most 100 letters"),
    "a name without end": _set("{name: %s}" % ("a" * 300), "name: expected at most 100 letters"),
    "a reference to nothing": _set("{training: {lr: '${lr}'}}", "training.lr: Interpolation key 'lr' not found"),
    "a reference to itself": _set("{training: {lr: '${training.lr}'}}", "training.lr: Recursive interpolation"),
    "a reference that is cut": _set("{training: {lr: '${'}}", "params.yaml: ", "full_key: set.training.lr"),
    "an unknown function": _set("{name: '${whoami:x}'}", "name: the function 'whoami' is not called here"),
    "splits that take all": _set("{data: {split: {test: 0.9}}}", "data.split: valid (0.15) and test (0.9)"),
    "no sweep": _params(
        "model: mlp\nsearch: tpe\nset: {search: {space: {model: {width: 'choice(1,'}}}}\n",
        "search.space.model.width: 'choice(1,' is not a sweep",
    ),
    "data outside": Case(
        way="stage compose",
        files={"params.yaml": "data: csv\nmodel: mlp\nset: {data: {path: ../churn.csv, target: y}}\n"},
        says=("data.path: '../churn.csv' lies outside of the project", "assay add"),
    ),
    "data by an absolute path": Case(
        way="stage compose",
        files={"params.yaml": "data: csv\nmodel: mlp\nset: {data: {path: /etc/passwd, target: y}}\n"},
        says="data.path: '/etc/passwd' lies outside of the project",
    ),
    "data without its path": Case(
        way="stage compose", files={"params.yaml": "data: csv\nmodel: mlp\n"},
        says=("2 problems", "data.path: a value is needed", "data.target: a value is needed"),
    ),
    "several at once": _params(
        "model: mlp\ngate: strikt\nset: {training: {lr: -1, max_epoch: 2}, seed: x}\n",
        "4 problems", "gate: ", "'strict'?", "training.lr: ", "'max_epochs'?", "seed: ",
    ),
}  # fmt: skip
CONF = {
    "an option that is empty": _conf("model/cnn.yaml", "", "model._target_: expected the name of a class"),
    "an option that is a list": _conf("training/default.yaml", "- lr\n", "conf: In 'training/default'", "merge"),
    "an option that is no YAML": _conf("gate/default.yaml", "minimum: }\n", "conf: ", "gate/default.yaml"),
    "an option with a key twice": _conf("gate/default.yaml", "alias: auto\nalias: none\n", "duplicate key alias"),
    "an option in Latin-1": _conf("model/cnn.yaml", b"_target_: caf\xe9\n", "conf: ", "can't decode"),
    "an option of a wrong type": _conf("training/default.yaml", "lr: [0.1]\n", "training.lr: "),
    "an option with a misspelt key": _conf("training/default.yaml", "batch_sise: 8\n", "'batch_size'?"),
    "defaults that name no option": _conf("training/default.yaml", "defaults: [nope]\n", "conf: ", "training/nope"),
    "defaults that name each other": _conf("training/default.yaml", "defaults: [debug]\n", "conf: "),
    "no config.yaml": _conf("config.yaml", None, "conf: ", "'config'"),
    "a model without a class": _conf("model/cnn.yaml", "width: 3\n", "model._target_: expected the name of a class"),
    "a class that is not there": _conf(
        "model/cnn.yaml", "_target_: assay.model.cnn.Cnnn\n", "model._target_: 'assay.model.cnn.Cnnn'"
    ),
    "a class of another room": _conf(
        "model/cnn.yaml", "_target_: assay.data.digits.Digits\n", "is not a class in assay.model.*"
    ),
}  # fmt: skip
EXPERIMENTS = {
    "a damaged experiment": Case(
        way="assay use digits-mlp", files={"experiments/digits-mlp.yaml": "data: [\n"},
        says=("experiments/digits-mlp.yaml: ", "while parsing"),
    ),
    "an experiment of unknown options": Case(
        way="assay use digits-mlp", files={"experiments/digits-mlp.yaml": "data: digitz\n"},
        says="data: there is no option 'digitz'; did you mean 'digits'?",
    ),
    "an experiment into a damaged params.yaml": Case(
        way="assay use digits-mlp", files={"params.yaml": "data: [\n"}, says="params.yaml: while parsing",
    ),
    "an experiment into a params.yaml that is a list": Case(
        way="assay use digits-mlp", files={"params.yaml": "- a\n"}, says="expected group names with options",
    ),
    "an experiment into no params.yaml": Case(
        way="assay use digits-mlp", files={"params.yaml": None}, says="params.yaml",
    ),
}  # fmt: skip
CASES = PARAMS | SET | CONF | EXPERIMENTS


@pytest.mark.parametrize("case", CASES)
def test_configuration_that_cannot_be_used(place: Place, case: str) -> None:
    place.refuses(CASES[case])
    assert not (place.root / "artifacts/config.yaml").exists()


def test_a_byte_order_mark_and_carriage_returns_are_no_mistakes(place: Place) -> None:
    place.put({"params.yaml": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()})
    ended = place.run("stage compose")
    assert ended.status == 0, ended.said
    assert (place.root / "artifacts/config.yaml").exists()
