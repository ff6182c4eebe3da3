"""Bad tables: CSV and Parquet files that assay add and the prepare stage must refuse by name."""

from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.bad_input.way import Case, Content, Place

from assay.artifacts.files import read_yaml
from assay.cli.add import _write

ROWS = 60
HEAD = "age,visits,y\n"
BODY = "".join(f"{i % 11},{i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(ROWS))
TABLE = HEAD + BODY
PARTS = ("train", "valid", "test")


def _add(content: Content, *says: str, name: str = "t.csv", words: str = "") -> Case:
    way = f"assay add {name} --target y {words}".strip()
    return Case(way=way, files={name: content}, says=says)


def _column(name: str, cell: str, *, target: str = "{0}") -> str:
    """A table of one odd column, one good one and a target; ``{0}`` is the row's parity."""
    rows = (f"{cell},{i},{target}\n".format(i % 2) for i in range(ROWS))
    return f"{name},n,y\n" + "".join(rows)


def _parquet(table: pa.Table | pd.DataFrame) -> bytes:
    file = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(file)
    else:
        pq.write_table(table, file)
    return file.getvalue()


def _beside(column: pa.Array) -> bytes:
    numbers, classes = pa.array(np.arange(ROWS) % 9), pa.array(np.arange(ROWS) % 2)
    return _parquet(pa.table({"odd": column, "n": numbers, "y": classes}))


def _footnote(pandas: bytes) -> bytes:
    table = pa.table({"n": np.arange(ROWS), "y": np.arange(ROWS) % 2})
    return _parquet(table.replace_schema_metadata({"pandas": pandas}))


GOOD = _beside(pa.array(np.arange(ROWS) % 5))
PROBLEMS = "the data cannot be used as it is"

CSV = {
    "empty": _add("", "t.csv is empty: expected a header and rows"),
    "a header alone": _add(HEAD, "t.csv has 0 rows and 3 columns"),
    "one row": _add(f"{HEAD}1,2,no\n", "the data has 1 row: expected at least 10"),
    "nine rows": _add(HEAD + "1,2,no\n" * 9, "the data has 9 rows"),
    "bytes of no text": _add(bytes(range(256)) * 20, "t.csv is not utf-8", "--encoding latin-1"),
    "UTF-16": _add(TABLE.encode("utf-16"), "t.csv is not utf-8: ", "0xff"),
    "Latin-1": _add(f"{TABLE}1,2,né\n".encode("latin-1"), "t.csv is not utf-8: ", "0xe9"),
    "surrogates": _add(f"{TABLE}1,\ud800,no\n".encode("utf-8", "surrogatepass"), "t.csv is not utf-8"),
    "an unknown encoding": _add(TABLE, "t.csv is not utf-99: unknown encoding", words="--encoding utf-99"),
    "an encoding of bytes": _add(TABLE, "is not a text encoding", words="--encoding base64"),
    "semicolons": _add(TABLE.replace(",", ";"), "has one column with separator ','", "3 with ';'"),
    "tabs": _add(TABLE.replace(",", "\t"), "has one column with separator ','", "data.separator='tab'"),
    "a separator of two": _add(TABLE, "separator: expected one character", words="--separator ab"),
    "no separator": _add(TABLE, "separator: expected one character", words="--separator ''"),
    "an unclosed quote": _add(f'{TABLE}1,"2,no\n', "t.csv cannot be read as CSV", "EOF inside string"),
    "rows that are too long": _add(f"{TABLE}1,2,no,4,5\n", "Expected 3 fields in line 62, saw 5"),
    "rows that are too short": _add(f"{TABLE}1\n", PROBLEMS, "the target 'y' is missing in 1 row"),
    "a header without end": _add("a" * 200_000 + ",y\n1,2\n", "field larger than field limit"),
    "a column twice": _add(TABLE.replace("visits", "age"), "column names occur twice: 'age'"),
    "a name of Assay's": _add(TABLE.replace("age", "__id__"), "'__id__': this name is kept for Assay"),
    "gzip that is none": _add(TABLE, "Not a gzipped file", name="t.csv.gz"),
    "gzip that is cut": _add(gzip.compress(TABLE.encode())[:-10], "Compressed file ended", name="t.csv.gz"),
    "gzip that is damaged": _add(gzip.compress(TABLE.encode())[:-8] + bytes(8), "CRC check", name="t.csv.gz"),
    "a workbook": _add(b"PK\x03\x04", "t.xlsx: expected CSV", name="t.xlsx"),
    "an archive": _add(b"PK\x03\x04", "t.csv.zip: expected CSV", name="t.csv.zip"),
    "a pickle": _add(pickle.dumps({"y": [1]}), "t.pkl is not utf-8", name="t.pkl"),
    "infinite numbers": _add(f"{TABLE}inf,2,no\n", PROBLEMS, "column 'age' holds 1 number, infinite", "row 61"),
    "numbers beyond a float": _add(f"{TABLE}1e400,2,no\n", "column 'age' holds 1 number, infinite"),
    "numbers beyond float32": _add(f"{TABLE}1e300,2,no\n", "column 'age' holds 1 number, infinite or beyond"),
    "words among numbers": _add(
        f"{TABLE}x,2,no\n", PROBLEMS, "column 'age', row 61 below the header: expected a number, got 'x'",
        words="--numeric age",
    ),
}  # fmt: skip
TARGET = {
    "no such target": _add(TABLE.replace(",y\n", ",yes\n"), "data.target=y: t.csv has no such column"),
    "a target that is missing": _add(_column("a", "1", target=""), "the target 'y' is missing in 60 rows"),
    "a target of one value": _add(_column("a", "1", target="no"), "the target 'y' has 1 value ('no')"),
    "a target of one number": _add(_column("a", "1", target="1.5"), "the target 'y' has 1 value (1.5)"),
    "a class of one row": _add(f"{TABLE}1,1,maybe\n", "class 'maybe' of 'y' has 1 row"),
    "too many classes": _add(
        "a,y\n" + "".join(f"{i},w{i // 3}\n" for i in range(300)), "100 values, more than 50", "--task classification"
    ),
    "words to regress": _add(TABLE, "the target 'y' is no number in 60 rows", words="--task regression"),
    "an infinite target": _add(
        "a,y\n" + "".join(f"{i},{i * 1.5}\n" for i in range(ROWS)) + "1,inf\n", "column 'y' holds 1 number, infinite"
    ),
    "a target that is ignored": _add(TABLE, "data.ignore: 'y' is the target", words="--ignore y"),
    "a target that is an id": _add(TABLE, "data.id=y: this column is the target", words="--id y"),
    "a target that is sensitive": _add(TABLE, "data.sensitive: 'y' is the target", words="--sensitive y"),
    "no such column": _add(TABLE, "data.group=agee: ", "did you mean 'age'?", words="--group agee"),
    "numbers that are names": _add(
        TABLE, "column 'age' is named both categorical and numeric", words="--numeric age --categorical age"
    ),
}  # fmt: skip
PARQUET = {
    "no Parquet": _add(TABLE, "t.parquet is not a Parquet file that can be read", name="t.parquet"),
    "nothing but the magic": _add(b"PAR1PAR1", "is not a Parquet file", name="t.parquet"),
    "cut": _add(GOOD[:-20], "is not a Parquet file", "magic bytes not found", name="t.parquet"),
    "its head cut": _add(GOOD[20:], "is not a Parquet file", name="t.parquet"),
    "a footer that lies": _add(GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "smaller than the size reported", name="t.parquet"),
    "no rows": _add(_parquet(pa.table({"y": pa.array([], pa.int64())})), "has 0 rows", name="t.parquet"),
    "no columns": _add(_parquet(pa.table({})), "has 0 rows and 0 columns", name="t.parquet"),
    "lists in cells": _add(_beside(pa.array([[1, 2]] * ROWS)), "column 'odd' holds a ndarray", name="t.parquet"),
    "records in cells": _add(_beside(pa.array([{"x": 1}] * ROWS)), "column 'odd' holds a dict", name="t.parquet"),
    "bytes of no text": _add(_beside(pa.array([b"\xff"] * ROWS)), "holds bytes that are no text", name="t.parquet"),
    "texts that are none": _add(
        _beside(pa.array(["ab"] * ROWS)).replace(b"ab", b"\xff\xfe"), "column 'odd' cannot be read", name="t.parquet"
    ),
    "a column twice": _add(
        _parquet(pa.Table.from_arrays([pa.array([1] * ROWS)] * 2, names=["y", "y"])), "t.parquet", "y", name="t.parquet"
    ),
    "an index named like a column": _add(
        _parquet(pd.DataFrame({"a": range(ROWS), "y": [0, 1] * 30}, index=pd.Index(range(100, 160), name="a"))),
        "column names occur twice: 'a'", name="t.parquet",
    ),
    "a note that is no JSON": _add(_footnote(b"{"), "is not a Parquet file", name="t.parquet"),
    "a note of another form": _add(_footnote(b"[]"), "is not a Parquet file", name="t.parquet"),
    "a note that names no index": _add(
        _footnote(b'{"index_columns": ["no"], "columns": [], "column_indexes": []}'),
        "is not a Parquet file", name="t.parquet",
    ),
}  # fmt: skip
CASES = {
    **{f"CSV: {name}": case for name, case in CSV.items()},
    **{f"target: {name}": case for name, case in TARGET.items()},
    **{f"Parquet: {name}": case for name, case in PARQUET.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_a_table_that_cannot_be_added(place: Place, case: str) -> None:
    place.refuses(CASES[case])
    assert not (place.root / "data").exists()


def _run(content: str, knobs: str, *says: str) -> Case:
    way = (
        f"assay run data=csv model=mlp data.path=t.csv data.target=y training.max_epochs=1 {knobs}"
    )
    return Case(way=way, files={"t.csv": content}, says=says)


SPLITS = {
    "no rows for a split": _run(TABLE, "data.split.valid=0.001", "data.split: ", "cannot be divided so"),
    "groups that are missing": _run(_column("g", ""), "data.group=g", "column 'g' names no group in 60 rows"),
    "two groups": _run(_column("g", "g{0}"), "data.group=g", "2 groups cannot fill three splits"),
    "times that are none": _run(_column("when", "soon"), "data.time=when", "column 'when', row 1", "'soon' is no time"),
    "a split column of other words": _run(
        _column("part", "all"), "data.split_column=part", "column 'part': expected train, valid or test; got all"
    ),
    "a split column without valid": _run(
        "part,n,y\n" + "".join(f"{'train' if i % 3 else 'test'},{i % 7},{i % 2}\n" for i in range(ROWS)),
        "data.split_column=part", "leaves no rows for valid",
    ),
    "a class in test alone": _run(
        "part,n,y\n" + "".join(
            f"{PARTS[i % 3]},{i},{'new' if i % 6 == 2 else i % 2}\n" for i in range(ROWS)
        ),
        "data.split_column=part", "puts class 'new' into test but into no training row",
    ),
    "a group to split by that is not named": _run(TABLE, "data.split.by=group", "needs data.group to name a column"),
    "one column": _run("y\n" + "yes\nno\n" * 40, "", "no feature column is left"),
    "features that are names of rows": _run(
        "a,y\n" + "".join(f"id{i},{i % 2}\n" for i in range(ROWS)), "", "1 are constant or id-like"
    ),
    "nothing but ignored": _run(TABLE, "data.ignore=[age,visits]", "no feature column is left"),
    "features that never change": _run("a,y\n" + "1,0\n1,1\n" * 30, "", "no feature column is left"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPLITS)
def test_a_table_that_cannot_be_divided(place: Place, case: str) -> None:
    place.refuses(SPLITS[case])
    assert not list((place.root / "home").glob("cache/prepare/*/"))


def test_a_name_of_two_lines_stays_on_one(tmp_path: Path) -> None:
    """The comment at the head of the written YAML shows the file's name."""
    _write(
        tmp_path / "plain.yaml",
        "assay.data.csv.Csv",
        {"target": "y"},
        Path("t\n_target_: os.system\n#\udcff.csv"),
    )
    assert read_yaml(tmp_path / "plain.yaml") == {"_target_": "assay.data.csv.Csv", "target": "y"}
