"""The project and the store that the tables of bad input use."""

from tests.bad_input.conftest import empty_store as empty_store
from tests.bad_input.conftest import place as place
