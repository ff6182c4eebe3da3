"""The user's own table: one CSV or Parquet file."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd

from assay.data.parquet import read_parquet, refuse_repeated
from assay.data.prepared import RESERVED
from assay.data.raw import Raw, Roles, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.target import Target, with_target
from assay.errors import DataError, nearest

_TABLES = {".csv", ".tsv", ".txt", ".parquet", ".pq"}
_OTHER_FORMATS = {
    ".xlsx",
    ".xls",
    ".ods",
    ".zip",
    ".bz2",
    ".xz",
    ".zst",
    ".tar",
    ".json",
    ".feather",
}
_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, kw_only=True)
class Csv:
    """A table in a file; everything but ``path`` and ``target`` may be left as it is.

    ``target`` is a column, or a list of columns of yes and no; with ``label_separator`` its cells
    list any number of labels.
    """

    kind: ClassVar[Kind] = "table"
    path: str
    target: str | tuple[str, ...]
    label_separator: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None
    split_column: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    task: TaskChoice = "auto"
    encoding: str = "utf-8"
    separator: str = ","
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the table; DataError says what is wrong with the file or the named columns."""
        frame = read_table(Path(self.path), encoding=self.encoding, separator=self.separator)
        target = Target(columns=self.target, separator=self.label_separator, task=self.task)
        roles = Roles(
            target=target.column,
            id=self.id,
            group=self.group,
            time=self.time,
            split=self.split_column,
            sensitive=tuple(self.sensitive),
            ignore=tuple(self.ignore),
            categorical=tuple(self.categorical),
            numeric=tuple(self.numeric),
        )
        require_columns(frame, roles, self.path, others={"target": target.names})
        raw = Raw(frame=frame, roles=roles, task=self.task, source=Path(self.path).name)
        return with_target(raw, target)


def read_table(path: Path, *, encoding: str = "utf-8", separator: str = ",") -> pd.DataFrame:
    """Return a CSV (also gzipped) or Parquet file as a frame; DataError where it cannot be read."""
    if path.is_dir():
        raise DataError(f"{path} is a folder: expected a CSV or Parquet file")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file{_neighbours(path)}")
    if path.suffix.lower() in _OTHER_FORMATS:
        raise DataError(f"{path}: expected CSV (.csv, .csv.gz) or Parquet (.parquet): convert it")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: expected a header and rows")
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    frame = read_parquet(path) if is_parquet else _csv(path, encoding, _one_character(separator))
    if frame.empty:
        raise DataError(
            f"{path} has {len(frame)} rows and {len(frame.columns)} columns: expected rows below a header"
        )
    return frame


def _csv(path: Path, encoding: str, separator: str) -> pd.DataFrame:
    try:
        _check_header(path, encoding, separator)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, encoding=encoding, sep=separator, low_memory=False, index_col=False
            )
            return frame.apply(_wide_as_text)
    except (UnicodeError, LookupError) as error:
        raise DataError(
            f"{path} is not {encoding}: {error}; "
            "name its encoding, for example --encoding latin-1 (in the configuration data.encoding=latin-1)"
        ) from error
    except pd.errors.ParserWarning as error:
        raise DataError(
            f"{path}: rows have more fields than the header names: name every column, "
            "or take the separator from the end of the rows"
        ) from error
    except (ValueError, OverflowError, OSError, EOFError, csv.Error, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as CSV with separator {separator!r}: {str(error).strip()}"
        ) from error


def _wide_as_text(series: pd.Series) -> pd.Series:
    """Whole numbers of more than 64 bits are names of something: no array holds them exactly."""
    if series.dtype != object:
        return series
    is_wide = series.map(lambda value: isinstance(value, int) and not isinstance(value, bool))
    return series.where(series.isna(), series.astype(str)) if is_wide.any() else series


def _one_character(separator: str) -> str:
    plain = "\t" if separator in ("\\t", "tab") else separator
    if len(plain) != 1 or plain in '"\r\n\0':
        raise DataError(
            f"separator: expected one character, such as ',' ';' or 'tab'; got {separator!r}"
        )
    return plain


def _check_header(path: Path, encoding: str, separator: str) -> None:
    names = _header(path, encoding, separator)
    refuse_repeated(names, path)
    if len(names) == 1:
        others = {s: len(_header(path, encoding, s)) for s in _SEPARATORS if s != separator}
        best = max(others, key=lambda s: others[s])
        if others[best] > 1:
            word = "tab" if best == "\t" else best
            raise DataError(
                f"{path} has one column with separator {separator!r}, but {others[best]} with "
                f"{best!r}: --separator '{word}' (in the configuration data.separator='{word}')"
            )


def _header(path: Path, encoding: str, separator: str) -> list[str]:
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as file:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        rows = csv.reader(text, delimiter=separator)
        first = next((row for row in rows if len(row) > 1 or "".join(row).strip()), [])
        return [first[0].removeprefix("\ufeff"), *first[1:]] if first else []


def require_columns(
    frame: pd.DataFrame, roles: Roles, path: str, *, others: Mapping[str, Sequence[str]]
) -> None:
    """Raise DataError with every role, and each of ``others`` by its key, that names no column of its own."""
    columns = [str(c) for c in frame.columns]
    singles = {"target": roles.target, "id": roles.id, "group": roles.group, "time": roles.time}
    singles["split_column"] = roles.split
    lists = {key: getattr(roles, key) for key in ("sensitive", "ignore", "categorical", "numeric")}
    named = [(k, v) for k, v in singles.items() if v]
    named += [(k, v) for k, names in others.items() for v in names if (k, v) not in named]
    named += [(key, name) for key, names in lists.items() for name in names]
    problems = [
        f"data.{k}={v}: {path} has no such column{nearest(v, columns)}"
        for k, v in named
        if v not in columns
    ]
    problems += [
        f"column '{c}': this name is kept for Assay: rename it" for c in columns if c in RESERVED
    ]
    targets = others.get("target", ())
    problems += _contradictions(roles, targets)
    problems += [
        f"data.{key}={name}: this column is the target"
        for key, names in others.items()
        for name in names
        if key != "target" and name in targets
    ]
    if problems:
        raise DataError("\n".join(problems))


def _contradictions(roles: Roles, targets: Sequence[str]) -> list[str]:
    others = {"id": roles.id, "group": roles.group, "time": roles.time, "split_column": roles.split}
    found = [
        f"data.{role}={name}: this column is the target"
        for role, name in others.items()
        if name in targets
    ]
    lists = {"ignore": roles.ignore, "sensitive": roles.sensitive}
    found += [
        f"data.{role}: '{name}' is the target"
        for role, names in lists.items()
        for name in names
        if name in targets
    ]
    both = sorted({*roles.categorical} & {*roles.numeric})
    return found + [f"column '{c}' is named both categorical and numeric: take one" for c in both]


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either"
    tables = [p.name for p in path.parent.iterdir() if _TABLES & set(p.suffixes)]
    return nearest(path.name, tables)
