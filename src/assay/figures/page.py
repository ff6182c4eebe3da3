"""One page of HTML with all explanations: needs no network, legible in light and dark."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#666;--paper:#fff;--line:#ddd;--card:#f6f6f4;
--up:#b34700;--good:#00664a}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#a5a5a5;--paper:#16181b;--line:#3a3d42;
--card:#202328;--up:#ff9a57;--good:#56d3ab}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:68rem;
margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{margin-top:2.4rem;font-size:1.25rem}
p.lead{color:var(--soft);margin-top:0}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.5rem .8rem .5rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}td.n{white-space:nowrap;font-variant-numeric:tabular-nums}
.good{color:var(--good)}.weak{color:var(--up)}small{color:var(--soft);display:block}
figure{margin:1rem 0;background:#fff;padding:.6rem;border:1px solid var(--line);border-radius:.5rem}
@media(prefers-color-scheme:dark){figure{background:#fff}figure img{filter:none}}
img{max-width:100%;height:auto;display:block;margin:auto}
"""

_ORDER = (
    "importance",
    "errors",
    "summary",
    "dependence",
    "interactions",
    "groups",
    "classes",
    "prototypes",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method's line in the table of scores, all as people read it."""

    method: str
    reason: str
    gain: str
    completeness: str
    infidelity: str
    sensitivity: str
    randomisation: str
    verdict: str
    is_good: bool


_HEADS: Mapping[str, str] = {
    "Method": "and why it was asked",
    "Better than random": "insertion and deletion, 95 % interval; above 0 is better",
    "Adds up": "error as a share of what is explained, where a method claims to",
    "Infidelity": "0 perfect, 1 tells nothing",
    "Holds still": "change when the input changes a little; lower is calmer",
    "Untrained twin": "rank correlation with a model of random weights; lower is better",
    "Verdict": "",
}


def explanation_page(
    path: Path, *, title: str, lead: str, lines: Sequence[Line], pictures: Path, note: str = ""
) -> None:
    """Write the page: the scores of every method, a ``note`` on them, then the pictures of a folder."""
    drawn = sorted(pictures.glob("*.png"))
    whole = sorted((p for p in drawn if not p.name.startswith("row-")), key=_place)
    single = [p for p in drawn if p.name.startswith("row-")]
    parts = [
        f"<h1>{escape(title)}</h1><p class=lead>{escape(lead)}</p>",
        *(["<h2>How far each method can be believed</h2>", _table(lines)] if lines else []),
        *([f"<p>{escape(note)}</p>"] if note else []),
        "<h2>What matters on the whole</h2>",
        *map(_figure, whole),
        *(["<h2>Single predictions</h2>", *map(_figure, single)] if single else []),
    ]
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
        f'content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    )
    path.write_text("\n".join([head, *parts]) + "\n", encoding="utf-8")


def _place(picture: Path) -> tuple[int, str]:
    known = picture.stem in _ORDER
    return _ORDER.index(picture.stem) if known else len(_ORDER), picture.stem


def _table(lines: Sequence[Line]) -> str:
    heads = "".join(f"<th>{h}<small>{note}</small></th>" for h, note in _HEADS.items())
    return f"<table><tr>{heads}</tr>{''.join(map(_row, lines))}</table>"


def _row(line: Line) -> str:
    figures = (line.gain, line.completeness, line.infidelity, line.sensitivity, line.randomisation)
    cells = "".join(f"<td class=n>{escape(figure)}</td>" for figure in figures)
    mark = "good" if line.is_good else "weak"
    return (
        f"<tr><td><b>{escape(line.method)}</b><small>{escape(line.reason)}</small></td>{cells}"
        f"<td class={mark}>{escape(line.verdict)}</td></tr>"
    )


def _figure(picture: Path) -> str:
    data = base64.b64encode(picture.read_bytes()).decode()
    words = escape(picture.stem.replace("-", " "))
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}"></figure>'
