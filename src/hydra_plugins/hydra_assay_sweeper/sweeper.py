"""The sweeper that Hydra finds by its name; what it does lies in ``assay.pipeline.searching.sweep``."""

from __future__ import annotations

import importlib
import os
from typing import Any

from hydra.errors import CompactHydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.hydra_assay_sweeper import config as config


class AssaySweeper(Sweeper):
    """Hands the jobs of an application to Assay's search, which is imported when it is asked for."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands to every sweeper."""
        self.hydra_context, self._task, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run trials until the total has ended, and write ``optimization_results.yaml``."""
        assay = importlib.import_module("assay.pipeline.searching.sweep")
        errors = importlib.import_module("assay.errors")
        try:
            assay.run(
                self._settings,
                arguments,
                context=self.hydra_context,
                task=self._task,
                config=self.config,
            )
        except errors.AssayError as error:
            if os.environ.get("HYDRA_FULL_ERROR"):
                raise
            raise CompactHydraException(str(error)) from error  # Hydra shows its text alone
