"""Whatever file a user hands over, it is read, or one message says what is wrong with it."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.data.csv import Csv, read_table
from assay.data.table import features, infer_task
from assay.data.validation import validate
from assay.errors import DataError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "churn.csv"


def _rows(count: int = 20, header: str = "id,age,city,churned") -> str:
    cities = ("Rom", "Köln", "")
    lines = [f"k{i},{i % 7}.5,{cities[i % 3]},{'yes' if i % 2 else 'no'}" for i in range(count)]
    return "\n".join([header, *lines]) + "\n"


def _csv(file: Path, **knobs: Any) -> Csv:
    return Csv(path=str(file), **{"target": "churned", **knobs})


def _refused(file: Path, **knobs: Any) -> str:
    with pytest.raises(DataError) as caught:
        _checked(_csv(file, **knobs))
    return str(caught.value)


def _checked(data: Csv) -> None:
    raw = data.read()
    validate(raw, task=infer_task(raw.frame[data.target], chosen=data.task))


def test_a_table_is_read_with_its_roles(file: Path) -> None:
    file.write_text(_rows())
    raw = _csv(file, id="id", sensitive=("city",)).read()
    assert raw.frame["city"].isna().sum() == 6
    assert features(raw) == ["age", "city"]
    assert (raw.source, len(raw.frame)) == ("churn.csv", 20)


@pytest.mark.parametrize(
    ("name", "encoding", "separator", "bom"),
    [
        ("a.csv", "utf-8", ",", b""),
        ("a.csv", "utf-8", ",", b"\xef\xbb\xbf"),
        ("a.csv.gz", "utf-8", ",", b""),
        ("a.csv.gz", "latin-1", ";", b""),
        ("a.tsv", "utf-8", "\\t", b""),
        ("a.txt", "utf-16", "|", b""),
        ("a.data", "cp1252", "tab", b""),
    ],
)
def test_every_dialect_gives_the_same_table(
    tmp_path: Path, name: str, encoding: str, separator: str, bom: bytes
) -> None:
    character = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
    content = bom + _rows().replace(",", character).encode(encoding)
    file = tmp_path / name
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (tmp_path / "plain.csv").write_text(_rows())
    expected = read_table(tmp_path / "plain.csv")
    pd.testing.assert_frame_equal(
        read_table(file, encoding=encoding, separator=separator), expected
    )


def test_quotes_hide_newlines_separators_and_dots(file: Path) -> None:
    file.write_text('"first\nname","a, b",x.y\n"line\none",1,2\n"",3,4\n')
    frame = read_table(file)
    assert list(frame.columns) == ["first\nname", "a, b", "x.y"]
    assert frame.iloc[0, 0] == "line\none"


def test_separators_at_the_ends_of_rows_shift_no_column(file: Path) -> None:
    file.write_text("a,b,churned\n1,2,3,\n5,6,7,\n")
    assert read_table(file).to_dict("list") == {"a": [1, 5], "b": [2, 6], "churned": [3, 7]}


@pytest.mark.parametrize("name", ["größe", "日本", "a b", "a.b", "a|b", "1", "${x}", "年 😀"])
def test_columns_may_have_any_name(file: Path, name: str) -> None:
    file.write_text(_rows(header=f"id,age,{name},churned"))
    assert features(_csv(file, id="id").read()) == ["age", name]


def test_a_missing_file_is_told_with_its_neighbour(file: Path) -> None:
    file.write_text(_rows())
    wrong = file.with_name("chrun.csv")
    assert _refused(wrong) == f"{wrong}: there is no such file; did you mean 'churn.csv'?"
    nowhere = file.parent / "data" / "churn.csv"
    assert _refused(nowhere).endswith(f"the folder {nowhere.parent} does not exist either")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty: expected a header and rows"),
        (b"\n\n\n", "cannot be read as CSV with separator ',': No columns to parse"),
        (b"id,age,city,churned\n", "has 0 rows and 4 columns: expected rows below a header"),
        (b"id,age,age,churned\n1,2,3,4\n", "column names occur twice: 'age'"),
        (b"\n  \nid,age,age,churned\n1,2,3,4\n", "column names occur twice: 'age'"),
        (b"\xef\xbb\xbfage,age,churned\n1,2,3\n", "column names occur twice: 'age'"),
        (b"a,b,,\n1,2,3,4\n", "column names occur twice: ''"),
        ("städte,churned\n1,2\n".encode("latin-1"), "is not utf-8: "),
        ("a,churned\n1,ä\n".encode("latin-1"), "--encoding latin-1 (in the configuration data.encoding=latin-1)"),
        (b"a,b,churned\n1,2,3\n1,2,3,4\n", "Expected 3 fields in line 3, saw 4"),
        (b"a,b,churned\n1,2,3,4\n5,6,7,8\n", "rows have more fields than the header names"),
        (b'a,churned\n1,"2\n', "cannot be read as CSV"),
        (b"a;b;churned\n1;2;3\n", "one column with separator ',', but 3 with ';': --separator ';' (in"),
        (b"a\tb\tchurned\n1\t2\t3\n", "but 3 with '\\t': --separator 'tab'"),
        (b"__id__,churned\n1,2\n", "column '__id__': this name is kept for Assay: rename it"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told(file: Path, content: bytes, sentence: str) -> None:
    file.write_bytes(content)
    assert sentence in _refused(file)


@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", gzip.compress(b"a,b\n1,2\n" * 99)[:40], b"\x1f\x8b\x08\x00" * 9],
    ids=["other bytes", "cut short", "headers only"],
)
def test_a_damaged_archive_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(content)
    assert str(file) in _refused(file)


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv.zip", "a.json"])
def test_another_format_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    assert "expected CSV (.csv, .csv.gz) or Parquet (.parquet): convert it" in _refused(
        tmp_path / name
    )


@pytest.mark.parametrize("separator", ["", ",,", "\n", '"'])
def test_a_separator_is_one_character(file: Path, separator: str) -> None:
    file.write_text(_rows())
    assert "separator: expected one character" in _refused(file, separator=separator)


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "utf-16", "ascii"])
def test_a_wrong_encoding_is_told(file: Path, encoding: str) -> None:
    file.write_text(_rows())
    assert f"is not {encoding}" in _refused(file, encoding=encoding)


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"target": "churn"}, "data.target=churn: {} has no such column; did you mean 'churned'?"),
        ({"target": "Churned"}, "did you mean 'churned'?"),
        ({"target": "zzz"}, "there is: age, churned, city, id"),
        ({"id": "idd", "ignore": ("agee",)}, "{0} has no such column; did you mean 'id'?\ndata.ignore=agee: "),
        ({"group": "churned"}, "data.group=churned: this column is the target"),
        ({"ignore": ("churned",)}, "data.ignore: 'churned' is the target"),
        ({"categorical": ("age",), "numeric": ("age",)}, "column 'age' is named both categorical and numeric"),
        ({"numeric": ("city",)}, "column 'city', row 1 below the header: expected a number, got 'Rom'"),
    ],
)  # fmt: skip
def test_a_column_that_does_not_fit_its_role_is_told(
    file: Path, knobs: dict[str, Any], sentence: str
) -> None:
    file.write_text(_rows())
    assert sentence.format(file) in _refused(file, **knobs)


def _with_target(file: Path, values: list[str]) -> None:
    file.write_text("a,churned\n" + "".join(f"{i % 3},{v}\n" for i, v in enumerate(values)))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["yes"] * 20, "the target 'churned' has 1 value ('yes'): there is nothing to learn"),
        ([""] * 20, "the target 'churned' is missing in 20 rows"),
        (["yes", "no"] * 10 + [""], "is missing in 1 row (first in row 21 below the header)"),
        (
            ["yes", "no"] * 10 + ["maybe"],
            "class 'maybe' of 'churned' has 1 row: each class needs at",
        ),
        (["yes", "no"], "the data has 2 rows: expected at least 10"),
        ([f"w{i % 60}" for i in range(240)], "the target 'churned' has 60 values, more than 50"),
        (
            [f"{i}.5" for i in range(20)] + ["inf"],
            "column 'churned' holds 1 number, infinite",
        ),
    ],
)
def test_a_target_that_cannot_be_learned_is_told(
    file: Path, values: list[str], sentence: str
) -> None:
    _with_target(file, values)
    assert sentence in _refused(file)


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_numbers_with_commas_are_no_target(file: Path, task: str) -> None:
    _with_target(file, [f'"{i},5"' for i in range(60)])
    said = _refused(file, task=task)
    assert "the target 'churned' holds numbers with commas, first '0,5': write them with" in said


def test_as_many_classes_as_the_user_asks_for(file: Path) -> None:
    _with_target(file, [f"w{i % 60}" for i in range(240)])
    data = Csv(path=str(file), target="churned", task="classification")
    validate(data.read(), task="classification")


def test_of_many_classes_with_few_rows_some_are_named(file: Path) -> None:
    _with_target(file, [f"w{i}" for i in range(40)])
    said = _refused(file, task="classification")
    assert said.count("has 1 row:") == 8 and "32 more classes have as few rows" in said


def test_words_are_no_target_of_a_regression(file: Path) -> None:
    _with_target(file, [*["1.5", "2.5"] * 10, "many"])
    assert "is no number in 1 rows, first 'many'" in _refused(file, task="regression")


@pytest.mark.parametrize("value", ["inf", "-inf", "1e39", "-1e300", "Infinity"])
def test_numbers_that_no_network_can_hold_are_told(file: Path, value: str) -> None:
    rows = "".join(f"{i},{'yes' if i % 2 else 'no'}\n" for i in range(20))
    file.write_text(f"amount,churned\n{rows}{value},yes\n")
    problem = _refused(file)
    assert "column 'amount' holds 1 number" in problem
    assert "first in row 21 below the header" in problem


def test_every_reason_is_told_at_once(file: Path) -> None:
    rows = "".join(f"{i},{i},{'yes' if i % 2 else 'no'}\n" for i in range(20))
    file.write_text(f"a,b,churned\n{rows}inf,1,maybe\n1,inf,\n")
    problem = _refused(file)
    for part in ("'a' holds 1", "'b' holds 1", "'churned' is missing in 1", "class 'maybe'"):
        assert part in problem


def _parquet(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def test_parquet_gives_the_same_as_csv(tmp_path: Path, file: Path) -> None:
    file.write_text(_rows())
    frame = read_table(file)
    pd.testing.assert_frame_equal(read_table(_parquet(tmp_path, frame)), frame)


def test_an_index_of_parquet_becomes_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index(["x", "y"], name="key"))
    assert list(read_table(_parquet(tmp_path, frame)).columns) == ["key", "a"]
    nameless = pd.DataFrame({"a": [1.0, 2.0]}, index=[7, 9])
    read = read_table(_parquet(tmp_path, nameless))
    assert list(read.columns) == ["a"]
    assert list(read.index) == [0, 1]


def test_types_of_parquet_become_plain_ones(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["x", "y"], categories=["x", "y", "never"]),
            "decimal": [Decimal("1.5"), None],
            "empty": ["", "a"],
            "whole": pd.array([1, None], dtype="Int64"),
        }
    )
    read = read_table(_parquet(tmp_path, frame))
    assert list(read["category"].value_counts().index) == ["x", "y"]
    assert read["decimal"].dtype == np.float64
    assert read["empty"].isna().tolist() == [True, False]
    assert read["whole"].isna().sum() == 1


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}])
def test_a_cell_that_is_no_value_is_told(tmp_path: Path, cell: object) -> None:
    file = _parquet(tmp_path, pd.DataFrame({"deep": [cell, cell], "churned": [1, 2]}))
    assert "column 'deep' holds a" in _refused(file)


def test_a_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a,b\n1,2\n")
    assert "is not a Parquet file" in _refused(tmp_path / "a.parquet")


_ANY = st.binary(max_size=120) | st.text("ab,;\"'\n\r\t\0 1.eé-", max_size=80).map(str.encode)


@settings(
    max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    content=_ANY, has_header=st.booleans(), ending=st.sampled_from([".csv", ".csv.gz", ".parquet"])
)
@example(content=b"\xef\xbb\xbf", has_header=False, ending=".csv")
@example(content=b"\0", has_header=True, ending=".csv")
@example(content=b'"', has_header=True, ending=".csv")
def test_whatever_bytes_there_are_the_outcome_is_a_table_or_a_message(
    tmp_path: Path, content: bytes, has_header: bool, ending: str
) -> None:
    file = tmp_path / f"any{ending}"
    whole = b"a,b,churned\n" * has_header + content
    file.write_bytes(gzip.compress(whole) if ending == ".csv.gz" else whole)
    try:
        _checked(_csv(file, target="churned"))
    except DataError as error:
        assert str(error)
