import pandas as pd
import pytest

from assay.data.ragged import Ragged
from assay.data.tags_csv import TagsCsv
from assay.errors import DataError

LINES = [("s1", "Ada", "B-PER"), ("s1", "Lovelace", "I-PER"), ("s2", "in", "O")]
LINES += [("s2", "New York", "B-LOC"), ("s1", "wrote", "O")]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "names.csv"
    pd.DataFrame(LINES, columns=["sentence", "token", "tag"]).to_csv(path, index=False)
    return path


def test_lines_of_a_sentence_are_put_together(file):
    raw = TagsCsv(path=str(file)).read()
    assert raw.frame["text"].tolist() == ["Ada Lovelace wrote", "in New_York"]
    assert isinstance(raw.targets, Ragged)
    assert raw.targets.row(0).tolist() == ["B-PER", "I-PER", "O"]
    assert raw.targets.row(1).tolist() == ["O", "B-LOC"]


@pytest.mark.parametrize("column", ["token", "tag", "sentence"])
def test_a_line_that_lacks_something_is_named(file, column):
    frame = pd.read_csv(file)
    frame.loc[2, column] = None
    frame.to_csv(file, index=False)
    with pytest.raises(DataError, match=f"column '{column}', row 3 below the header"):
        TagsCsv(path=str(file)).read()
