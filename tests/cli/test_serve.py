"""``assay serve``: real servers on 127.0.0.1, asked with the very lines that it prints."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from tests.cli.conftest import changed

from assay.cli.serve import _without_nan
from assay.tracking.registry import resolve
from assay.tracking.server import free_port

MAIN = "from assay.cli.main import main; main()"
READY = "Ctrl-C ends it"
ROWS = [{"size": 2.0, "colour": "red"}, {"size": -3.0, "colour": "blue"}]


class Served:
    """``assay serve`` in a process of its own, whose scratch folder is watched."""

    def __init__(self, model, *, home, scratch):
        self.port, self.scratch = free_port(), scratch
        scratch.mkdir()
        env = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", model, "--port", str(self.port)],
            env={**env, "ASSAY_HOME": str(home), "TMPDIR": str(scratch)},
            cwd=scratch.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = []

    def until(self, word):
        for line in self.process.stdout:
            self.said.append(line.strip())
            if word in line:
                return self
        raise AssertionError(f"ended before it said '{word}': {self.said}")

    def line(self, word):
        (line,) = (line for line in self.said if line.startswith(word))
        return line

    def ask(self, payload, *, form="application/json"):
        """Return the status and the answer to a request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/invocations",
            (payload if form == "text/csv" else json.dumps(payload)).encode(),
            {"Content-Type": form},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def end(self, number, *, status):
        """Send a signal, and see that nothing of it is left."""
        begun = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        assert self.process.wait(30) == status
        assert begun
        assert not psutil.wait_procs(begun, timeout=5)[1]
        assert not list(self.scratch.iterdir())


@contextmanager
def ended(served):
    """End what a failed test would leave."""
    try:
        yield served
    finally:
        with suppress(psutil.NoSuchProcess):
            served.process.terminate()
            served.process.wait(30)


@pytest.fixture(scope="module")
def servers(home, tmp_path_factory):
    """Servers of tables, images and texts, started at once, ended by Ctrl-C and by SIGTERM."""
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack:
        flowers, pictures, reviews = (
            stack.enter_context(ended(Served(model, home=home, scratch=folder / str(at))))
            for at, model in enumerate(("flowers", "models:/pictures/1", "reviews"))
        )
        yield flowers.until(READY), pictures.until(READY), reviews.until(READY)
        flowers.end(signal.SIGINT, status=130)
        pictures.end(signal.SIGTERM, status=143)
        reviews.end(signal.SIGINT, status=130)


@pytest.fixture
def flowers(servers):
    return servers[0]


@pytest.fixture
def pictures(servers):
    return servers[1]


@pytest.fixture
def reviews(servers):
    return servers[2]


def run(line, folder):
    answer = subprocess.run(line, shell=True, cwd=folder, capture_output=True, timeout=30)
    return json.loads(answer.stdout)["predictions"]


@pytest.mark.usefixtures("assay")
def test_it_says_what_answers_where(flowers):
    manifest = resolve("models:/flowers/1").tags["manifest_digest"][:12]
    assert flowers.line("models:/flowers@champion") == (
        f"models:/flowers@champion: version 1 (manifest {manifest}) "
        f"answers at http://127.0.0.1:{flowers.port}/invocations"
    )


def test_the_line_that_it_prints_works_as_it_stands(flowers, pictures, reviews, tmp_path):
    assert run(flowers.line("curl"), tmp_path)["prediction"] == ["yes"]
    assert run(pictures.line("curl"), tmp_path) == {"prediction": [0.0]}
    assert run(reviews.line("curl"), tmp_path) == {"prediction": [205.0]}
    assert '[{"review": "fine dull"}]' in reviews.line("curl")


def test_what_is_missing_in_the_row_that_it_prints_is_null():
    assert _without_nan({"rows": [{"size": float("nan"), "steps": [[1.0, float("nan")]]}]}) == {
        "rows": [{"size": None, "steps": [[1.0, None]]}]
    }


