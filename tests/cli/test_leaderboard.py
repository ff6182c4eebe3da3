"""The table at the end of a sweep, on a real store."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from assay.cli.leaderboard import OBJECTIVE, best_first, best_job, leaderboard
from assay.tracking.explore import explore_run, sweep_run
from assay.tracking.find import Found, find_run

Job = tuple[str, int, float]
SEEDS = [
    *(("model=mlp data=digits", seed, 0.50 + 0.01 * seed) for seed in (2, 0, 1)),
    *(("model=cnn data=digits", seed, 0.30 + 0.10 * seed) for seed in (0, 1, 2)),
    *(("model=gru data=digits", seed, 0.70 + 0.01 * seed) for seed in (0, 1, 2)),
]
CLOSE = [
    *(("model=mlp data=digits", seed, 0.30 + 0.02 * seed) for seed in (0, 1, 2)),
    *(("model=cnn data=digits", seed, 0.35 + 0.05 * seed) for seed in (0, 1, 2)),
]
LONG = [("model=transformer", seed, 0.60521 + 0.0131 * seed) for seed in (0, 1, 2)]
LONG += [("model=mlp", seed, 0.69073 + 0.0177 * seed) for seed in (0, 1, 2)]
SPLIT = "data.split.seed"
PLAIN = [("training.lr=0.1", 0, 0.5), ("training.lr=0.2", 0, 0.3)]


@pytest.fixture
def swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[Found, str]]]:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def sweep(
        jobs: list[Job], *, direction: str = "minimize", by: str = "seed"
    ) -> tuple[Found, str]:
        with sweep_run(name="sweep") as parent:
            for words, seed, value in jobs:
                split = {"seed": seed if by == SPLIT else 0, "valid": 0.15, "test": 0.2}
                config = {"words": words, "data": {"split": split}}
                config["seed"] = seed if by == "seed" else 0
                with explore_run(name=f"{words} {by}={seed}", parent=None, config=config) as run:
                    costs = {"fit_seconds": 2.0, "parameters": 26634.0}
                    costs["milliseconds_per_prediction"] = 0.25
                    metrics = {OBJECTIVE: value, "best_valid_accuracy": 1 - value / 2}
                    run.log_metrics({**metrics, **costs})
                    run.set_tags({OBJECTIVE: "log_loss", "direction": direction})
            leaderboard(parent)
        return find_run(parent.run_id), capsys.readouterr().out

    yield sweep


def test_jobs_that_differ_in_their_seed_alone_are_one_row(swept) -> None:
    sweep, shown = swept(SEEDS)
    lines = [line for line in shown.splitlines() if line.startswith(("  mlp", "  cnn", "  gru"))]
    assert [line.split()[0] for line in lines] == ["cnn", "mlp", "gru"]
    assert [line.split()[1] for line in lines[:2]] == ["best", "tied"]
    assert "0.4 ± 0.25" in lines[0] and "26 634" in lines[0] and "0.25" in lines[0]
    assert "tied" not in lines[2]
    assert "all with data=digits" in shown and "over 3 seeds" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert sweep.metrics[OBJECTIVE] == pytest.approx(0.4)


def test_a_score_stands_in_one_line_with_its_interval(swept) -> None:
    _, shown = swept(LONG)
    (line,) = [line for line in shown.splitlines() if "transformer" in line]
    assert "0.6183 ± 0.033" in line and "0.6908 ± 0.016" in line
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_the_table_is_in_mlflow_as_numbers(swept) -> None:
    sweep, _ = swept(SEEDS)
    table = pd.read_csv(io.StringIO(sweep.text("leaderboard.csv")), keep_default_na=False)
    assert list(table["verdict"]) == ["best", "tied", ""]
    assert list(table["seeds"]) == [3, 3, 3]
    assert all(len(runs.split()) == 3 for runs in table["runs"])
    assert table["margin"][0] == pytest.approx(0.2484, abs=1e-3)


def test_no_seed_is_kept_for_its_score(swept) -> None:
    sweep, _ = swept(SEEDS, direction="maximize")
    assert [row.name.split()[0] for row in best_first(sweep)] == [
        "model=gru",
        "model=mlp",
        "model=cnn",
    ]
    job = best_job(sweep)
    assert job.params["seed"] == "0" and "gru" in job.name
    assert sweep.tags["best_run"] == job.run_id


def test_splits_share_training_rows_and_tell_less_than_seeds(swept) -> None:
    _, by_seed = swept(CLOSE)
    _, by_split = swept(CLOSE, by=SPLIT)
    assert "over 3 seeds" in by_seed
    assert "over 3 splits" in by_split and "are widened" in by_split
    of_cnn = [
        next(line for line in shown.splitlines() if line.startswith("  cnn"))
        for shown in (by_seed, by_split)
    ]
    assert ["tied" in line for line in of_cnn] == [False, True]


def test_jobs_without_seeds_are_rows_of_their_own_with_their_runs(swept) -> None:
    sweep, shown = swept(PLAIN)
    assert "0.3" in shown.split("0.5")[0]
    assert all(row.jobs[0].run_id[:8] in shown for row in best_first(sweep))
    assert "±" not in shown and "tied" not in shown
