"""Proof that no trial of a search is lost or run twice: SIGKILL of its processes, and a count at the end.

Run: ``python benchmarks/search_kill.py [--door engine|sweep] [--kills 25] [--trials 40] [--workers 3]
[--every 3] [--seed 0]``. A search runs in a process of its own, with its workers below it: of cheap
tracked trials, or through the door of the sweeper, ``assay run -m hydra/sweeper=assay`` on digits. At
random moments at which a trial is running, one of these processes is killed: a worker, or, with every
third kill (``--every``), the search, which is then started again. In the end exactly so many trials
must have finished, none twice, none may be RUNNING, and MLflow must have exactly one ended run for
each trial, and through the sweeper one ended run above them all. Exit status 1 where not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from assay.space import Interval
from assay.tracking.resume import TRIAL, child_run
from assay.tracking.run import joined_run, stage_run
from assay.tracking.store import open_store
from assay.tracking.tracked import KIND
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.share import Share
from assay.tuning.study import search
from assay.tuning.trial import Draw, Pruned, Report, Score, TrialFunction

STUDY, EPOCHS = "kill", 5
LONGEST_SECONDS = 3600
ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("conf", "params.yaml", "dvc.yaml")


@dataclass(frozen=True, kw_only=True)
class Work:
    """Trials that sleep through their epochs, each in a tracked run of its own."""

    run_id: str
    seconds: float

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""
        with joined_run(self.run_id) as above:

            def run(draw: Draw, report: Report) -> Score:
                key = f"{STUDY} {draw.number} {draw.repeat}"
                with child_run(
                    above,
                    f"trial {draw.number}",
                    key=key,
                    is_new=draw.attempt == 0,
                    pruned_by=(Pruned,),
                ) as child:
                    x = float(draw.values["x"] or 0)
                    for epoch in range(1, EPOCHS + 1):
                        time.sleep(self.seconds * (0.5 + x) / EPOCHS)
                        child.log_metrics({"loss": x / epoch}, step=epoch)
                        report(epoch, x / epoch)
                return Score(value=x)

            yield run


def main() -> None:
    """Kill a search so often, and print what was left of it."""
    arguments = parsed()
    if arguments.driver:
        drive(arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSAY_HOME"] = folder
        for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
            os.environ.pop(name, None)
        if arguments.door == "sweep":
            make_project(Path(folder, "project"))
        kills, seconds = killed(arguments, Path(folder))
        wrong = found(Path(folder), arguments)
    told = ", ".join(f"{who} {count} times" for who, count in sorted(kills.items()))
    print(f"{sum(kills.values())} kills at running trials ({told}) in {seconds:.0f} s")
    print("; ".join(wrong) or f"{arguments.trials} trials finished, each once and in one run")
    sys.exit(1 if wrong else 0)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=("engine", "sweep"), default="engine")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--every", type=int, default=3, help="so many kills, one is of the search")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a trial, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--driver", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def drive(arguments: argparse.Namespace) -> None:
    """Run the search itself."""
    folder = Path(os.environ["ASSAY_HOME"])
    with stage_run("search", folder=folder) as tracked:
        search(
            Work(run_id=tracked.run_id, seconds=arguments.seconds),
            problem=Problem(study=STUDY, space={"x": Interval(low=0, high=1)}),
            knobs=Search(
                trials=arguments.trials,
                workers=arguments.workers,
                repeats=0,
                retries=arguments.kills,
            ),
            storage=folder / "study.db",
        )


def make_project(folder: Path) -> None:
    """Copy what makes a project, without its code."""
    folder.mkdir()
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)


def sweep_words(arguments: argparse.Namespace) -> list[str]:
    """Return the words of the command line that searches through the sweeper."""
    return [
        *("run", "-m", "hydra/sweeper=assay", "data=digits", "model=mlp", "training.threads=1"),
        *("training.max_epochs=24", "training.early_stopping.patience=null", "search.repeats=0"),
        *("training.lr=tag(log, interval(1e-4, 1e-1))", "model.width=interval(8, 64)"),
        f"hydra.sweeper.n_trials={arguments.trials}",
        f"hydra.sweeper.n_jobs={arguments.workers}",
        f"hydra.sweeper.retries={arguments.kills}",
    ]


def killed(arguments: argparse.Namespace, folder: Path) -> tuple[Counter[str], float]:
    """Kill and start again, then let the search come to its end; who was killed, and seconds."""
    rng, kills, begun = random.Random(arguments.seed), Counter[str](), time.monotonic()
    driver = started(arguments)
    while driver.poll() is None:
        time.sleep(0.02)
        if time.monotonic() - begun > LONGEST_SECONDS:
            driver.kill()
            sys.exit(f"the search did not end in {LONGEST_SECONDS} s")
        if sum(kills.values()) == arguments.kills or not at_work(folder, driver.pid):
            continue
        time.sleep(rng.uniform(0, 1.2 * arguments.seconds))
        if not (victims := at_work(folder, driver.pid)):
            continue
        if (sum(kills.values()) + 1) % arguments.every == 0:
            driver.kill()
            driver.wait()
            driver = started(arguments)
            kills["the search"] += 1
        else:
            os.kill(rng.choice(victims), signal.SIGKILL)
            kills["a worker"] += 1
    if driver.returncode:
        sys.exit(f"the search failed:\n{(folder / 'output.log').read_text()[-3000:]}")
    return kills, time.monotonic() - begun


def started(arguments: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start the search, through the door that is asked for."""
    folder = Path(os.environ["ASSAY_HOME"])
    command = [sys.executable, str(Path(sys.argv[0]).resolve()), *sys.argv[1:], "--driver"]
    if arguments.door == "sweep":
        program = "from assay.cli.main import main; main()"
        command = [sys.executable, "-c", program, *sweep_words(arguments)]
    place = folder / "project" if arguments.door == "sweep" else folder
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=place)


