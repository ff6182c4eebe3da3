import numpy as np
import pytest

from assay.data.prepared import IGNORED
from assay.metrics.scores import score
from assay.metrics.spans import is_bio, spans

TAGS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", set()),
        ("B-PER I-PER O", {(0, 2, "PER")}),
        ("B-PER B-PER", {(0, 1, "PER"), (1, 2, "PER")}),
        ("B-PER I-LOC I-LOC", {(0, 1, "PER"), (1, 3, "LOC")}),
        ("I-LOC O I-LOC", {(0, 1, "LOC"), (2, 3, "LOC")}),
        ("", set()),
    ],
)
def test_spans_begin_and_end_where_the_tags_say(tags, expected):
    assert spans(tags.split()) == expected


def test_only_tags_that_mark_spans_are_bio():
    assert is_bio(TAGS)
    assert not is_bio(("noun", "verb"))
    assert not is_bio(("O", "I-PER"))
    assert not is_bio((*TAGS, "noun"))


def test_a_span_counts_when_both_ends_and_the_name_are_right():
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "I-LOC"]]
    target = np.full((2, 4), IGNORED)
    output = np.full((2, 4, 5), 0.1)
    for row, (tags, ours) in enumerate(zip(true, found, strict=True)):
        target[row, : len(tags)] = [TAGS.index(tag) for tag in tags]
        output[row, range(len(ours)), [TAGS.index(tag) for tag in ours]] = 0.6
    metrics = score("tagging", target=target, output=output, classes=TAGS)
    assert metrics["span_precision"] == pytest.approx(1 / 3)
    assert metrics["span_recall"] == pytest.approx(1 / 3)
    assert metrics["span_f1"] == pytest.approx(1 / 3)
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert "span_f1" not in score("tagging", target=target, output=output)
