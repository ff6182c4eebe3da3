"""SIGKILL a whole pipeline at random moments, and compare what it ends with to one left alone.

Run: ``python benchmarks/kill_pipeline.py [--kills 50] [--seed 0] [--stages 3] [--only-repro]``.
Works in fresh clones of HEAD in a temporary folder, on a small configuration: one pipeline is left
alone; in others every ``dvc repro`` is cut off at a random moment of its first few stages, half of
the kills at the stage process and half at DVC itself, and ``assay doctor --fix && dvc repro`` goes
on from there at once. Moments are shares of a stage's time, so a busy machine kills as evenly.
When a pipeline comes to its end its artifacts are compared (run ids, version numbers and the
digest of ``dvc.lock`` aside; manifests by the files that they list), and another clone is begun.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from assay.artifacts.files import digest, file_digest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SETTINGS = {
    "training": {"max_epochs": 6, "threads": 1},
    "search": {"trials": 3},
    "evaluate": {"resamples": 50},
    "explain": {"rows": 2, "global_rows": 20, "lime_samples": 200},
}
CHOICES = {"data": "breast_cancer", "model": "mlp", "training": "default", "gate": "default"}
PARAMS = {**CHOICES, "search": "tpe", "set": SETTINGS}
VOLATILE = re.compile(
    r"(?<=models:/breast_cancer/)\d+|(?<=, version )\d+|(?<=\"version\": \")\d+"
    r"|(?<=\"run_id\": \")\w+|(?<=dvc_lock_digest \| `)\w+"
)
GRACE_SECONDS = 45
MOST_REFUSALS = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often is killed, within how many stages, and what each stage takes when left alone."""

    kills: int
    stages: int = 3
    seconds: Mapping[str, float]
    is_only_repro: bool = False


@dataclass(kw_only=True)
class Tally:
    """What was killed, and what came of it."""

    killed: Counter[str] = field(default_factory=Counter)
    ended: int = 0
    different: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    orphans: list[psutil.Process] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(self.killed.values())


def main() -> None:
    """Kill, mend, go on, compare; print a table. Exits with 1 where anything differs."""
    arguments = parsed()
    chance, tally = random.Random(arguments.seed), Tally()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        alone = cloned(Path(folder, "alone"))
        plan = planned(arguments, seconds=timed(dvc(alone)))
        expected = artifacts(alone)
        print(f"left alone: {len(expected)} files, {time.monotonic() - started:.0f} s", flush=True)
        while tally.kills < plan.kills:
            clone = cloned(Path(folder, f"killed-{tally.ended}"), source=alone)
            harass(clone, tally, chance, plan)
            tally.different += compared(clone, expected)
            tally.ended += 1
        tally.refused += left_behind(tally.orphans)
    report(tally, seconds=time.monotonic() - started)
    sys.exit(bool(tally.different or tally.refused))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stages", type=int, default=3, help="a kill comes within so many")
    parser.add_argument("--only-repro", action="store_true", help="leave out 'assay doctor --fix'")
    return parser.parse_args()


def planned(arguments: argparse.Namespace, *, seconds: Mapping[str, float]) -> Plan:
    if "register" not in seconds:
        sys.exit("the pipeline that was left alone did not come to its end")
    return Plan(
        kills=arguments.kills,
        stages=arguments.stages,
        seconds=seconds,
        is_only_repro=arguments.only_repro,
    )


def cloned(root: Path, *, source: Path = ROOT, params: Mapping[str, object] = PARAMS) -> Path:
    """Return a fresh clone with a small configuration."""
    subprocess.run(["git", "clone", "--quiet", str(source), str(root)], check=True)
    (root / "params.yaml").write_text(yaml.safe_dump(dict(params), sort_keys=False))
    return root


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "ASSAY_", "MLFLOW_"))}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}


def dvc(root: Path, *words: str) -> subprocess.Popen[str]:
    """Start ``dvc repro``; what it says goes to ``repro.log`` beside the clone."""
    with root.with_suffix(".log").open("a") as log:
        command = ["dvc", "repro", *words]
        return subprocess.Popen(command, cwd=root, env=environment(), stdout=log, stderr=log)


def harass(root: Path, tally: Tally, chance: random.Random, plan: Plan) -> None:
    """Bring one pipeline to its end, killing every attempt while kills are left."""
    refusals = 0
    while refusals < MOST_REFUSALS:
        is_stage, is_left = tally.kills % 2 == 0, tally.kills < plan.kills
        ahead = chance.randrange(plan.stages)
        process = dvc(root)
        if is_left and moment_came(process, ahead, chance.uniform(0, 1.2), plan):
            victim = killed(process, is_stage=is_stage)
        else:
            victim = None
        if victim is None and process.wait() == 0:
            return
        if victim is None:
            refusals += 1
            tally.refused.append(f"dvc repro ended with {process.returncode}: {tail(root)}")
        else:
            refusals = 0
            tally.killed[victim] += 1
            print(f"kill {tally.kills:3}: {victim}", flush=True)
        tally.orphans += running(root)
        if not plan.is_only_repro:
            mend(root, tally)


