"""The file of studies: made whole or not at all, and one message where it cannot be used."""

import resource
import signal
import sqlite3
from contextlib import closing, contextmanager

import pytest

from assay.errors import ArtifactError
from assay.tuning.storage import open_storage, place_of, refusals


@contextmanager
def files_end_at(size):
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def schema(path):
    with closing(sqlite3.connect(path)) as database:
        return set(database.execute("SELECT type, name FROM sqlite_master"))


@pytest.mark.parametrize("size", [0, 8192, 40_000, 90_000])
def test_a_full_disk_leaves_no_half_made_file(tmp_path, size):
    open_storage(place_of(tmp_path / "whole.db"))
    place = place_of(tmp_path / "study.db")
    refused = pytest.raises(ArtifactError, match=r"study\.db.*free some space")
    with files_end_at(size), refused, refusals(place):
        open_storage(place)
    assert not place.file.exists()
    open_storage(place)
    assert schema(place.file) == schema(tmp_path / "whole.db")
    assert not list(tmp_path.glob(".study.db*"))


def test_an_empty_file_and_journals_of_an_old_one_are_no_hindrance(tmp_path):
    place = place_of(tmp_path / "study.db")
    place.file.touch()
    (tmp_path / "study.db-wal").write_bytes(b"of another file")
    open_storage(place)
    open_storage(place_of(tmp_path / "whole.db"))
    assert schema(place.file) == schema(tmp_path / "whole.db")
    assert (tmp_path / "study.db-wal.old").read_bytes() == b"of another file"


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=r"file, where the trials .* correct search\.storage"):
        open_storage(place_of(tmp_path / "file" / "study.db"))
