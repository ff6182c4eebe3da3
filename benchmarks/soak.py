"""A soak: pipelines, DVC experiments and exploring fits, many at once, against one store.

Run: ``python benchmarks/soak.py [--pipelines 20] [--fits 200] [--at-once 8] [--keep FOLDER]``.
Half of what runs at once are pipelines: ``dvc repro`` in clones of their own, ``dvc exp run --temp``
and queued experiments; the other half are processes that run one fit of two steps after another,
most of them below a sweep, as ``assay run -m`` does. All write into one SQLite store. At the end
every run must be there once, FINISHED, with its steps, below its own parent, and the memory and
the open files of the processes that ran the fits must have stayed flat. Exit status 1 otherwise.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psutil
import yaml

from assay.cli.run import _run_one
from assay.config.application import Job
from assay.config.compose import compose_params
from assay.pipeline.composing.schema import SCHEMA
from assay.tracking.explore import sweep_run
from assay.tracking.health import dead_runs, spools
from assay.tracking.invocation import STAGES
from assay.tracking.store import Store, open_store

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FIRST_FIT = 10_000
LONGEST_SECONDS = 3600
GROWTH = 0.10
SMALL = {
    "training": {"max_epochs": 2, "limit_batches": 1},
    "explain": {"rows": 2, "global_rows": 8, "background": 4, "samples": 1000, "lime_samples": 60},
}
CHOICES = {"data": "breast_cancer", "model": "mlp", "training": "default", "search": "none"}
CHOICES |= {"gate": "default"}


def main() -> None:
    """Run the soak and print the figures."""
    arguments = parsed()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="assay-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(ASSAY_HOME=str(folder / "home"), OMP_NUM_THREADS="1", COLUMNS="120")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "ASSAY_PARENT_RUN"):
        os.environ.pop(name, None)
    began = time.monotonic()
    try:
        is_good = soak(folder, arguments)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if is_good else 1)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipelines", type=int, default=20)
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    return parser.parse_args()


def soak(folder: Path, arguments: argparse.Namespace) -> bool:
    """Start everything, wait for all of it, and check what the store has."""
    main_clone = clone(ROOT, folder / "main", seed=0)
    half = max(1, arguments.at_once // 2)
    fitters = start_fitters(main_clone, folder, fits=arguments.fits, processes=half)
    lanes = Lanes(main_clone, folder, pipelines=arguments.pipelines, lanes=half)
    failures = lanes.run()
    for process in fitters:
        process.join()
    failures += [f"a process of fits ended with {p.exitcode}" for p in fitters if p.exitcode]
    store = open_store()
    problems = [*failures, *pipeline_problems(store, lanes.started)]
    problems += fit_problems(store, folder, fits=arguments.fits)
    problems += [f"{kept.changes} changes wait in {kept.file.name}" for kept in spools()]
    problems += [f"run {run.name} is RUNNING by a dead process" for run in dead_runs(store)]
    problems += print_usage(folder)
    for problem in problems:
        print("WRONG:", problem)
    return not problems


def clone(source: Path, target: Path, *, seed: int) -> Path:
    """Clone a project and let its params.yaml ask for something small."""
    command("git", "clone", "--quiet", str(source), str(target), cwd=source)
    params = {**CHOICES, "set": {**SMALL, "name": "soak", "seed": seed}}
    (target / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    command("git", "commit", "--quiet", "-am", "small", cwd=target)
    return target


def command(*words: str, cwd: Path) -> str:
    """Run a command as a user would, in a project; raise where it fails."""
    who = {f"GIT_{role}_{what}": "soak" for role in ("AUTHOR", "COMMITTER") for what in NAMES}
    path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **who, **path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


NAMES = ("NAME", "EMAIL")


class Lanes:
    """Threads that run pipelines one after another, each lane one kind of them."""

    def __init__(self, project: Path, folder: Path, *, pipelines: int, lanes: int) -> None:
        self._project, self._folder = project, folder
        self._failures: list[str] = []
        self.started: dict[int, str] = {}
        kinds = ("repro", "temp", "queue", "repro")
        self._lanes = [(kinds[i % 4], range(1 + i, 1 + pipelines, lanes)) for i in range(lanes)]

    def run(self) -> list[str]:
        """Run every lane to its end and return what failed."""
        threads = [threading.Thread(target=self._lane, args=lane) for lane in self._lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._failures

    def _lane(self, kind: str, seeds: Sequence[int]) -> None:
        self.started.update(dict.fromkeys(seeds, kind))
        if kind == "queue":
            for seed in seeds:
                self._try(seed, lambda seed=seed: self._experiment(seed, "--queue"))
            for seed in seeds[:1]:
                self._try(seed, lambda: self._work_off_queue(seeds))
            return
        for seed in seeds:
            run = self._clone_and_repro if kind == "repro" else self._temp
            self._try(seed, lambda run=run, seed=seed: run(seed))

    def _try(self, seed: int, action: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            action()
            text = "done"
        except Exception as error:
            text = f"failed: {error}"
            self._failures.append(f"pipeline {seed} {text}")
        kind, seconds = self.started[seed], time.monotonic() - began
        print(f"pipeline {seed:3} {kind:6} {seconds:6.0f} s {text}", flush=True)

    def _clone_and_repro(self, seed: int) -> None:
        project = clone(self._project, self._folder / f"clone-{seed}", seed=seed)
        command("dvc", "repro", cwd=project)
        shutil.rmtree(project)

    def _temp(self, seed: int) -> None:
        self._experiment(seed, "--temp")

    def _experiment(self, seed: int, how: str) -> None:
        words = ("dvc", "exp", "run", how, "--name", f"soak-{seed}", "-S", f"set.seed={seed}")
        self._patiently(*words, experiment=f"soak-{seed}")

    def _work_off_queue(self, seeds: Sequence[int]) -> None:
        """Let a worker of DVC's queue do it: ``--run-all`` would lock the others out meanwhile."""
        self._patiently("dvc", "queue", "start", "--jobs", "1")
        deadline = time.monotonic() + LONGEST_SECONDS
        while not all(self._is_there(f"soak-{seed}") for seed in seeds):
            if time.monotonic() > deadline:
                raise RuntimeError("the queue was not worked off")
            time.sleep(2)

    def _patiently(self, *words: str, experiment: str = "") -> None:
        """Try again where DVC's own lock is held: it does not wait while another is set up.

        DVC may find it held at the very end, when the experiment is there already.
        """
        for _ in range(60):
            try:
                command(*words, cwd=self._project)
                return
            except RuntimeError as error:
                if "unable to acquire lock" not in str(error).lower():
                    raise
                print("DVC's lock was held:", str(error)[-300:].strip(), flush=True)
                if experiment and self._is_there(experiment):
                    return
                time.sleep(2)
        raise RuntimeError("DVC's lock was never free")

    def _is_there(self, experiment: str) -> bool:
        refs = command("git", "for-each-ref", "--format=%(refname)", "refs/exps", cwd=self._project)
        return any(ref.endswith(f"/{experiment}") for ref in refs.splitlines())