def at_work(folder: Path, driver: int) -> list[int]:
    """Return the processes below the search that are at a trial at this moment."""
    if not (file := folder / "study.db").exists():
        return []
    query = (
        "SELECT value_json FROM trials JOIN trial_user_attributes USING (trial_id) "
        "WHERE state = 'RUNNING' AND key = 'process'"
    )
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
        running = {int(row[0].split(":")[1]) for row in database.execute(query)}
    try:
        below = psutil.Process(driver).children()
        alive = {child.pid for child in below if child.status() != psutil.STATUS_ZOMBIE}
        return sorted(running & alive)
    except psutil.NoSuchProcess:
        return []


def found(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """Say what is not as it should be, in the study and in MLflow."""
    query = (
        "SELECT value_json, state FROM trials JOIN trial_user_attributes USING (trial_id) "
        "WHERE key = 'number'"
    )
    with closing(sqlite3.connect(folder / "study.db")) as database:
        attempts = database.execute(query).fetchall()
    ended = Counter(number for number, state in attempts if state in ("COMPLETE", "PRUNED"))
    wrong = [] if set(ended) == {str(n) for n in range(arguments.trials)} else [f"ended: {ended}"]
    wrong += [f"trial {number} ended {n} times" for number, n in ended.items() if n > 1]
    wrong += [f"trial {number} is {s}" for number, s in attempts if s in ("RUNNING", "WAITING")]
    store = open_store()
    query = f"tags.`{TRIAL}` != ''"
    runs = store.client.search_runs([store.experiment_id], query, max_results=5000)
    keys = Counter(run.data.tags.get(TRIAL, "none") for run in runs)
    wrong += [f"{n} runs of trial '{key}'" for key, n in keys.items() if n > 1]
    if len(keys) != arguments.trials:
        wrong.append(f"{len(keys)} trials have a run")
    wrong += [f"a run is {r.info.status}" for r in runs if r.info.status != "FINISHED"]
    if arguments.door == "sweep":
        above = store.client.search_runs([store.experiment_id], f"tags.`{KIND}` = 'sweep'")
        if [run.info.status for run in above] != ["FINISHED"]:
            wrong.append(f"the sweep has runs that are {[run.info.status for run in above]}")
    return wrong


if __name__ == "__main__":
    main()
