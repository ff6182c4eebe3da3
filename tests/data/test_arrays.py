"""Prepared arrays, the specification and digests survive what is done to them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.data.prepared import Pieces, Split, write_pieces
from assay.data.raw import Raw, Roles
from assay.data.spec import Column, Image, Spec, read_spec
from assay.errors import ArtifactError


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=6).filter(any),
    st.lists(st.integers(0, 10**6), max_size=20),
)
def test_gathering_from_pieces_is_plain_indexing(sizes: list[int], wanted: list[int]) -> None:
    whole = np.random.default_rng(0).integers(256, size=(sum(sizes), 2, 3)).astype(np.uint8)
    pieces = Pieces(np.split(whole, np.cumsum(sizes)[:-1]))
    indices = np.array(wanted, dtype=np.int64) % len(whole)
    found = pieces.gather(indices)
    np.testing.assert_array_equal(found, whole[indices])
    assert (found.dtype, pieces.shape, len(pieces)) == (whole.dtype, whole.shape, len(whole))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.integers(1, 30), piece_bytes=st.integers(1, 400))
def test_pieces_are_bounded_and_read_as_one(tmp_path: Path, rows: int, piece_bytes: int) -> None:
    folder = tmp_path / f"{rows}-{piece_bytes}"
    folder.mkdir(exist_ok=True)
    images = np.random.default_rng(rows).integers(256, size=(rows, 1, 4, 4)).astype(np.uint8)
    write_pieces(folder, "image", images, piece_bytes=piece_bytes)
    np.save(folder / "target.npy", np.arange(rows))
    split = Split(folder)
    np.testing.assert_array_equal(split.whole()["image"], images)
    sizes = [np.load(file).nbytes for file in folder.glob("image-*.npy")]
    assert max(sizes) <= max(piece_bytes, 16)


def test_arrays_are_mapped_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "target.npy", np.arange(3))
    assert isinstance(Split(tmp_path).target, np.memmap)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "target.npy is missing: run 'dvc repro prepare'"),
        (b"no array", "target.npy is damaged"),
    ],
)
def test_a_damaged_split_is_told(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "target.npy").write_bytes(content)
    with pytest.raises(ArtifactError, match=sentence):
        Split(tmp_path)


def test_arrays_that_would_run_code_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "target.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match="damaged"):
        Split(tmp_path)


@pytest.mark.parametrize("content", [None, b"no parquet"])
def test_damaged_rows_are_told(tmp_path: Path, content: bytes | None) -> None:
    np.save(tmp_path / "target.npy", np.arange(3))
    if content:
        (tmp_path / "rows.parquet").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"rows\.parquet cannot be read"):
        Split(tmp_path).rows()


_numbers = st.floats(allow_nan=False, allow_infinity=False)
_columns = st.builds(
    Column,
    name=st.text(min_size=1),
    type=st.sampled_from(["numeric", "boolean", "categorical"]),
    categories=st.lists(st.text(), max_size=3).map(tuple),
    median=_numbers,
    mean=_numbers,
    std=_numbers,
    missing=st.integers(0, 9),
)
_images = st.builds(
    Image,
    channels=st.just(1),
    height=st.integers(1),
    width=st.integers(1),
    mean=st.tuples(_numbers),
    std=st.tuples(_numbers),
)
_specs = st.builds(
    Spec,
    task=st.sampled_from(["classification", "regression"]),
    kind=st.sampled_from(["table", "image"]),
    target=st.text(),
    train_rows=st.integers(1, 9),
    columns=st.lists(_columns, max_size=3).map(tuple),
    image=st.none() | _images,
    classes=st.sampled_from([(), (True, False), (0, 1), ("a", "b")]),
    class_counts=st.just((1, 2)),
    target_mean=_numbers,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(_specs)
def test_a_specification_survives_the_round_trip(tmp_path: Path, spec: Spec) -> None:
    spec.write(tmp_path / "spec.json")
    back = read_spec(tmp_path / "spec.json")
    assert back == spec
    assert [type(c) for c in back.classes] == [type(c) for c in spec.classes]


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"columns": [{"colour": 1}], "image": null}', "null", "3"]
)
def test_a_damaged_specification_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"spec\.json is damaged"):
        read_spec(tmp_path / "spec.json")


def _raw(frame: pd.DataFrame, images: np.ndarray | None = None) -> Raw:
    return Raw(frame=frame, roles=Roles(target="y"), images=images)


_FRAME = {"a": [1.0, None], "b": ["x", "y"], "c": [True, False], "y": [0, 1]}


@pytest.mark.parametrize(
    ("column", "value"), [("a", 1.5), ("a", None), ("b", "X"), ("b", None), ("c", False), ("y", 1)]
)
def test_one_changed_cell_changes_the_digest(column: str, value: object) -> None:
    frame = pd.DataFrame(_FRAME)
    changed = frame.astype(object)
    changed.loc[0, column] = value
    changed = changed.astype(frame.dtypes.to_dict() if value is not None else object)
    assert _raw(changed).digest() != _raw(frame).digest()


def test_names_and_order_of_columns_and_rows_change_the_digest() -> None:
    frame = pd.DataFrame(_FRAME)
    others = [frame.rename(columns={"a": "A"}), frame[["b", "a", "c", "y"]], frame.iloc[::-1]]
    digests = {_raw(other).digest() for other in (frame, *others)}
    assert len(digests) == 4


def test_one_pixel_changes_the_digest() -> None:
    frame, images = pd.DataFrame({"y": [0, 1]}), np.zeros((2, 1, 2, 2), np.uint8)
    before = _raw(frame, images).digest()
    images[1, 0, 1, 1] = 1
    assert _raw(frame, images).digest() != before


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "import pandas as pd; from assay.data.raw import Raw, Roles;"
        f"print(Raw(frame=pd.DataFrame({_FRAME!r}), roles=Roles(target='y')).digest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {_raw(pd.DataFrame(_FRAME)).digest()}


def test_chosen_rows_are_written_in_pieces_as_numpy_writes_them(tmp_path):
    images = np.arange(40 * 6, dtype=np.uint8).reshape(40, 1, 2, 3)
    rows = np.array([7, 3, 39, 0, 3])
    write_pieces(tmp_path, "image", images, rows=rows, piece_bytes=12)
    files = sorted(tmp_path.glob("image-*.npy"))
    assert [len(np.load(file)) for file in files] == [2, 2, 1]
    for start, file in zip((0, 2, 4), files, strict=True):
        np.save(tmp_path / "plain.npy", images[rows[start : start + 2]])
        assert file.read_bytes() == (tmp_path / "plain.npy").read_bytes()
