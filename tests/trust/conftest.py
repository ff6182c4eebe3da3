"""The project and the store that the tables of bad input use, and what a trap would leave."""

from pathlib import Path

import pytest
from tests.bad_input.conftest import empty_store as empty_store
from tests.bad_input.conftest import place as place


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is made only where a trap was sprung."""
    return tmp_path / "canary"