def start_fitters(
    project: Path, folder: Path, *, fits: int, processes: int
) -> list[multiprocessing.context.ForkProcess]:
    """Fork processes that share out the fits; this process has imported everything for them."""
    context = multiprocessing.get_context("fork")
    started = []
    for i in range(processes):
        seeds = range(FIRST_FIT + i, FIRST_FIT + fits, processes)
        log = folder / f"fits-{i}.jsonl"
        process = context.Process(target=fit_all, args=(project, seeds, log))
        process.start()
        started.append(process)
    return started


def fit_all(project: Path, seeds: Sequence[int], log: Path) -> None:
    """Run fits one after another: three in four below a sweep of this process, the rest alone."""
    os.chdir(project)
    sys.stderr = (log.with_suffix(".txt")).open("w")
    cut = len(seeds) * 3 // 4
    for part, is_sweep in ((seeds[:cut], True), (seeds[cut:], False)):
        with sweep_run(name=f"soak {log.stem}") if is_sweep else nullcontext() as sweep:
            for seed in part:
                _run_one(job(project, seed))
                note(log, seed, parent=sweep.run_id if sweep else None)


def job(project: Path, seed: int) -> Job:
    # Not of params.yaml, which DVC takes away for a moment while it queues an experiment.
    params = {**CHOICES, "set": {**SMALL, "seed": seed}}
    config = compose_params(project / "conf", params, schema=SCHEMA)
    return Job(config=config, overrides=(f"seed={seed}",), folder=project / "outputs")


def note(log: Path, seed: int, *, parent: str | None) -> None:
    """Write down a fit, its parent, and what the process holds now."""
    gc.collect()  # arrays on disk stay open until the next collection
    me = psutil.Process()
    row = {"seed": seed, "parent": parent, "fds": me.num_fds(), "rss": me.memory_info().rss}
    with log.open("a") as file:
        file.write(json.dumps({**row, "threads": me.num_threads()}) + "\n")


def noted(folder: Path) -> list[list[dict[str, Any]]]:
    return [
        [json.loads(line) for line in log.read_text().splitlines()]
        for log in sorted(folder.glob("fits-*.jsonl"))
    ]


