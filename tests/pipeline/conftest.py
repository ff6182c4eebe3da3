import pytest
from tests.synthetic import write_inputs


@pytest.fixture(scope="session", params=["classification", "regression"])
def inputs(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return write_inputs(folder, kind="table", task=request.param)
