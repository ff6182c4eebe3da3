"""Nothing that training sees depends on a row that it must not see."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.artifacts.files import digest, read_json
from assay.data.breast_cancer import BreastCancer
from assay.data.csv import Csv
from assay.data.diabetes import Diabetes
from assay.data.digits import Digits
from assay.data.prepared import GROUP, ID, TARGET, TIME, Split
from assay.data.raw import Raw, Roles
from assay.data.spec import read_spec
from assay.data.splitting import Splitting
from assay.data.table import infer_task
from assay.errors import DataError
from assay.split.assign import SPLITS, assign
from assay.split.learn import learn
from assay.split.prepare import prepare
from assay.split.write import write_split

_COUNT = 60
_LABELS = np.array(["train", "train", "valid", "train", "test", "train"] * 10)


def _frame(task: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "whole": rng.integers(90, size=_COUNT),
            "real": np.where(rng.random(_COUNT) < 0.2, np.nan, rng.normal(size=_COUNT)),
            "flag": rng.random(_COUNT) < 0.5,
            "city": rng.choice(["Rom", "Oslo", "Bern"], _COUNT),
            "zip": rng.choice([8000, 8001], _COUNT),
            "y": rng.choice(["no", "yes"], _COUNT)
            if task == "classification"
            else rng.integers(500, size=_COUNT),
        }
    )


def _what_training_sees(frame: pd.DataFrame, task: Any, folder: Path) -> dict[str, bytes]:
    raw = Raw(frame=frame, roles=Roles(target="y", categorical=("zip",), sensitive=("city",)))
    train = np.flatnonzero(_LABELS == "train")
    spec = learn(raw, train=train, task=task)
    folder.mkdir()
    spec.write(folder / "spec.json")
    for name in SPLITS:
        write_split(raw, rows=np.flatnonzero(name == _LABELS), spec=spec, folder=folder / name)
    seen = [folder / "spec.json", *(folder / "train").iterdir()]
    return {file.name: file.read_bytes() for file in seen}


_CELLS: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9) | st.none(),
    "real": st.integers(-9, 9) | st.floats(-1e30, 1e30) | st.none(),
    "flag": st.booleans() | st.none(),
    "city": st.text(max_size=5) | st.none(),
    "zip": st.integers(0, 9999) | st.floats(0, 9999) | st.none(),
}
_TARGETS = {
    "classification": st.sampled_from(["no", "yes"]),
    "regression": st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9),
}


@pytest.mark.parametrize("task", ["classification", "regression"])
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_no_other_row_changes_a_byte_of_what_training_sees(
    tmp_path_factory: pytest.TempPathFactory, task: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("seal")
    frame = _frame(task)
    changed = frame.astype(object)
    for row in data.draw(
        st.sets(st.sampled_from(np.flatnonzero(_LABELS != "train").tolist()), min_size=1)
    ):
        for column, cells in {**_CELLS, "y": _TARGETS[task]}.items():
            changed.loc[row, column] = data.draw(cells)
    changed = changed.infer_objects()
    before = _what_training_sees(frame, task, folder / "before")
    assert _what_training_sees(changed, task, folder / "after") == before


@pytest.mark.parametrize("column", ["whole", "real", "flag", "city", "zip", "y"])
def test_a_training_row_does_change_what_training_sees(tmp_path: Path, column: str) -> None:
    frame = _frame("classification")
    changed = frame.copy()
    row = int(np.flatnonzero(_LABELS == "train")[0])
    other = frame[column][frame[column].ne(frame.loc[row, column]) & frame[column].notna()].iloc[0]
    changed.loc[row, column] = other
    before = _what_training_sees(frame, "classification", tmp_path / "before")
    assert _what_training_sees(changed, "classification", tmp_path / "after") != before


def _file(folder: Path, count: int = 90) -> Path:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "key": [f"k{i:03d}" for i in range(count)],
            "age": np.where(rng.random(count) < 0.1, np.nan, rng.integers(18, 90, count)),
            "member": np.where(rng.random(count) < 0.1, None, rng.random(count) < 0.5),
            "city": rng.choice(["Rom", "Köln", "Bern"], count),
            "who": rng.choice([f"p{i}" for i in range(30)], count),
            "day": pd.date_range("2024-01-01", periods=count).strftime("%Y-%m-%d"),
            "y": rng.choice(["no", "yes"], count),
        }
    )
    frame.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv"


@pytest.mark.parametrize("roles", [{}, {"group": "who"}, {"time": "day"}])
def test_a_prepared_table_holds_what_the_file_says(tmp_path: Path, roles: dict[str, str]) -> None:
    file, out = _file(tmp_path), tmp_path / "out"
    out.mkdir()
    data = Csv(
        path=str(file), target="y", id="key", sensitive=("city",), ignore=("day", "who"), **roles
    )
    prepared = prepare(data, folder=out)
    frame, spec = pd.read_csv(file).set_index("key"), read_spec(out / "spec.json")
    assert {p.name for p in out.iterdir()} == {*SPLITS, "spec.json", "checks.json"}
    assert [c.name for c in spec.columns] == ["age", "member", "city"]
    assert [c.type for c in spec.columns] == ["numeric", "boolean", "categorical"]
    splits = {name: Split(out / name) for name in SPLITS}
    assert {name: len(split) for name, split in splits.items()} == prepared.rows
    ids = [key for split in splits.values() for key in split.rows()[ID]]
    assert sorted(ids) == sorted(frame.index)
    for split in splits.values():
        rows = split.rows()
        same = frame.loc[rows[ID]]
        assert rows[TARGET].tolist() == same["y"].tolist()
        assert [spec.classes[code] for code in split.target] == same["y"].tolist()
        numeric = split.whole()["numeric"]
        np.testing.assert_array_equal(numeric[:, 0], same["age"].astype(np.float32))
        np.testing.assert_array_equal(numeric[:, 1], same["member"].astype(float))
        codes = split.whole()["categorical"][:, 0]
        assert [spec.categorical[0].categories[c - 1] for c in codes] == same["city"].tolist()
        assert rows["city"].tolist() == same["city"].tolist()
        for name, role in ((GROUP, "group"), (TIME, "time")):
            assert (name in rows) == (role in roles)
    training = frame.loc[splits["train"].rows()[ID]]
    age = spec.columns[0]
    assert age.mean == pytest.approx(training["age"].mean())
    assert age.std == pytest.approx(training["age"].std(ddof=0))
    assert age.median == training["age"].median()
    assert age.missing == training["age"].isna().sum()
    assert spec.class_counts == tuple(training["y"].value_counts()[list(spec.classes)])


def test_times_of_a_split_are_written_as_they_were_read_among_all(tmp_path: Path) -> None:
    days = pd.date_range("2024-07-01", periods=60)
    pd.DataFrame(
        {"x": range(60), "day": days.strftime("%d/%m/%Y"), "y": np.arange(60) % 7 / 3}
    ).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "out").mkdir()
    prepare(Csv(path=str(tmp_path / "a.csv"), target="y", time="day"), folder=tmp_path / "out")
    written = [Split(tmp_path / "out" / name).rows()[TIME] for name in SPLITS]
    assert pd.concat(written).dt.tz_localize(None).tolist() == days.tolist()


@pytest.mark.parametrize(
    "data", [Digits(), BreastCancer(), Diabetes()], ids=lambda d: type(d).__name__
)
def test_built_in_data_is_prepared_the_same_twice(tmp_path: Path, data: Any) -> None:
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        prepared = prepare(data, folder=folder)
        digests.append((prepared.digest, digest(folder)))
    assert digests[0] == digests[1]
    checks = read_json(tmp_path / "one" / "checks.json")
    assert sum(checks["split"]["rows"].values()) == sum(prepared.rows.values())
    assert [line for line in prepared.summary if "rows" in line]


def test_images_are_uint8_in_channels_first_and_their_statistics_exact(tmp_path: Path) -> None:
    prepare(Digits(), folder=tmp_path)
    spec, train = read_spec(tmp_path / "spec.json"), Split(tmp_path / "train")
    images = train.whole()["image"]
    assert (images.dtype, images.shape[1:]) == (np.uint8, (1, 8, 8))
    assert spec.image is not None
    assert spec.image.mean[0] == pytest.approx(images.mean())
    assert spec.image.std[0] == pytest.approx(images.std())
    assert spec.train_rows == len(images)


def test_another_seed_of_the_split_is_other_data(tmp_path: Path) -> None:
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        prepare(replace(Diabetes(), split=Splitting(seed=seed)), folder=tmp_path / str(seed))
    assert digest(tmp_path / "0" / "test") != digest(tmp_path / "1" / "test")


def test_a_table_without_a_feature_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,key,y\n" + "".join(f"1,k{i},{i % 2}\n" for i in range(60)))
    with pytest.raises(
        DataError, match="no feature column is left: of 2, 2 are constant or id-like"
    ):
        prepare(Csv(path=str(file), target="y"), folder=tmp_path)


def test_text_numbers_and_gaps_of_a_target_go_through(tmp_path: Path) -> None:
    for number, values in enumerate((["1.0", "2.0"], ["0.5", "1.0", "1.5"], ["True", "False"])):
        file, out = tmp_path / f"{number}.csv", tmp_path / str(number)
        out.mkdir()
        lines = [f"{i % 7},{values[i % len(values)]}" for i in range(90)]
        file.write_text("a,y\n" + "\n".join(lines) + "\n")
        prepare(Csv(path=str(file), target="y", task="classification"), folder=out)
        spec = read_spec(out / "spec.json")
        for name in SPLITS:
            split = Split(out / name)
            said = [spec.classes[code] for code in split.target]
            assert said == split.rows()[TARGET].tolist()


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["1", "2.5", "", "x", "1e30", "-7", "NaN", "True", "é", "00"]),
            st.sampled_from(["1", "0", "True", "False", "", "a"]),
            st.sampled_from(["yes", "no", "1", "2", "0.5", ""]),
        ),
        min_size=8,
        max_size=60,
    ),
    by=st.sampled_from(["auto", "random", "stratified", "group", "time"]),
)
def test_whatever_cells_there_are_the_outcome_is_splits_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], by: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = "a,b,y\n" + "".join(",".join(row) + "\n" for row in rows)
    (folder / "a.csv").write_text(text)
    roles: dict[str, Any] = (
        {"group": "b"} if by == "group" else {"time": "a"} if by == "time" else {}
    )
    data = Csv(path=str(folder / "a.csv"), target="y", split=Splitting(by=by), **roles)
    try:
        prepared = prepare(data, folder=folder)
    except DataError as error:
        assert str(error)
        return
    assert sum(prepared.rows.values()) == len(pd.read_csv(folder / "a.csv", skip_blank_lines=True))
    for name in SPLITS:
        assert np.isfinite(Split(folder / name).target).all()


def test_neither_room_imports_torch() -> None:
    code = (
        "import sys; import assay.split.prepare, assay.data.csv, assay.data.digits;"
        "print([m for m in ('torch', 'pytorch_lightning', 'mlflow', 'hydra') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_seal_holds_for_a_whole_file(tmp_path: Path) -> None:
    """The same through reading and dividing: a changed test cell of the CSV."""
    file = _file(tmp_path)
    data = Csv(path=str(file), target="y", id="key", ignore=("day", "who"))
    raw = data.read()
    task = infer_task(raw.frame["y"], chosen="auto")
    labels = assign(raw, splitting=data.split, task=task)
    seen = []
    for number, value in enumerate(["31", "", "31.5"]):
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
        frame.loc[int(np.flatnonzero(labels == "test")[0]), "age"] = value
        frame.to_csv(file, index=False)
        out = tmp_path / str(number)
        out.mkdir()
        prepare(data, folder=out)
        seen.append(
            (json.dumps(read_json(out / "spec.json")), digest(out / "train"), digest(out / "valid"))
        )
    assert len(set(seen)) == 1
