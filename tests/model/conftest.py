import pytest


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory):
    """Keep what models are built on out of the project's own home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield
