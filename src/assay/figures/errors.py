"""A review of errors as one page of HTML: tables of rows with their picture, text, line or columns."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from assay.figures.page import STYLE
from assay.figures.style import CYCLE

_STYLE = """
.scroll{overflow-x:auto}.right{color:var(--good)}.wrong{color:var(--up)}
td img,span img{display:inline-block;margin:0;image-rendering:pixelated;border:1px solid var(--line)}
td.text{max-width:34rem;overflow-wrap:anywhere}svg{background:#fff;border:1px solid var(--line)}
"""
_SIDE, _LARGEST = 56, 96
_WIDTH, _HEIGHT, _LINES = 220, 56, 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row of a table: what it is called, what is true, what was said, and what to look at (HTML)."""

    id: str
    actual: str
    predicted: str
    loss: float
    confidence: float | None
    shown: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A table of cases under a heading, with a sentence on what they are."""

    heading: str
    lead: str
    cases: Sequence[Case]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two classes that are taken for each other, with pictures of such rows (HTML)."""

    actual: str
    predicted: str
    rows: int
    share: float
    shown: str


def error_page(
    path: Path, *, title: str, lead: str, sections: Sequence[Section], pairs: Sequence[Pair]
) -> None:
    """Write the page; it needs no network, and is legible in light and dark."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width">',
        f"<title>{escape(title)}</title><style>{STYLE}{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p class=lead>{escape(lead)}</p>",
        *([_pair_table(pairs)] if pairs else []),
        *map(_section, sections),
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _pair_table(pairs: Sequence[Pair]) -> str:
    lines = "".join(
        f"<tr><td>{escape(p.actual)}</td><td class=wrong>{escape(p.predicted)}</td>"
        f"<td class=n>{p.rows}</td><td class=n>{p.share:.1%}</td><td>{p.shown}</td></tr>"
        for p in pairs
    )
    heads = "<tr><th>Actual<th>Predicted<th>Rows<th>Of the class<th></tr>"
    return f"<h2>Classes that are confused most</h2><table>{heads}{lines}</table>"


def _section(section: Section) -> str:
    head = f"<h2>{escape(section.heading)}</h2><p class=lead>{escape(section.lead)}</p>"
    if not section.cases:
        return f"{head}<p>None.</p>"
    is_sure = any(case.confidence is not None for case in section.cases)
    heads = f"<tr><th>ID<th>Actual<th>Predicted{'<th>Sure' if is_sure else ''}<th>Loss<th></tr>"
    lines = "".join(_line(case, is_sure=is_sure) for case in section.cases)
    return f"{head}<div class=scroll><table>{heads}{lines}</table></div>"


def _line(case: Case, *, is_sure: bool) -> str:
    sure = "" if case.confidence is None else f"{case.confidence:.1%}"
    mark = "right" if case.actual == case.predicted else "wrong"
    return (
        f"<tr><td class=n>{escape(case.id)}</td><td>{escape(case.actual)}</td>"
        f"<td class={mark}>{escape(case.predicted)}</td>"
        f"{f'<td class=n>{sure}</td>' if is_sure else ''}<td class=n>{case.loss:.3g}</td>"
        f"<td class=text>{case.shown}</td></tr>"
    )


def picture(image: np.ndarray, *, highest: float) -> str:
    """Return an image (C, H, W), 0 to ``highest``, as HTML; small ones are made larger."""
    levels = np.clip(image.astype(float) / max(highest, 1e-9), 0, 1) * 255
    pixels = np.moveaxis(levels, 0, -1) if len(image) == 3 else levels.mean(axis=0)
    drawn = Image.fromarray(pixels.round().astype(np.uint8))
    scale = _SIDE // max(drawn.size)
    if scale > 1:
        drawn = drawn.resize((drawn.width * scale, drawn.height * scale), Image.Resampling.NEAREST)
    drawn.thumbnail((_LARGEST, _LARGEST))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def line(steps: np.ndarray) -> str:
    """Return a sequence (steps, channels) as a small drawing in SVG, the first four channels of it."""
    parts = []
    for color, channel in zip(CYCLE[:_LINES], steps.T[:_LINES], strict=False):
        low, high = float(np.nanmin(channel)), float(np.nanmax(channel))
        share = (channel - low) / (high - low) if high > low else np.full(len(channel), 0.5)
        across = np.linspace(3, _WIDTH - 3, len(channel))
        points = " ".join(
            f"{x:.1f},{_HEIGHT - 3 - y * (_HEIGHT - 6):.1f}"
            for x, y in zip(across, share, strict=True)
            if np.isfinite(y)
        )
        parts.append(f'<polyline fill="none" stroke="{color}" points="{points}"/>')
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}">{"".join(parts)}</svg>'
