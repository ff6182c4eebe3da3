"""A search over ``bowl``, in a file of studies of its own."""

import shutil
from contextlib import nullcontext

import pytest
from tests.tuning.bowl import SPACE, bowl

from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.storage import open_storage, place_of
from assay.tuning.study import Score, search


@pytest.fixture(scope="session")
def no_studies(tmp_path_factory):
    """A file without studies, which takes a while to make."""
    path = tmp_path_factory.mktemp("studies") / "study.db"
    open_storage(place_of(path)).engine.dispose()
    return path


@pytest.fixture
def start(tmp_path, no_studies):
    """Start a search of ``bowl``, or of another function of values, report and number."""
    shutil.copy(no_studies, tmp_path / "study.db")

    def start(run=bowl, **knobs):
        storage = knobs.pop("storage", tmp_path / "study.db")
        options = {"study": "s", "space": SPACE}
        for key in ("study", "space", "seed", "draw_seed", "known", "warm", "directions", "facts"):
            if key in knobs:
                options[key] = knobs.pop(key)

        def scored(draw, report):
            found = run(draw.values, report, draw.number)
            return found if isinstance(found, Score) else Score(value=found)

        return search(
            lambda share: nullcontext(scored),
            problem=Problem(**options),
            knobs=Search(**{"pruner": "none", "trials": 8, "repeats": 0, **knobs}),
            storage=storage,
        )

    return start
