"""The user's own table: one CSV or Parquet file."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd

from assay.data.raw import Raw, Roles, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.errors import DataError, nearest


@dataclass(frozen=True, kw_only=True)
class Csv:
    """A table in a file; everything but ``path`` and ``target`` may be left as it is."""

    kind: ClassVar[Kind] = "table"
    path: str
    target: str
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
        roles = Roles(
            target=self.target,
            id=self.id,
            group=self.group,
            time=self.time,
            split=self.split_column,
            sensitive=tuple(self.sensitive),
            ignore=tuple(self.ignore),
            categorical=tuple(self.categorical),
            numeric=tuple(self.numeric),
        )
        _require_columns(frame, roles, self.path)
        return Raw(frame=frame, roles=roles, task=self.task, source=Path(self.path).name)


def read_table(path: Path, *, encoding: str = "utf-8", separator: str = ",") -> pd.DataFrame:
    """Return a CSV (also gzipped) or Parquet file as a frame; DataError where it cannot be read."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file{_neighbours(path)}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: expected a header and rows")
    frame = (
        _parquet(path) if path.suffix in (".parquet", ".pq") else _csv(path, encoding, separator)
    )
    if frame.empty:
        raise DataError(
            f"{path} has {len(frame)} rows and {len(frame.columns)} columns: expected rows below a header"
        )
    return frame


def _parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from error
    return frame.rename(columns=str)


def _csv(path: Path, encoding: str, separator: str) -> pd.DataFrame:
    try:
        _refuse_repeated(_header(path, encoding, separator), path)
        return pd.read_csv(path, encoding=encoding, sep=separator, low_memory=False)
    except (UnicodeDecodeError, LookupError) as error:
        raise DataError(
            f"{path} is not {encoding}: {error}; "
            "name its encoding, for example data.encoding=latin-1 (assay add --encoding latin-1)"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError, EOFError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as CSV with separator {separator!r}: {error}"
        ) from error


def _header(path: Path, encoding: str, separator: str) -> list[str]:
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as file:
        first = io.TextIOWrapper(file, encoding=encoding, newline="")
        return next(csv.reader(first, delimiter=separator), [])


def _refuse_repeated(names: Sequence[str], path: Path) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(
            f"{path}: column names occur twice: {', '.join(repeated)}; give each column its own name"
        )


def _require_columns(frame: pd.DataFrame, roles: Roles, path: str) -> None:
    columns = [str(c) for c in frame.columns]
    singles = {"target": roles.target, "id": roles.id, "group": roles.group, "time": roles.time}
    singles["split_column"] = roles.split
    lists = {key: getattr(roles, key) for key in ("sensitive", "ignore", "categorical", "numeric")}
    named = [(k, v) for k, v in singles.items() if v is not None]
    named += [(key, name) for key, names in lists.items() for name in names]
    lost = [
        f"data.{k}={v}: {path} has no such column{nearest(v, columns)}"
        for k, v in named
        if v not in columns
    ]
    if lost:
        raise DataError("\n".join(lost))


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either"
    tables = [p.name for p in path.parent.iterdir() if {".csv", ".parquet"} & set(p.suffixes)]
    return nearest(path.name, tables)
