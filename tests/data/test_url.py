"""Files of the web, from a server on this machine, checked by their digest."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from assay.data.pictures import Pictures
from assay.data.url import Url
from assay.errors import ConfigError, DataError

SMALL = Pictures(height=4, width=4)


class _Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def log_message(self, *words: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and its address."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    _Quiet.asked.clear()
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_table_is_fetched_once(served: tuple[Path, str]) -> None:
    folder, address = served
    (folder / "churn.csv").write_text("a,y\n1,no\n2,yes\n")
    url = Url(url=f"{address}/churn.csv", sha256=_digest(folder / "churn.csv"), target="y")
    assert url.kind == "table"
    for _ in range(2):
        assert list(url.read().frame["y"]) == ["no", "yes"]
    assert _Quiet.asked == ["/churn.csv"]


def test_texts(served: tuple[Path, str]) -> None:
    folder, address = served
    (folder / "r.csv").write_text("review,y\ngood film,1\nbad,0\n")
    url = Url(
        url=f"{address}/r.csv",
        sha256=_digest(folder / "r.csv"),
        reader="text_csv",
        text="review",
        target="y",
    )
    raw = url.read()
    assert url.kind == raw.kind == "text" and raw.text == "review"


def _png(level: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (9, 9), level).save(stream, "PNG")
    return stream.getvalue()


def _zip(file: Path, names: list[str]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for level, name in enumerate(names):
            archive.writestr(name, _png(level))


def _tar(file: Path, names: list[str]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for level, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = len(_png(level))
            archive.addfile(entry, io.BytesIO(_png(level)))


IS_SAFE = hasattr(tarfile, "data_filter")  # not so in Python 3.11.3


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_zip, "birds.zip"),
        pytest.param(
            *(_tar, "birds.tar.gz"),
            marks=pytest.mark.skipif(not IS_SAFE, reason="this Python unpacks no tar file safely"),
        ),
    ],
)
def test_an_archive_of_images(served: tuple[Path, str], make, name: str) -> None:
    folder, address = served
    make(folder / name, ["birds-v1/owl/0.png", "birds-v1/tit/1.png", "birds-v1/tit/2.png"])
    sha256 = _digest(folder / name)
    url = Url(url=f"{address}/{name}", sha256=sha256, reader="images", pictures=SMALL)
    raw = url.read()
    assert url.kind == raw.kind == "image"
    assert list(raw.frame["class"]) == ["owl", "tit", "tit"]
    assert list(raw.images[:, 0, 0, 0]) == [0, 1, 2]


def test_nothing_in_an_archive_leaves_its_folder(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    _tar(folder / "trap.tar.gz", ["a/0.png", "../../../../evil.png"])
    url = Url(url=f"{address}/trap.tar.gz", sha256=_digest(folder / "trap.tar.gz"), reader="images")
    with pytest.raises(DataError, match=r"trap\.tar\.gz is no archive that can be unpacked"):
        url.read()
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.parametrize("what", ["another file", "no such file", "no archive"])
def test_what_is_not_as_it_is_to_be_is_refused(served: tuple[Path, str], what: str) -> None:
    folder, address = served
    (folder / "churn.csv").write_text("a,y\n1,no\n")
    sha256 = _digest(folder / "churn.csv") if what == "no archive" else "0" * 64
    name = "none.csv" if what == "no such file" else "churn.csv"
    reader = "images" if what == "no archive" else "csv"
    expected = "no archive that can be unpacked" if reader == "images" else "cannot be fetched"
    with pytest.raises(DataError, match=expected):
        Url(url=f"{address}/{name}", sha256=sha256, reader=reader, target="y").read()


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a/b.csv", "churn.csv"])
def test_an_address_that_is_none_of_the_web_and_a_digest_that_is_none_are_told(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Url(url=url, sha256="abc", target="y").read()
    assert [p.split(":")[0] for p in caught.value.problems] == ["data.url", "data.sha256"]


def test_a_python_that_unpacks_no_tar_file_safely_says_so(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    folder, address = served
    _tar(folder / "birds.tar", ["owl/0.png", "tit/1.png"])
    sha256 = _digest(folder / "birds.tar")
    with pytest.raises(
        DataError, match=r"unpacks no tar file safely; 3\.11\.4 does, or take a zip"
    ):
        Url(url=f"{address}/birds.tar", sha256=sha256, reader="images").read()
