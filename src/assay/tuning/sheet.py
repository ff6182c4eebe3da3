"""A page of interactive figures, whole in one file: it needs no network, and follows light and dark."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any, TypeAlias

from plotly import io
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

Drawn: TypeAlias = tuple[str, str, Any]
"""A heading, how to read the figure, and the figure."""

_COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"]
_STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#666;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#a5a5a5;--paper:#16181b}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;
margin:2rem auto;padding:0 1.2rem}h1{font-size:1.7rem;margin-bottom:.2rem}
h2{margin:2.2rem 0 0;font-size:1.25rem}p{color:var(--soft);margin:0 0 .6rem}
"""
# The library is 5 MB of text and 2 MB packed; browsers unpack it themselves since 2023.
_SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
function look() {
  const chosen = templates[dark.matches ? 1 : 0], paper = dark.matches ? "#16181b" : "#fff";
  return {...chosen, layout: {...chosen.layout, paper_bgcolor: paper, plot_bgcolor: paper}};
}
function draw() {
  figures.forEach((figure, place) => Plotly.react("figure" + place, figure.data,
    {...figure.layout, template: look()}, {responsive: true, displaylogo: false}));
}
async function begin() {
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  draw();
  dark.addEventListener("change", draw);
}
begin().catch(error => document.getElementById("wrong").textContent =
  "This page needs a browser of 2023 or later: " + error);
"""


def sheet(title: str, lead: str, drawn: Sequence[Drawn]) -> str:
    """Return the page of the figures, with the whole of plotly.js packed within it."""
    parts = [
        f"<h2>{escape(heading)}</h2><p>{escape(words)}</p><div id=figure{place}></div>"
        for place, (heading, words, _) in enumerate(drawn)
    ]
    figures = ",".join(_plain(figure) for _, _, figure in drawn)
    themes = [io.templates[name].to_plotly_json() for name in ("plotly_white", "plotly_dark")]
    templates = json.dumps(themes, cls=PlotlyJSONEncoder)
    data = f'const packed="{_packed()}",figures=[{figures}],templates={templates};'
    return "\n".join(
        [
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>",
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1><p>{escape(lead)}</p><p id=wrong></p>",
            *parts,
            f"<script>{data}{_SCRIPT}</script>",
            "",
        ]
    )


def _plain(figure: Any) -> str:
    """Return a figure as JSON that may stand in a script, without its template and title."""
    figure.update_layout(
        template="none", colorway=_COLORS, title=None, margin={"t": 30, "l": 70, "b": 60}
    )
    return str(figure.to_json()).replace("</", "<\\/")


@lru_cache
def _packed() -> str:
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()
