"""The block that is kept for a last word asks nothing of a disk that takes nothing."""

from pathlib import Path

from assay.tracking.last_word import LastWord


def test_where_there_is_no_room_for_it_nothing_is_given_back(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file, so that no folder can be made")
    word = LastWord(tmp_path / "spool")
    assert not word.say({})
    word.release()