def search(store: Store, query: str) -> list[Any]:
    found, token = [], None
    while True:
        page = store.client.search_runs(
            [store.experiment_id], query, max_results=1000, page_token=token
        )
        found += page
        token = page.token
        if not token:
            return found


def pipeline_problems(store: Store, started: dict[int, str]) -> Iterator[str]:
    """Yield what is wrong with the rows of the pipelines and their stages."""
    rows = search(store, "tags.`assay.kind` = 'pipeline'")
    stages = {run.info.run_id: run for run in search(store, "tags.`assay.kind` = 'stage'")}
    by_seed = {int(row.data.params["seed"]): row for row in rows}
    print(f"pipelines: {len(started)} expected, {len(rows)} rows found, {len(stages)} stage runs")
    print("  statuses:", dict(Counter(r.info.status for r in [*rows, *stages.values()])))
    print("  accounts:", dict(Counter(row.data.tags["pipeline"] for row in rows)))
    if len(rows) != len(started):
        yield f"{len(started)} pipelines ran, but there are {len(rows)} rows"
    for seed in started.keys() - by_seed.keys():
        yield f"pipeline {seed} has no row"
    told = Counter()
    for row in rows:
        yield from row_problems(row, stages, told)
    for run_id in stages.keys() - told.keys():
        yield f"stage run {run_id} is on no row as one that ran"


def row_problems(row: Any, stages: dict[str, Any], told: Counter[str]) -> Iterator[str]:
    """Yield what is wrong with one row; count the stages that it says it ran."""
    seed = row.data.params["seed"]
    if row.info.status != "FINISHED":
        yield f"the row of pipeline {seed} is {row.info.status}"
    for stage in STAGES:
        word, _, rest = row.data.tags.get(f"stage.{stage}", "").partition(": run ")
        run = stages.get(rest)
        if run is None or word not in ("ran", "linked") or run.data.tags["stage"] != stage:
            yield f"pipeline {seed}: {stage} is '{word}: {rest}'"
            continue
        if word == "ran":
            told[rest] += 1
            if run.info.status != "FINISHED":
                yield f"pipeline {seed}: {stage} is {run.info.status}"
            if run.data.tags["mlflow.parentRunId"] != row.info.run_id:
                yield f"pipeline {seed}: {stage} is below another row"
            if stage == "train" and run.data.params["seed"] != seed:
                yield f"pipeline {seed}: its train run is that of seed {run.data.params['seed']}"


def fit_problems(store: Store, folder: Path, *, fits: int) -> Iterator[str]:
    """Yield what is wrong with the runs of the fits."""
    expected: dict[str, str | None] = {str(FIRST_FIT + i): None for i in range(fits)}
    expected |= {str(row["seed"]): row["parent"] for rows in noted(folder) for row in rows}
    runs = search(store, "tags.`assay.kind` = 'run'")
    found = Counter(run.data.params["seed"] for run in runs)
    print(f"fits: {len(expected)} expected, {len(runs)} runs found")
    print("  statuses:", dict(Counter(run.info.status for run in runs)))
    print("  parents:", len(set(expected.values()) - {None}), "sweeps")
    yield from (f"fit {seed} has no run" for seed in expected.keys() - found.keys())
    yield from (f"fit {seed} has {n} runs" for seed, n in found.items() if n != 1)
    for run in runs:
        seed, tags = run.data.params["seed"], run.data.tags
        if run.info.status != "FINISHED":
            yield f"fit {seed} is {run.info.status}"
        if tags.get("mlflow.parentRunId") != expected.get(seed):
            yield f"fit {seed} is below {tags.get('mlflow.parentRunId')}"
        steps = [m.step for m in store.client.get_metric_history(run.info.run_id, "valid_log_loss")]
        if steps != [1, 2]:
            yield f"fit {seed} has the steps {steps}"


def print_usage(folder: Path) -> Iterator[str]:
    """Print memory and open files over time; yield where they grew."""
    rows = noted(folder)
    longest = max((len(own) for own in rows), default=0)
    places = sorted({longest * i // 8 for i in range(8)} | {longest - 1})
    print("fits done by a process:   " + "".join(f"{place + 1:>7}" for place in places))
    for name, unit in (("rss", 2**20), ("fds", 1), ("threads", 1)):
        values = [max(o[min(p, len(o) - 1)][name] for o in rows) // unit for p in places]
        label = {"rss": "memory, MiB", "fds": "open files", "threads": "threads"}[name]
        print(f"  most {label:<19}" + "".join(f"{value:>7}" for value in values))
        first = values[min(2, len(values) - 1)]
        if values[-1] > first * (1 + GROWTH) + 2:
            yield f"{label} grew from {first} to {values[-1]}"


if __name__ == "__main__":
    main()
