"""A file of the web, checked by its SHA-256: a table, a table of texts, or an archive of images."""

from __future__ import annotations

import platform
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pooch

from assay.artifacts.paths import home
from assay.data.csv import Csv
from assay.data.image_folder import ImageFolder
from assay.data.pictures import Pictures
from assay.data.prepared import UNREADABLE
from assay.data.raw import Raw, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.text_csv import TextCsv
from assay.data.tokenizer import Tokens
from assay.errors import ConfigError, DataError

_SCHEMES = ("http", "https")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 1 << 40
_KINDS: dict[str, Kind] = {"csv": "table", "text_csv": "text", "images": "image"}
_TABLES: dict[str, type[Csv | TextCsv]] = {"csv": Csv, "text_csv": TextCsv}


@dataclass(frozen=True, kw_only=True)
class Url:
    """``reader`` says what the file is: csv (or Parquet), text_csv (with a column ``text``), or images
    (a zip or tar archive).

    An archive holds what ``image_folder`` takes, perhaps below one folder. What is fetched is kept
    under the project's home by its SHA-256, and fetched once.
    """

    url: str
    sha256: str
    reader: Literal["csv", "text_csv", "images"] = "csv"
    target: str | tuple[str, ...] = ""
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
    text: str = "text"
    empty: Literal["refuse", "drop"] = "refuse"
    tokens: Tokens = field(default_factory=Tokens)
    pictures: Pictures = field(default_factory=Pictures)
    split: Splitting = field(default_factory=Splitting)

    @property
    def kind(self) -> Kind:
        """What the inputs are, by the reader."""
        return _KINDS[self.reader]

    def read(self) -> Raw:
        """Fetch the file where it is not there yet, and read it as the reader does.

        Raises ConfigError for an address or a digest that is none, DataError where the file cannot
        be fetched or is another one.
        """
        file = fetched(self.url, sha256=self.sha256)
        if self.reader == "images":
            folder = str(_unpacked(file))
            return ImageFolder(path=folder, pictures=self.pictures, split=self.split).read()
        reader = _TABLES[self.reader]
        known = {f.name for f in fields(reader)} - {"path"}
        knobs = {f.name: getattr(self, f.name) for f in fields(self) if f.name in known}
        return reader(path=str(file), **knobs).read()


def fetched(url: str, *, sha256: str) -> Path:
    """Return a local copy of the file at ``url`` whose SHA-256 is this one, in hex."""
    _require_address(url, sha256)
    name = Path(urlsplit(url).path).name or "file"
    folder = home() / "cache" / "fetched" / sha256
    try:
        found = pooch.retrieve(url, known_hash=f"sha256:{sha256}", path=folder, fname=name)
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"data.url={url} cannot be fetched as it is to be: {text}") from error
    return Path(found)


def _require_address(url: str, sha256: str) -> None:
    problems = []
    if urlsplit(url).scheme not in _SCHEMES:
        problems.append(f"data.url: expected an address of {' or '.join(_SCHEMES)}, got {url!r}")
    if not _SHA256.fullmatch(sha256):
        problems.append(
            f"data.sha256: expected the file's SHA-256, 64 digits of 0-9 and a-f, got {sha256!r}"
        )
    if problems:
        raise ConfigError(problems)


def _unpacked(archive: Path) -> Path:
    """Return the folder of what is in an archive, below the folders that stand alone in it."""
    folder = archive.parent / "content"
    if not folder.is_dir():
        draft = archive.parent / ".content"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _unpack(archive, draft)
        except (*UNREADABLE, tarfile.TarError) as error:
            shutil.rmtree(draft, ignore_errors=True)
            text = " ".join(str(error).split())
            raise DataError(f"{archive.name} is no archive that can be unpacked: {text}") from error
        draft.replace(folder)
    while len(inside := [p for p in folder.iterdir() if not p.name.startswith(".")]) == 1:
        if not inside[0].is_dir():
            break
        folder = inside[0]
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar file; nothing in it can leave ``folder``."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as content:
            _require_bounded(sum(entry.file_size for entry in content.infolist()))
            content.extractall(folder)
        return
    if not hasattr(tarfile, "data_filter"):
        python = platform.python_version()
        raise ValueError(f"Python {python} unpacks no tar file safely; 3.11.4 does, or take a zip")
    with tarfile.open(archive) as content:
        _require_bounded(sum(entry.size for entry in content.getmembers()))
        content.extractall(folder, filter="data")


def _require_bounded(size: int) -> None:
    free = shutil.disk_usage(home()).free
    if size > min(free, _MOST_BYTES):
        raise ValueError(f"it holds {size:,} bytes, and {free:,} are free")