def test_its_answers_are_those_of_predict(flowers, assay):
    rows = [*ROWS, {"size": None, "colour": "red"}, {"size": 0.5, "colour": None}]
    pd.DataFrame(rows).to_csv("in.csv", index=False)
    assert assay("predict", "flowers@champion", "in.csv", "-o", "out.csv")[0] == 1
    assert assay("predict", "models:/flowers@champion", "in.csv", "-o", "out.csv")[0] == 0
    scored = pd.read_csv("out.csv")
    probability = scored[["probability_no", "probability_yes"]].to_numpy(np.float32)
    for asked in (
        flowers.ask({"dataframe_records": rows}),
        flowers.ask({"inputs": {name: [row[name] for row in rows] for name in rows[0]}}),
        flowers.ask(Path("in.csv").read_text(), form="text/csv"),
    ):
        status, answer = asked
        assert status == 200
        served = answer["predictions"]
        assert served["prediction"] == list(scored.prediction)
        np.testing.assert_array_equal(np.float32(served["probability"]), probability)


def test_texts_are_sent_as_texts(reviews, assay):
    texts = ["Great, fine!", None, "dull dull dull great great"]
    pd.DataFrame({"review": texts}).to_csv("in.csv", index=False)
    assert assay("predict", "models:/reviews/1", "in.csv", "-o", "out.csv")[0] == 0
    expected = [409, 101, 410]  # ids 2 dull, 3 fine, 4 great, 1 for what is unknown; four at most
    assert list(pd.read_csv("out.csv").prediction) == expected
    for payload in (
        {"dataframe_records": [{"review": text} for text in texts]},
        {"inputs": {"tokens": [[4, 1, 3, 1], [1, 0, 0, 0], [2, 2, 2, 4]], "lengths": [4, 1, 4]}},
    ):
        status, answer = reviews.ask(payload)
        assert (status, answer["predictions"]["prediction"]) == (200, expected)


def test_an_array_of_images_is_sent_as_it_says(pictures, assay):
    np.save("images.npy", np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2))
    assert assay("predict", "models:/pictures/1", "images.npy", "-o", "out.csv")[0] == 0
    asked = run(pictures.line("python").replace("python", sys.executable, 1), Path.cwd())
    assert asked["prediction"] == list(pd.read_csv("out.csv").prediction) == [6, 22, 38]


def test_a_request_that_does_not_fit_is_told_what_is_wrong(flowers):
    status, answer = flowers.ask({"dataframe_records": [{"size": 2.0}]})
    assert (status, "column 'colour' is missing" in answer["message"]) == (400, True)
    status, answer = flowers.ask({"dataframe_records": [{**ROWS[0], "size": "big"}]})
    assert (status, "column 'size', row 0: expected a number" in answer["message"]) == (400, True)
    assert flowers.ask({"dataframe_records": ROWS})[0] == 200


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["flowres"], "did you mean 'flowers'"),
        (["models:/flowers/9"], "no version 9"),
        (["flowers", "--host", "192.0.2.1"], "cannot listen on the host '192.0.2.1'"),
        (["flowers", "--host", "a..b"], "cannot listen on the host 'a..b'"),
    ],
)
def test_what_cannot_be_served_is_one_message(assay, words, told):
    status, _, noted = assay("serve", *words, "--port", free_port())
    assert status == 1
    assert told in noted
    assert "Traceback" not in noted


def test_a_port_that_is_taken(assay, flowers):
    status, _, noted = assay("serve", "models:/pictures/1", "--port", flowers.port)
    assert status == 1
    assert f"port {flowers.port} of 127.0.0.1 cannot be used" in noted
    assert "--port" in noted


def test_damaged_files_are_not_served(assay, home):
    with changed(home, "models:/flowers/1"):
        status, said, noted = assay("serve", "flowers", "--port", free_port())
    assert (status, said) == (1, "")
    assert "models:/flowers/1: model.onnx was changed" in noted


def test_a_server_that_dies_is_told(home, tmp_path):
    with ended(Served("flowers", home=home, scratch=tmp_path / "scratch")) as served:
        served.until("starting")
        while not (begun := psutil.Process(served.process.pid).children()):
            time.sleep(0.01)
        begun[0].kill()
        assert served.process.wait(30) == 1
        assert not list(served.scratch.iterdir())


def test_a_signal_while_it_starts_leaves_nothing(home, tmp_path):
    with ended(Served("flowers", home=home, scratch=tmp_path / "scratch")) as served:
        served.until("starting")
        while not psutil.Process(served.process.pid).children():
            time.sleep(0.01)
        served.end(signal.SIGTERM, status=143)
