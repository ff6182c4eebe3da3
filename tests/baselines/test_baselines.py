"""Baselines answer for every row, on any data, and the words about them are true."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from tests.synthetic import write_inputs

from assay.baselines.features import features, training_rows
from assay.baselines.fit import fit_baselines
from assay.baselines.models import BASELINES
from assay.baselines.verdict import compare
from assay.data.prepared import Split
from assay.data.raw import Raw, Roles
from assay.data.spec import read_spec
from assay.data.text_csv import TextCsv
from assay.metrics.intervals import resample
from assay.metrics.knobs import Evaluate
from assay.split.learn import learn
from assay.split.prepare import prepare
from assay.split.write import write_split

KNOBS = Evaluate(resamples=200)


def _prepared(folder, frame, *, task, images=None):
    raw = Raw(frame=frame, roles=Roles(target="y"), task=task, images=images)
    rows = np.arange(len(frame))
    spec = learn(raw, train=rows[::2], task=task)
    for name, part in (("train", rows[::2]), ("test", rows[1::2])):
        write_split(raw, rows=part, spec=spec, folder=folder / name)
    return Split(folder / "train"), Split(folder / "test"), spec


def _table(rows=400):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    city = rng.choice(["a", "b", "c"], rows)
    gaps = rng.random(rows) < 0.1
    return pd.DataFrame({"x": np.where(gaps, np.nan, x), "city": city, "z": rng.normal(size=rows)})


def _fit(train, test, spec, **changes):
    knobs = {"most_rows": 50_000, "seed": 0, "threads": 1, **changes}
    return fit_baselines(train, test, spec=spec, **knobs)


@pytest.fixture
def classes(tmp_path):
    frame = _table()
    frame["y"] = np.where((frame["x"].fillna(0) > 0) ^ (frame["city"] == "a"), "yes", "no")
    return _prepared(tmp_path, frame, task="classification")


def test_every_baseline_gives_probabilities_for_every_row(classes):
    train, test, spec = classes
    found = _fit(train, test, spec)
    assert (
        list(found)
        == [n for n, b in BASELINES.items() if "table" in b.kinds]
        == ["trivial", "linear", "boosting"]
    )
    for answer in found.values():
        assert answer.output.shape == (len(test), 2)
        np.testing.assert_allclose(answer.output.sum(1), 1, atol=1e-6)
        assert answer.rows == len(train) and answer.note == ""
    losses = [log_loss(test.target, found[name].output) for name in found]
    assert losses[2] < losses[1] < losses[0] + 0.02  # an exclusive or is no line


def test_regression_baselines(tmp_path):
    frame = _table()
    frame["y"] = 3 * frame["x"].fillna(0) + (frame["city"] == "b") * 2 + 100
    train, test, spec = _prepared(tmp_path, frame, task="regression")
    found = _fit(train, test, spec)
    assert found["trivial"].output == pytest.approx(np.full(len(test), train.target.mean()))
    assert np.abs(found["linear"].output - test.target).mean() < 0.2


def test_images_are_flattened_and_large_ones_made_smaller(tmp_path):
    rng = np.random.default_rng(0)
    label = np.arange(60) // 2 % 2
    images = rng.integers(0, 50, (60, 3, 80, 64), dtype=np.uint8)
    images[label == 1, :, :40] += 200
    frame = pd.DataFrame({"y": label})
    train, test, spec = _prepared(tmp_path, frame, task="classification", images=images)
    found = _fit(train, test, spec)
    assert list(found) == ["trivial", "linear"]
    assert (found["linear"].output.argmax(1) == test.target).all()
    matrix = features(train, np.arange(3), spec=spec).matrix
    assert matrix.shape == (3, 3 * 26 * 32)
    first = train.inputs["image"].gather(np.arange(1))[0]
    assert matrix[0, 0] == pytest.approx(first[0, :3, :2].mean())


def test_a_class_that_the_drawn_rows_lack_gets_no_probability(tmp_path):
    frame = _table(60)
    frame["y"] = np.r_[["rare"], np.repeat(["a", "b"], 30)[:59]]
    train, test, spec = _prepared(tmp_path, frame, task="classification")
    found = _fit(train, test, spec, most_rows=20, seed=1)
    assert all(answer.rows == 20 for answer in found.values())
    assert all(answer.output.shape == (30, 3) for answer in found.values())


def test_large_data_is_drawn_from_and_the_note_says_so(classes):
    train, _, spec = classes
    rows, note = training_rows(train, spec=spec, most=50, seed=0)
    assert len(rows) == len(set(rows)) == 50
    assert note == "fitted on 50 of 200 training rows, drawn at random"
    assert training_rows(train, spec=spec, most=50, seed=0)[0].tolist() == rows.tolist()


def _scores(error, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=300)
    noise = np.random.default_rng(1).normal(size=300)
    return resample("regression", target=target, output=target + error * noise, knobs=KNOBS)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (1.0, 0.5, r"loses on rmse \(0\.\d+ against 0\.\d+, difference \+"),
        (0.5, 1.0, r"wins on rmse .*, mae"),
        (0.5, 0.5, "does not differ beyond chance on rmse"),
    ],
)
def test_the_verdict_is_said_in_words(ours, theirs, words):
    verdict = compare("regression", model=_scores(ours), baseline=_scores(theirs), name="linear")
    assert "beside the linear baseline" in verdict
    assert re.search(words, verdict)


def test_being_behind_within_chance_is_said_too():
    target = np.random.default_rng(0).normal(size=40)
    rng = np.random.default_rng(1)
    ours, theirs = (
        resample("regression", target=target, output=target + s * rng.normal(size=40), knobs=KNOBS)
        for s in (1.05, 1.0)
    )
    if ours.values["rmse"] < theirs.values["rmse"]:
        ours, theirs = theirs, ours
    verdict = compare("regression", model=ours, baseline=theirs, name="linear")
    assert "is behind, though not beyond chance, on rmse" in verdict


def test_neither_torch_nor_matplotlib_is_imported():
    code = "import sys, assay.baselines.fit, assay.baselines.verdict; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"torch", "matplotlib", "pytorch_lightning"} & set(loaded.split())


def test_texts_are_weighed_by_their_words(tmp_path):
    inputs = write_inputs(tmp_path, kind="text", task="classification")
    found = _fit(inputs.train, inputs.valid, inputs.spec)
    assert list(found) == ["trivial", "words"]
    assert (found["words"].output.argmax(1) == inputs.valid.target).mean() > 0.9


def test_texts_with_several_labels_have_their_words_weighed_label_by_label(tmp_path):
    said = {"red": "it is ripe", "green": "it is young"}
    texts = [["red"], ["green"], ["red", "green"], []] * 30
    rows = [
        (" ".join(said[one] for one in labels) or "nothing", " ".join(labels)) for labels in texts
    ]
    pd.DataFrame(rows, columns=["text", "y"]).to_csv(tmp_path / "texts.csv", index=False)
    data = TextCsv(path=str(tmp_path / "texts.csv"), target="y", label_separator=" ")
    prepare(data, folder=tmp_path)
    test, spec = Split(tmp_path / "test"), read_spec(tmp_path / "spec.json")
    found = _fit(Split(tmp_path / "train"), test, spec)
    assert list(found) == ["trivial", "words"] and "label by label" in found["words"].about
    assert ((found["words"].output > 0.5) == test.target).all()
