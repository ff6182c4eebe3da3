"""The page of pictures: whole in one file, of whatever trials there are."""

import base64
import gzip
import re

import pytest
from plotly.offline import get_plotlyjs
from tests.tuning.bowl import SPACE, bowl

from assay.tuning.knobs import Search
from assay.tuning.look import page
from assay.tuning.problem import Problem
from assay.tuning.storage import place_of
from assay.tuning.study import Score
from assay.tuning.worker import Studies

ALL = ["History", "What matters", "Slices", "Pairs", "All parameters at once", "Timeline"]


def headings(html):
    return [re.sub(" (of|for) .*", "", heading) for heading in re.findall("<h2>(.*?)</h2>", html)]


@pytest.fixture
def drawn(start, tmp_path):
    def drawn(run=bowl, *, names=("log_loss",), **knobs):
        directions = ("minimize",) * len(names)
        options = {"trials": 8, "pruner": "none", "repeats": 0, **knobs}
        start(run, directions=directions, **options)
        studies = Studies(
            problem=Problem(study="s", space=SPACE, directions=directions),
            knobs=Search(**options),
            place=place_of(tmp_path / "study.db"),
        )
        return page(studies, names=names)

    return drawn


def test_one_file_holds_every_picture_and_asks_no_network(drawn):
    html = drawn()
    assert "<h1>Search: 8 trials, 8 complete</h1>" in html
    assert headings(html) == ALL
    assert not re.search(r"<(script|link)[^>]+(src|href)=", html)
    assert html.count("DecompressionStream") == 1
    packed = re.findall('packed="([^"]+)"', html)
    assert gzip.decompress(base64.b64decode(*packed)).decode() == get_plotlyjs()


def test_several_objectives_have_a_front_and_pictures_of_their_own(drawn):
    html = drawn(
        lambda values, report, number: Score(
            value=bowl(values, report, number), more=(1 / values["model.width"],)
        ),
        names=("log_loss", "parameters"),
    )
    assert headings(html) == ["Pareto front", *ALL[:-1], *ALL[:-1], "Timeline"]
    assert "Slices of parameters" in html


def test_pictures_for_which_there_are_too_few_trials_are_left_away(drawn):
    html = drawn(trials=1)
    assert headings(html) == ["History", "Timeline"]