def moment_came(process: subprocess.Popen[str], ahead: int, share: float, plan: Plan) -> bool:
    """Wait until so many stages were begun and ended, and a share of the next one's time is over.

    Tell whether DVC is still at work then. A share above 1 reaches past the stage's end.
    """
    seen: set[int] = set()
    while process.poll() is None:
        stage = stage_of(process, is_awaited=False)
        seen |= {stage.pid} if stage else set()
        if stage and len(seen) > ahead:
            with suppress(subprocess.TimeoutExpired):
                process.wait(share * plan.seconds.get(name_of(stage), 1.0))
            return process.poll() is None
        time.sleep(0.01)
    return False


def killed(process: subprocess.Popen[str], *, is_stage: bool) -> str | None:
    """Kill the stage, or DVC; return what it was, None where DVC came to its end before."""
    stage = stage_of(process, is_awaited=is_stage)
    if process.poll() is not None:
        return None
    name = name_of(stage) if stage else "between stages"
    with suppress(psutil.NoSuchProcess):
        (stage if is_stage and stage else process).kill()
    process.wait()
    return f"{'stage' if is_stage else 'dvc'} {name}"


def timed(process: subprocess.Popen[str]) -> dict[str, float]:
    """Return how many seconds each stage of a pipeline took, until DVC has ended."""
    first: dict[str, float] = {}
    seconds: dict[str, float] = {}
    while process.poll() is None:
        if stage := stage_of(process, is_awaited=False):
            now, name = time.monotonic(), name_of(stage)
            seconds[name] = now - first.setdefault(name, now)
        time.sleep(0.01)
    return seconds


def stage_of(process: subprocess.Popen[str], *, is_awaited: bool) -> psutil.Process | None:
    """Return the stage at work below DVC; where it is awaited, the next one to begin."""
    while process.poll() is None:
        for child in children(process.pid):
            if "assay.stages" in command_of(child):
                return child
        if not is_awaited:
            return None
        time.sleep(0.01)
    return None


def name_of(stage: psutil.Process) -> str:
    return (command_of(stage) or ["that had ended"])[-1]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def running(root: Path) -> list[psutil.Process]:
    """Return the stages that are still at work in a clone."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(root) and "assay.stages" in (process.info["cmdline"] or []):
            found.append(process)
    return found


def mend(root: Path, tally: Tally) -> None:
    command, code = ["assay", "doctor", "--fix"], {"PYTHONPATH": str(root / "src")}
    given = {**environment(), **code}
    done = subprocess.run(command, cwd=root, env=given, capture_output=True, text=True)
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())
        tally.refused.append(f"assay doctor --fix ended with {done.returncode}: {said[-600:]}")


def tail(root: Path) -> str:
    return " ".join(root.with_suffix(".log").read_text().split())[-600:]


def artifacts(root: Path) -> dict[str, str]:
    """Return the digest of every artifact, of texts without what names a run or a version."""
    folder = root / "artifacts"
    listed = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "run.json")
    found = {str(p.relative_to(folder)): p for p in listed if ".locks" not in p.parts}
    return {name: content(path) for name, path in found.items() if name.count(".gitignore") == 0}


def content(path: Path) -> str:
    if path.parent.name == "manifest":
        return "a manifest"  # its digests are compared with the files in broken()
    if path.parent.name == "register":
        return VOLATILE.sub("N", path.read_text())
    return digest(path)


def compared(root: Path, expected: dict[str, str]) -> list[str]:
    """Return the artifacts that are not those of the pipeline that was left alone."""
    found = artifacts(root)
    names = sorted(found.keys() | expected.keys())
    differing = [name for name in names if found.get(name) != expected.get(name)]
    return [f"{root.name}: {name}" for name in [*differing, *broken(root)]]


def broken(root: Path) -> list[str]:
    """Return the files that are not what their manifests say."""
    wrong = []
    for path in (root / "artifacts").glob("*/manifest/*.json"):
        stage = path.parents[1].name
        folder = root / "artifacts" / ("" if stage == "compose" else stage)
        for name, entry in json.loads(path.read_text())["files"].items():
            file = folder / name
            if not file.is_file() or file_digest(file) != entry["sha256"]:
                wrong.append(f"{stage}/{name} against its manifest")
    return wrong


def left_behind(orphans: list[psutil.Process]) -> list[str]:
    """Return the stages that still live although their DVC was killed."""
    _, alive = psutil.wait_procs(orphans, timeout=GRACE_SECONDS)
    return [f"a stage outlived its DVC: {' '.join(p.cmdline())}" for p in alive]


def report(tally: Tally, *, seconds: float) -> None:
    print(f"\n{'killed':24} times")
    for victim, times in sorted(tally.killed.items()):
        print(f"{victim:24} {times:5}")
    print(f"{'all':24} {tally.kills:5}   in {seconds:.0f} s")
    print(f"{'pipelines ended':24} {tally.ended:5}")
    print(f"{'artifacts that differ':24} {len(tally.different):5}   to reach: 0")
    print(f"{'refusals and orphans':24} {len(tally.refused):5}   to reach: 0")
    for line in (*tally.different, *tally.refused):
        print(f"  {line}")


if __name__ == "__main__":
    main()
