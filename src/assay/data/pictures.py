"""Picture files of any size and mode as uint8 arrays of one size, in bounded memory."""

from __future__ import annotations

import os
import struct
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Le
from PIL import Image, ImageOps

from assay.artifacts.paths import home
from assay.data.prepared import UNREADABLE
from assay.errors import DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What is decoded; Pillow also knows formats that call other programs, such as EPS."""
MOST_PIXELS = 1 << 26
"""A picture of more is taken for a trap: a small file that needs all memory."""
_ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_TOGETHER = 64
_NAMED = 5
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
_UNDECODABLE = (*UNREADABLE, struct.error, Image.DecompressionBombError)

Source: TypeAlias = Path | bytes
"""A picture's file, or what is in it."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """How pictures become arrays.

    ``fit`` crop cuts the longer side at both ends, pad fills the shorter one up with black, stretch
    does neither. ``broken`` says what is done about files that cannot be decoded.
    """

    height: Annotated[int, Ge(1), Le(4096)] = 64
    width: Annotated[int, Ge(1), Le(4096)] = 64
    colour: Literal["rgb", "grey"] = "rgb"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    broken: Literal["refuse", "drop"] = "refuse"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one picture."""
        return (3 if self.colour == "rgb" else 1, self.height, self.width)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A picture that cannot be decoded, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """``images``: uint8 (pictures, channels, height, width), on disk; ``kept``: whose they are.

    ``kept`` holds the places (from 0) of those pictures that could be decoded, in order.
    """

    images: np.ndarray
    kept: np.ndarray
    broken: tuple[Broken, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return (_said(self.broken, total=len(self.kept) + len(self.broken)),) if self.broken else ()


def is_picture(path: Path) -> bool:
    """Whether a file's ending is that of a picture."""
    return path.suffix.lower() in _ENDINGS


def decode_all(named: Iterable[tuple[str, Source]], *, knobs: Pictures) -> Decoded:
    """Decode pictures, given with a name for messages, one after another.

    Memory holds some dozens of them; what is decoded lies in a file that vanishes with the array.
    Raises DataError where a picture is broken and the knobs refuse that, or where none is whole.
    """
    kept: list[int] = []
    broken: list[Broken] = []
    with _scratch() as file, ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for place, (name, found) in enumerate(_decoded(named, knobs, pool)):
            if isinstance(found, str):
                broken.append(Broken(name=name, reason=found))
            else:
                file.write(found.tobytes())
                kept.append(place)
        _report(broken, knobs=knobs, total=len(kept) + len(broken))
        file.flush()
        shape = (len(kept), *knobs.shape)
        images: np.ndarray = np.memmap(file, dtype=np.uint8, mode="r", shape=shape)
    return Decoded(images=images, kept=np.array(kept, np.int64), broken=tuple(broken))


def decode(source: Source, *, knobs: Pictures) -> np.ndarray | str:
    """Return uint8 (channels, height, width), or in words why there is none."""
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size == 0:
            return "it is empty"
        with Image.open(
            BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return f"it claims {picture.width} by {picture.height} pixels"
            return _array(picture, knobs)
    except FileNotFoundError:
        return "there is no such file"
    except _UNDECODABLE as error:
        return " ".join(str(error).split()) or type(error).__name__


def _decoded(
    named: Iterable[tuple[str, Source]], knobs: Pictures, pool: ThreadPoolExecutor
) -> Iterator[tuple[str, np.ndarray | str]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what is broken is said here
        rest = iter(named)
        while some := list(islice(rest, _TOGETHER)):
            names, sources = zip(*some, strict=True)
            arrays = pool.map(lambda source: decode(source, knobs=knobs), sources)
            yield from zip(names, arrays, strict=True)


def _array(picture: Image.Image, knobs: Pictures) -> np.ndarray:
    size = (knobs.width, knobs.height)
    picture.draft(None, size)  # a JPEG need not be decoded larger than twice what is asked for
    upright = ImageOps.exif_transpose(picture)
    plain = _opaque(_shallow(upright)).convert("RGB" if knobs.colour == "rgb" else "L")
    fitted = _fitted(plain, size, knobs.fit)
    array = np.asarray(fitted, np.uint8)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _shallow(picture: Image.Image) -> Image.Image:
    """16 bits a pixel as 8: Pillow itself would cut off what is above 255."""
    if picture.mode == "F":
        raise ValueError("its pixels are fractions without a range")
    if picture.mode not in _DEEP:
        return picture
    numbers = np.asarray(picture).astype(np.int64)
    return Image.fromarray((numbers if numbers.max() < 256 else numbers >> 8).astype(np.uint8))


def _opaque(picture: Image.Image) -> Image.Image:
    """Put what can be seen through on white."""
    if not picture.has_transparency_data:
        return picture
    clear = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)


def _fitted(
    picture: Image.Image, size: tuple[int, int], how: Literal["crop", "pad", "stretch"]
) -> Image.Image:
    if picture.size == size:
        return picture
    method = Image.Resampling.BILINEAR
    if how == "crop":
        return ImageOps.fit(picture, size, method)
    return _padded(picture, size) if how == "pad" else picture.resize(size, method)


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Pillow's own makes nothing of what is very thin."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    canvas = Image.new(picture.mode, size)
    canvas.paste(small, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def _scratch() -> BinaryIO:
    """Open a file without a name below the project's own folder: /tmp may lie in memory."""
    folder = home() / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)  # closed by its user


def _report(broken: list[Broken], *, knobs: Pictures, total: int) -> None:
    if len(broken) == total:
        first = f", first {broken[0].name}: {broken[0].reason}" if broken else ""
        raise DataError(f"of {total} pictures none can be decoded{first}")
    if not broken:
        return
    said = _said(broken, total=total)
    if knobs.broken == "refuse":
        raise DataError(f"{said}; mend or remove them, or choose data.pictures.broken=drop")


def _said(broken: Sequence[Broken], *, total: int) -> str:
    listed = "; ".join(f"{b.name} ({b.reason})" for b in broken[:_NAMED])
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    return f"{len(broken)} of {total} pictures cannot be decoded: {listed}{more}"
