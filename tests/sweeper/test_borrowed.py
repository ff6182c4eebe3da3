"""A search over a model that builds on files by address: the files count, not the address."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.sweeper.conftest import Assay
from tests.tiny import of_the_hub

SWEEP = (
    *("-m", "hydra/sweeper=assay", "data=digits", "model=pretrained", "model.source=trunk"),
    *("training.max_epochs=1", "training.limit_batches=1", "training.threads=1"),
    *("search.repeats=0", "training.lr=tag(log, interval(1e-4, 1e-1))"),
)


def test_other_files_behind_an_address_begin_another_study(run: Assay, project: Path) -> None:
    of_the_hub("resnet", project / "trunk")
    first, *before = run(*SWEEP, "hydra.sweeper.n_trials=1")
    assert not run(*SWEEP, "hydra.sweeper.n_trials=1"), "the same files are the same study"
    shutil.rmtree(project / "trunk")
    of_the_hub("resnet", project / "trunk", seed=1)
    other, *after = run(*SWEEP, "hydra.sweeper.n_trials=1")
    assert other.data.tags["study"] != first.data.tags["study"]
    digests = [trial.data.params["model.digest"] for trial in (*before, *after)]
    assert len(digests) == len(set(digests)) == 2
