import pytest
from tests.synthetic import write_inputs


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return write_inputs(folder, kind="image", task="classification")


@pytest.fixture(scope="session")
def numbers(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("numbers"), kind="table", task="regression")
