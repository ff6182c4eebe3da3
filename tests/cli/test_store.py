"""What is put away for a data set is taken back, and what fails is said, when it cannot be."""

from pathlib import Path

import pytest

from assay.cli.store import undone_on_failure
from assay.errors import ArtifactError


def test_what_cannot_be_removed_does_not_hide_what_went_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    new = tmp_path / "new"
    refused = pytest.raises(ArtifactError, match="no room")
    with refused, undone_on_failure(tmp_path / "file" / "below", new):
        new.write_text("")
        raise ArtifactError("no room")
    assert not new.exists()
