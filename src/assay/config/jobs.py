"""The jobs of a Hydra application, run one by one in whichever process was handed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import configure_log, run_job, setup_globals
from hydra.errors import HydraException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from assay.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What Hydra needs to run a job of an application; it can be pickled.

    ``settings`` are overrides of Hydra's own that every job has, such as where it may write. An
    exception of a type in ``passed_on`` ends a job without a word in its log.
    """

    context: HydraContext
    config: DictConfig
    task: TaskFunction
    settings: tuple[str, ...] = ()
    passed_on: tuple[type[Exception], ...] = ()
    singletons: Any = field(default=None)

    def __reduce__(self) -> Any:
        """Carry a function of a script by value, and what Hydra keeps for the whole process."""
        carried = replace(self, singletons=Singleton.get_state())
        return _again, (cloudpickle.dumps(vars(carried)),)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Give Hydra what it had in the process that the jobs come from, while the block runs."""
        if self.singletons is None:
            yield
            return
        before = Singleton.get_state()
        setup_globals()
        Singleton.set_state(self.singletons)
        try:
            yield
        finally:
            Singleton.set_state(before)

    def check(self, overrides: Sequence[str]) -> None:
        """Raise ConfigError where the application's configuration does not take such overrides."""
        try:
            self.context.config_loader.load_sweep_config(self.config, list(overrides))
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError([" ".join(str(error).split())]) from error

    def __call__(self, overrides: Sequence[str], *, number: int) -> Any:
        """Run the job of a number and return what the task returns; its exceptions come out."""
        config = self.context.config_loader.load_sweep_config(
            self.config, [*self.settings, *overrides]
        )
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = str(number), number
        try:
            done = run_job(
                task_function=self._task,
                config=config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
                hydra_context=self.context,
            )
        finally:
            configure_log(
                self.config.hydra.hydra_logging,
                self.config.hydra.verbose,
                execution_whitelist=self.context.execution_whitelist,
            )
        returned = done.return_value
        if isinstance(returned, self.passed_on):
            raise returned
        return returned

    def _task(self, config: DictConfig) -> Any:
        try:
            return self.task(config)
        except self.passed_on as signal:
            return signal


def _again(carried: bytes) -> Jobs:
    return Jobs(**cloudpickle.loads(carried))
