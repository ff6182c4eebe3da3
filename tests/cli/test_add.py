"""A user's file becomes a data set of the project, whole or not at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from tests.cli.conftest import content

from assay.artifacts.files import digest
from assay.cli.add import command
from assay.config.compose import compose_params, read_params
from assay.config.load import build
from assay.data.prepared import Split
from assay.errors import AssayError, ConfigError, DataError
from assay.pipeline.composing.schema import SCHEMA
from assay.split.prepare import prepare


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return _written(tmp_path / "Churn 2024.csv")


def _written(path: Path, *, seed: int = 0) -> Path:
    lines = [
        f"k{i},{(i * 7 + seed) % 40},{'Rom' if i % 3 else 'a|b'},{'yes' if i % 2 else 'no'}"
        for i in range(40)
    ]
    path.write_text("key,age,1e5,churned\n" + "\n".join(lines) + "\n")
    return path


def _add(file: Path, *words: str, target: str = "churned") -> Result:
    result = CliRunner().invoke(command, [str(file), "--target", target, *words])
    if result.exception is not None and not isinstance(result.exception, (AssayError, SystemExit)):
        raise result.exception
    return result


def test_one_command_makes_a_data_set(project: Path, file: Path) -> None:
    before = file.read_bytes()
    result = _add(file, "--id", "key", "--sensitive", "1e5", "--categorical", "1e5")
    assert result.exit_code == 0
    folder = project / "data/churn_2024"
    assert {p.name for p in folder.iterdir()} == {
        "churn_2024.csv",
        "churn_2024.csv.dvc",
        "README.md",
        ".gitignore",
    }
    assert (folder / "churn_2024.csv").read_bytes() == before == file.read_bytes()
    assert "/churn_2024.csv" in (folder / ".gitignore").read_text()
    for said in (
        "churn_2024: 40 rows",
        "target (classification)",
        "categorical, sensitive",
        "next: dvc repro",
    ):
        assert said in result.output

    params = read_params(project / "params.yaml")
    config = compose_params(project / "conf", params, schema=SCHEMA)
    data = build(config["data"], where="data")
    assert (data.target, data.id, data.sensitive, data.task) == (
        "churned",
        "key",
        ("1e5",),
        "classification",
    )
    assert len(data.read().frame) == 40


def test_params_keep_comments_and_a_model_that_takes_tables_is_chosen(
    project: Path, file: Path
) -> None:
    result = _add(file)
    assert "model 'mlp' is chosen: 'cnn' takes no tables" in result.output
    # how many blanks stand before a comment is ruamel's own affair
    assert re.sub(" +#", "  #", (project / "params.yaml").read_text()) == (
        "# chosen by hand\ndata: churn_2024  # digits\nmodel: mlp\ntraining: default\nsearch: none\n"
        "gate: default\nset:\n  training:\n    lr: 0.01  # found by hand\n"
    )


def test_an_augmentation_of_other_data_is_left_behind(project: Path, file: Path) -> None:
    params = read_params(project / "params.yaml")
    params |= {"augmentation": "images", "set": {"training": {"lr": 0.5}}}
    params["set"]["training"]["augmentation"] = {"image": {"shift": 0.2}}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    result = _add(file)
    assert "no augmentation is chosen" in result.output
    now = read_params(project / "params.yaml")
    assert (now["augmentation"], now["set"]) == ("none", {"training": {"lr": 0.5}})
    compose_params(project / "conf", now, schema=SCHEMA)


def test_the_card_says_what_was_understood(project: Path, file: Path) -> None:
    _add(file, "--id", "key")
    card = (project / "data/churn_2024/README.md").read_text()
    assert card.startswith(
        "# churn_2024\n\n40 rows from `Churn 2024.csv`; classification of `churned`."
    )
    assert digest(file) in card
    assert "| key | id | 0 | 40 | k0, k1, k2, k3, ... |" in card
    assert "| 1e5 | categorical | 0 | 2 | Rom, a\\|b |" in card


@pytest.mark.parametrize("written", ["2024-01-{:02d}", "{}.1.2024"])
def test_dates_that_would_be_categories_are_named(project: Path, file: Path, written: str) -> None:
    head, *rows = file.read_text().splitlines()
    dated = [f"{row},{written.format(1 + i % 28)},no" for i, row in enumerate(rows)]
    file.write_text("\n".join([f"{head},joined,left", *dated]) + "\n")
    said = "dates, each taken as a category of its own: joined; --time COLUMN"
    assert said in _add(file).output
    assert said not in _add(file, "--time", "joined", "--force").output


def test_numbers_with_commas_are_named(project: Path, file: Path) -> None:
    head, *rows = file.read_text().splitlines()
    rows = [f'{row},"{i},5","1,x",no' for i, row in enumerate(rows)]
    file.write_text("\n".join([f"{head},price,code,left", *rows]) + "\n")
    said = "numbers with commas, each taken as a category of its own: price; write"
    assert said in " ".join(_add(file).output.split())
    assert said not in " ".join(_add(file, "--categorical", "price", "--force").output.split())


def test_a_second_time_needs_force(project: Path, file: Path) -> None:
    _add(file)
    before = content(project)
    refused = _add(_written(file, seed=1))
    assert isinstance(refused.exception, ConfigError)
    assert "conf/data/churn_2024.yaml is there already" in str(refused.exception)
    assert content(project) == before
    assert _add(file, "--force").exit_code == 0
    stored = project / "data/churn_2024/churn_2024.csv"
    assert stored.read_bytes() == file.read_bytes()
    tracked = yaml.safe_load(stored.with_name("churn_2024.csv.dvc").read_text())
    assert tracked["outs"][0]["size"] == len(file.read_bytes())


def test_a_file_that_lies_in_its_place_already_stays(project: Path) -> None:
    (project / "data/churn").mkdir()
    file = _written(project / "data/churn/churn.csv")
    assert _add(file).exit_code == 0
    assert (project / "data/churn/churn.csv.dvc").is_file()


@pytest.mark.parametrize(
    ("words", "target", "sentence"),
    [
        ((), "churnd", "has no such column; did you mean 'churned'?"),
        (("--encoding", "utf-16"), "churned", "is not utf-16"),
        (("--separator", ";"), "churned", "data.separator=','"),
        (("--name", "digits"), "churned", "conf/data/digits.yaml is no file of the user's"),
        (
            ("--name", "digits", "--force"),
            "churned",
            "conf/data/digits.yaml is no file of the user's",
        ),
        (("--name", "csv", "--force"), "churned", "conf/data/csv.yaml is no file of the user's"),
        (("--name", "2024"), "churned", "--name: expected a word that begins with a letter"),
        (("--name", "null"), "churned", "--name: expected a word"),
        (("--task", "regression"), "churned", "regression needs numbers"),
        (("--id", "nokey"), "churned", "data.id=nokey"),
    ],
)
def test_what_is_refused_leaves_nothing(
    project: Path, file: Path, words: tuple[str, ...], target: str, sentence: str
) -> None:
    before = content(project)
    result = _add(file, *words, target=target)
    assert isinstance(result.exception, (ConfigError, DataError))
    assert sentence in str(result.exception)
    assert content(project) == before


def test_a_project_that_dvc_does_not_know_is_left_as_it_was(project: Path, file: Path) -> None:
    shutil.rmtree(project / ".dvc")
    before = content(project)
    result = _add(file)
    assert isinstance(result.exception, DataError)
    assert "'dvc add data/churn_2024/churn_2024.csv' failed" in str(result.exception)
    assert content(project) == before


def test_outside_a_project_it_says_so(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    result = _add(file)
    assert "is no Assay project (it has no dvc.yaml)" in str(result.exception)


def test_columns_named_like_yaml_or_interpolations_come_back_as_they_are(
    project: Path, tmp_path: Path
) -> None:
    names = ["1e5", "on", "null", "${x}", "a: b", "größe"]
    file = tmp_path / "odd.csv"
    rows = [[str((i * k) % 13) for k in range(1, 7)] + [str(i % 2)] for i in range(40)]
    file.write_text("\n".join(",".join(r) for r in [[*names, "y"], *rows]) + "\n")
    assert _add(file, *(w for n in names for w in ("--ignore", n)), target="y").exit_code == 0
    config = compose_params(project / "conf", read_params(project / "params.yaml"), schema=SCHEMA)
    assert config["data"]["ignore"] == names


def _add_sales(steps: int, *words: str) -> Result:
    days = pd.date_range("2024-01-01", periods=steps).strftime("%Y-%m-%d")
    pd.DataFrame({"day": days, "sold": np.arange(steps) % 7}).to_csv("sales.csv", index=False)
    return _add(Path("sales.csv"), "--kind", "series_csv", "--time", "day", *words, target="sold")


def test_series_too_short_for_whole_windows_in_every_split_look_back(
    project: Path, tmp_path: Path
) -> None:
    done = _add_sales(300)
    assert "241 windows of 48 steps and the 12 after them" in done.output
    assert "to forecast: sold; 300 steps, 2024-01-01 to 2024-10-26" in done.output
    assert "to forecast: sold; 300 steps" in (project / "data/sales/README.md").read_text()
    assert "windows.look_back: true, since 300 steps leave a split shorter" in done.output
    option = yaml.safe_load((project / "conf/data/sales.yaml").read_text())
    assert option["windows"]["look_back"] is True
    prepare(build(option, where="data"), folder=tmp_path)
    assert len(Split(tmp_path / "valid")) == 45 - 12 + 1


def test_what_is_said_of_windows_stays_and_what_fits_nowhere_is_refused(project: Path) -> None:
    said = _add_sales(300, "--set", "windows.look_back=false").exception
    assert "leaves no rows for valid" in str(said) and "data.windows.look_back=true" in str(said)
    said = _add_sales(64).exception
    assert "leaves no rows for train" in str(said) and "data.windows.horizon)" in str(said)
    assert not (project / "conf/data/sales.yaml").exists()
