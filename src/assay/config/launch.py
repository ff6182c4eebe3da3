"""Hydra's launchers as carriers of worker processes: joblib, submitit, and any other plugin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from assay.config.space import flattened
from assay.config.words import rendered
from assay.errors import ConfigError, nearest

PROCESSES = "processes"
_INDEX = "worker"
Launch = Callable[[Callable[[int], None], int], str | None]
# What launchers raise where a process ended without a word; the second is not there to be imported.
_DEATHS, _OWN_ERROR = {"BrokenExecutor", "UncompletedJobError"}, "FailedJobError"
_WORDS = 160  # so many letters of what they say


def launch_with(name: str, settings: Mapping[str, Any]) -> Launch | None:
    """Return what runs a worker once for each index below a count, through Hydra's launcher.

    None for ``processes``, which needs none. ``settings`` are the launcher's own, such as
    ``{n_jobs: 4}``. The launcher carries workers, not trials: it is called once, and again by who
    wants to go on where it returns a word on a worker that was killed. Raises ConfigError for a
    launcher that is not installed.
    """
    if name == PROCESSES:
        return None
    known = _launchers()
    if name not in known:
        there = nearest(name, [PROCESSES, *known])
        raise ConfigError([f"search.launcher: Hydra has no launcher '{name}'{there}"])
    own = [f"++hydra.launcher.{key}={rendered(value)}" for key, value in flattened(settings)]

    def launch(worker: Callable[[int], None], count: int) -> str | None:
        def job(config: DictConfig) -> None:
            worker(int(config[_INDEX]))

        with TemporaryDirectory() as folder:
            Path(folder, "search.yaml").write_text(f"{_INDEX}: 0\n", encoding="utf-8")
            every = ",".join(map(str, range(count)))
            words = ["-m", f"hydra/launcher={name}", *own, f"hydra.sweep.dir={folder}/jobs"]
            try:
                with _arguments([*words, *_QUIET, f"{_INDEX}={every}"]), _apart():
                    hydra.main(config_path=folder, config_name="search")(job)()
            except RuntimeError as error:
                if _is_death(error):
                    return " ".join(str(error).split())[:_WORDS]
                raise
        return None

    return launch


def _is_death(error: RuntimeError) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & _DEATHS) and _OWN_ERROR not in names


_QUIET = ("hydra/job_logging=none", "hydra/hydra_logging=none", "hydra.job.chdir=false")


def launcher_of(config: DictConfig) -> tuple[str, dict[str, Any]]:
    """Return the launcher that a Hydra application chose, by Hydra's name, and its settings."""
    settings: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    target = settings.pop("_target_")
    name = str(config.hydra.runtime.choices.get("hydra/launcher"))
    known = _launchers()
    if name not in known:  # a file of the application's own configuration, after another launcher
        nodes = {
            other: ConfigStore.instance().load(f"hydra/launcher/{other}.yaml") for other in known
        }
        name = next((o for o, n in nodes.items() if n.node.get("_target_") == target), name)
    return name, settings


@contextmanager
def _apart() -> Iterator[None]:
    """Let Hydra run within a running Hydra, which finds everything as it was."""
    if not GlobalHydra.instance().is_initialized():
        yield
        return
    before = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        Singleton.set_state(before)


def _launchers() -> list[str]:
    Plugins.instance()  # which registers what is installed
    return [n.removesuffix(".yaml") for n in ConfigStore.instance().list("hydra/launcher")]


@contextmanager
def _arguments(words: list[str]) -> Iterator[None]:
    """Give Hydra its arguments, which it reads from the process, and have it raise its errors."""
    before, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["search", *words], "1"
    try:
        yield
    except HydraException as error:
        raise ConfigError([f"search.launcher: {' '.join(str(error).split())}"]) from error
    finally:
        sys.argv = before
        os.environ.pop("HYDRA_FULL_ERROR")
        if full is not None:
            os.environ["HYDRA_FULL_ERROR"] = full
