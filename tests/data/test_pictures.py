"""Pictures of any size and mode become arrays of one size; what is broken is named."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.data.pictures import Pictures, decode, decode_all
from assay.errors import DataError

RGB = Pictures(height=8, width=12)
GREY = Pictures(height=8, width=12, colour="grey")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def _file(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


def _plain(mode: str = "RGB", size: tuple[int, int] = (30, 20), colour: object = 128) -> bytes:
    return _file(Image.new(mode, size, colour), "TIFF" if mode in ("CMYK", "F", "I") else "PNG")


MODES = ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("knobs", [RGB, GREY], ids=["rgb", "grey"])
def test_every_mode_becomes_the_shape_that_is_asked_for(mode: str, knobs: Pictures) -> None:
    array = decode(_plain(mode, colour=1), knobs=knobs)
    assert isinstance(array, np.ndarray)
    assert array.shape == knobs.shape and array.dtype == np.uint8


@pytest.mark.parametrize("format", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_every_format_is_decoded(format: str) -> None:
    array = decode(_file(Image.new("RGB", (30, 20), (200, 100, 50)), format), knobs=RGB)
    assert isinstance(array, np.ndarray)
    assert np.abs(array.mean((1, 2)) - (200, 100, 50)).max() < 12


@given(width=st.integers(1, 60), height=st.integers(1, 60), fit=st.sampled_from(["crop", "pad"]))
@settings(max_examples=30, deadline=None)
def test_any_size_fits(width: int, height: int, fit: str) -> None:
    knobs = Pictures(height=8, width=12, fit=fit)
    array = decode(_plain(size=(width, height), colour=(9, 9, 9)), knobs=knobs)
    assert isinstance(array, np.ndarray) and array.shape == (3, 8, 12)
    assert array.max() == 9 and (array.min() == 9 or fit == "pad")


def test_how_a_picture_is_fitted() -> None:
    halves = Image.new("L", (40, 10), 0)
    halves.paste(255, (20, 0, 40, 10))
    stretched, cropped, padded = (
        decode(_file(halves), knobs=Pictures(height=10, width=10, colour="grey", fit=fit))[0]
        for fit in ("stretch", "crop", "pad")
    )
    for array in (stretched, cropped):
        assert array[:, 0].max() == 0 and array[:, -1].min() == 255
    assert padded[0].max() == 0 and padded[-1].max() == 0 and padded[5, -1] == 255


def test_sixteen_bits_are_scaled_not_cut_off() -> None:
    numbers = np.linspace(0, 65535, 96).reshape(8, 12).astype(np.uint16)
    array = decode(_file(Image.fromarray(numbers)), knobs=GREY)
    assert np.array_equal(array[0], numbers >> 8)


def test_what_can_be_seen_through_is_on_white_and_a_turned_photograph_stands_upright() -> None:
    assert decode(_plain("RGBA", colour=(0, 0, 0, 0)), knobs=RGB).min() == 255
    exif = Image.Exif()
    exif[0x0112] = 6
    left = Image.new("L", (40, 20), 0)
    left.paste(255, (0, 0, 20, 20))
    array = decode(_file(left, "JPEG", exif=exif), knobs=Pictures(height=20, width=10))
    assert array[:, :8].mean() > 240 and array[:, 12:].mean() < 15


def _bomb() -> bytes:
    """A PNG of 100000 by 100000 pixels in some bytes."""
    whole = bytearray(_plain("1"))
    whole[16:24] = (100_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(bytes(whole[12:29])).to_bytes(4, "big")
    return bytes(whole)


def _large() -> bytes:
    """Between this limit and Pillow's own."""
    return _file(Image.new("1", (9000, 9000)))


TRUNCATED = _file(Image.effect_noise((64, 64), 50))[:-500]
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
BROKEN = {
    "empty": (b"", "it is empty"),
    "truncated": (TRUNCATED, "truncated"),
    "no picture": (b"hello there, this is a text", "cannot identify"),
    "a bomb": (_bomb(), "decompression bomb"),
    "large": (_large(), "9000 by 9000"),
    "a program": (EPS, "cannot identify"),
    "fractions": (_plain("F", colour=0.5), "fractions"),
    "missing": (Path("no/such.png"), "no such file"),
    "a folder": (Path(), "directory"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("error")
def test_what_is_broken_is_said(case: str) -> None:
    source, reason = BROKEN[case]
    named = [("good", _plain()), ("bad one", source)]
    with pytest.raises(
        DataError, match=rf"1 of 2 pictures cannot be decoded: bad one \(.*{reason}.*broken=drop"
    ):
        decode_all(named, knobs=RGB)


def test_broken_ones_are_dropped_by_name_where_that_is_asked_for() -> None:
    drop = Pictures(height=8, width=12, broken="drop")
    named = [(f"p{i}", b"" if i % 3 == 1 else _plain(colour=(i, i, i))) for i in range(200)]
    decoded = decode_all(iter(named), knobs=drop)
    assert list(decoded.kept) == [i for i in range(200) if i % 3 != 1]
    assert np.array_equal(decoded.images[:, 0, 0, 0], decoded.kept)
    assert len(decoded.broken) == 67 and decoded.broken[0].name == "p1"
    (note,) = decoded.notes
    assert note.startswith("67 of 200 pictures cannot be decoded: p1 (it is empty); p4")
    assert note.endswith("and 62 more")
    with pytest.raises(DataError, match="of 1 pictures none can be decoded, first x: it is empty"):
        decode_all([("x", b"")], knobs=drop)


def test_what_is_decoded_lies_on_disk_in_a_file_without_a_name(tmp_path: Path) -> None:
    images = decode_all([("a", _plain())] * 3, knobs=RGB).images
    assert isinstance(images, np.memmap) and not images.flags.writeable
    assert list((tmp_path / "home/cache").iterdir()) == []
    assert (images == 128).all() or images.shape == (3, 3, 8, 12)


@pytest.mark.filterwarnings("ignore")
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_no_damage_to_a_file_raises_anything_else(place: int, value: int) -> None:
    for format in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
        content = bytearray(_SAMPLES[format])
        content[place % len(content)] = value
        found = decode(bytes(content), knobs=RGB)
        assert isinstance(found, str) or found.shape == RGB.shape


_SAMPLES = {
    format: _file(Image.effect_noise((24, 16), 90).convert("RGB"), format)
    for format in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")
}
