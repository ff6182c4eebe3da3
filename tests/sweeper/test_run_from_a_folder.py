"""``assay run`` called in a folder of the project finds the project's data, and what lies there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.sweeper.conftest import QUICK, Assay


@pytest.mark.parametrize("path", ["rows.csv", "data/rows.csv"])
def test_a_path_is_of_the_project_or_of_the_folder_at_hand(
    run: Assay, project: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    values = np.random.default_rng(0).normal(size=(60, 2))
    (project / "data").mkdir(exist_ok=True)
    pd.DataFrame(values, columns=["x", "y"]).to_csv(project / "data" / "rows.csv", index=False)
    monkeypatch.chdir(project / "data")
    (found,) = run("data=csv", f"data.path={path}", "data.target=y", *QUICK)
    assert found.data.params["data.path"] == "data/rows.csv"
    assert Path.cwd() == project / "data" and not Path("outputs").exists()
