"""Bad words on the command line: every verb, with what is missing, unknown or contradictory."""

from __future__ import annotations

import pytest
from tests.bad_input.way import Case, Place

USAGE = 2
HYDRAS = "is not set on the command line"


def _run(words: str, *says: str, status: int = 1) -> Case:
    return Case(way=f"assay run {words}".strip(), says=says, status=status)


def _words(way: str, *says: str, status: int = 1) -> Case:
    return Case(way=f"assay {way}".strip(), says=says, status=status)


VERBS = {
    "an unknown verb": _words("pedict x", "there is no verb 'pedict'; did you mean 'predict'?", status=USAGE),
    "an unknown flag": _words("--fast", "No such option '--fast'", status=USAGE),
    "add without a file": _words("add", "Missing argument 'FILE'", status=USAGE),
    "add without a target": _words("add x.csv", "--target: data of the kind csv needs it"),
    "add of no file": _words("add x.csv --target y", "x.csv: there is no such file"),
    "add of a folder": _words("add conf --target y", "--target: data of the kind image_folder has no such thing"),
    "add with an unknown task": _words(
        "add x.csv --target y --task rank", "data.task: expected one of auto, ", "got 'rank'"
    ),
    "add with a name that is no word": _words("add x.csv --target y --name 9", "--name: expected a word", "'9'"),
    "add with a name of Hydra's": _words("add x.csv --target y --name null", "--name: expected a word"),
    "add over a set of the project": _words(
        "add x.csv --target y --name digits", "conf/data/digits.yaml is no file of the user's"
    ),
    "use of two names": _words("use a b", "unexpected extra argument (b)", status=USAGE),
    "use of an unknown name": _words("use digits-mpl", "'digits-mpl' is no ready-made experiment", "'digits-mlp'?"),
    "use of a path": _words("use ../params", "'../params' is no ready-made experiment"),
    "use of another kind": _words("use trial:3", "expected NAME, run:ID or sweep:ID; got 'trial:3'"),
    "predict without a model": _words("predict", "Missing argument 'MODEL_URI'", status=USAGE),
    "predict without a place": _words("predict models:/x/1 in.csv", "Missing option '-o'", status=USAGE),
    "predict into an unknown format": _words(
        "predict models:/x/1 in.csv -o out.xlsx", "expected a name that ends in .csv, .parquet, .pq"
    ),
    "predict into no folder": _words("predict models:/x/1 in.csv -o no/out.csv", "there is no folder"),
    "ui on port 0": _words("ui --port 0", "0 is not in the range 1<=x<=65535", status=USAGE),
    "ui on a word": _words("ui --port web", "'web' is not a valid integer", status=USAGE),
    "doctor with an unknown flag": _words("doctor --mend", "No such option '--mend'", status=USAGE),
}  # fmt: skip
RUN = {
    "a word": _run("fast", "'fast': expected GROUP=OPTION or KEY=VALUE"),
    "an empty word": _run("''", "'': expected GROUP=OPTION or KEY=VALUE"),
    "a value without a key": _run("=3", "'=3': expected GROUP=OPTION or KEY=VALUE"),
    "a dash": _run("-", "'-': expected GROUP=OPTION or KEY=VALUE"),
    "an unknown key": _run("training.lrr=1", "training.lrr: there is no such key; did you mean 'training.lr'?"),
    "an unknown key and wrong values": _run(
        "training.lrr=1 training.lr=fast seed=x", "3 problems", "training.lrr: ", "training.lr: ", "seed: "
    ),
    "a new key": _run("+foo=1", "foo: there is no such key"),
    "an unknown option": _run("model=mpl", "model: there is no option 'mpl'; did you mean 'mlp'?"),
    "an empty option": _run("training=", "training: there is no option ''"),
    "keys as an option": _run("model={a:1}", "model: there is no option"),
    "a group taken away": _run("~model", "model: it cannot be left out; choose one of autoencoder, cnn"),
    "nothing taken away": _run("~nope", "'nope' does not exist"),
    "a wrong type": _run("training.lr=fast", "training.lr: the value should be a valid number"),
    "out of range": _run("training.batch_size=0", "training.batch_size: ", "got 0"),
    "an unclosed bracket": _run("training.lr=[1,2", "no viable alternative at input '[1,2'"),
    "an unclosed quote": _run('training.lr="\'"', "Error when parsing"),
    "a sweep without -m": _run("model=mlp,cnn", "Ambiguous value for argument 'model=mlp,cnn'", "--multirun"),
    "a sweep over an unknown option": _run("-m model=mlp,cnnn", "there is no option 'cnnn'"),
    "a range that does not move": _run("-m 'training.lr=range(0,1,0)'", "range() arg 3 must not be zero"),
    "an interval in a grid": _run("-m 'training.lr=interval(0,1)'", "does not support sweep type"),
    "a model for other data": _run("data=diabetes", "'cnn' cannot take table data such as 'diabetes'"),
    "data without its path": _run("data=csv model=mlp", "data.path: a value is needed", "data.target: "),
    "data that is not there": _run("data=csv model=mlp data.path=no.csv data.target=y", "no.csv: there is no such"),
    "data that is a folder": _run("data=csv model=mlp data.path=conf data.target=y", "conf is a folder"),
    "a name with a path": _run("name=../x", "name: expected at most 100 letters", "'../x'"),
    "--from without a name": _run("--from", "'' is no ready-made experiment; there is: "),
    "--from an unknown name": _run("--from digits-mpl", "'digits-mpl' is no ready-made experiment"),
    "--from a path": _run("--from ../params", "'../params' is no ready-made experiment"),
    "an unknown flag": _run("-x", "-x: there is no such flag"),
    "a flag cut short": _run("--config-d /tmp", "--config-d: there is no such flag"),
    "another folder": _run("--config-dir /tmp", "--config-dir: conf/ is the one place"),
    "another path": _run("--config-path /tmp", "--config-path: conf/ is the one place"),
    "another beginning": _run("--config-name x", "--config-name: conf/config.yaml is where"),
    "an old job": _run("--experimental-rerun outputs", "--experimental-rerun: say the overrides again"),
    "an unknown view": _run("--cfg fast", "invalid choice: 'fast'", status=USAGE),
    "an unknown launcher": _run("hydra/launcher=slurmm", "Could not find 'hydra/launcher/slurmm'"),
    "an unknown sweeper": _run("hydra/sweeper=grid", "Could not find 'hydra/sweeper/grid'"),
    "a folder that cannot be made": _run("hydra.run.dir=/proc/none", "/proc/none"),
    "Hydra's whole node": _run("'hydra={verbose:true}'", HYDRAS),
}  # fmt: skip
NOWHERE = {
    "run outside of a project": Case(
        way="assay run", files={"params.yaml": None}, says="is no Assay project (it has no params.yaml)"
    ),
    "add outside of a project": Case(
        way="assay add x.csv --target y", files={"dvc.yaml": None}, says="is no Assay project (it has no dvc.yaml)"
    ),
    "an unknown stage": Case(way="stage trian", says="'trian' is no stage; did you mean 'train'?"),
    "no stage": Case(way="stage", says="'' is no stage; there is: compose, evaluate"),
    "two stages": Case(way="stage compose prepare", says="is no stage"),
}  # fmt: skip
CASES = {
    **{f"verbs: {name}": case for name, case in VERBS.items()},
    **{f"run: {name}": case for name, case in RUN.items()},
    **NOWHERE,
}


@pytest.mark.parametrize("case", CASES)
def test_words_that_cannot_be_followed(place: Place, case: str) -> None:
    said = place.refuses(CASES[case])
    assert "Error executing job" not in said
