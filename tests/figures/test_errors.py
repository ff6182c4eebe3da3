"""The page of errors: pictures, lines and texts, with everything escaped."""

import base64
import io
import re

import numpy as np
from PIL import Image

from assay.figures.errors import Case, Pair, Section, error_page, line, picture


def test_pictures_keep_their_levels_and_small_ones_are_made_larger():
    image = np.array([[[0, 8], [16, 16]]], np.uint8)
    (data,) = re.findall('base64,([^"]+)', picture(image, highest=16))
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert drawn.shape == (56, 56)
    assert (drawn[0, 0], drawn[0, -1], drawn[-1, 0]) == (0, 128, 255)
    large = picture(np.zeros((3, 300, 200), np.uint8), highest=255)
    (data,) = re.findall('base64,([^"]+)', large)
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (64, 96)


def test_a_line_leaves_out_what_is_missing_and_holds_still_where_nothing_moves():
    drawn = line(np.array([[0.0, 1.0], [np.nan, 1.0], [2.0, 1.0]]))
    first, second = re.findall('points="([^"]*)"', drawn)
    assert len(first.split()) == 2 and len(second.split()) == 3
    assert {point.split(",")[1] for point in second.split()} == {"28.0"}


def test_the_page_shows_cases_and_pairs_and_trusts_no_text(tmp_path):
    case = Case(id="3", actual="<b>", predicted="x", loss=1.5, confidence=0.9, shown="<i>ok</i>")
    section = Section(heading="The worst", lead="a & b", cases=[case])
    none = Section(heading="Wrong", lead="", cases=[])
    pair = Pair(actual="a", predicted="<b>", rows=3, share=0.5, shown="")
    path = tmp_path / "errors.html"
    error_page(path, title="T", lead="L", sections=[section, none], pairs=[pair])
    page = path.read_text()
    assert "&lt;b&gt;" in page and "<td><b>" not in page and "a &amp; b" in page
    assert "<i>ok</i>" in page and "90.0%" in page and "50.0%" in page and "None." in page
    assert "http" not in page
