"""The options of ``hydra/sweeper=assay``: the words of Hydra's Optuna sweeper, and a few more.

Hydra imports this in every application, so it imports nothing heavy.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


@dataclass
class AssaySweeperConf:
    """What null leaves open, ``assay run`` takes from its ``search``, other applications from Optuna."""

    _target_: str = "hydra_plugins.hydra_assay_sweeper.sweeper.AssaySweeper"
    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}])

    # A node with a _target_ in optuna.samplers.
    sampler: Any = MISSING
    # minimize or maximize, or a list of them for several objectives.
    direction: Any = None
    # The URL of a SQLite or PostgreSQL database; null: the sweep's own folder, or Assay's home.
    storage: Any = None
    study_name: str | None = None
    # The total, however often the sweep is started.
    n_trials: Any = None
    # How many trials run at the same time.
    n_jobs: Any = None
    # The share of all trials that may fail.
    max_failure_rate: Any = None
    params: dict[str, Any] | None = None
    # module.function, called with the configuration and an Optuna trial, which may suggest more.
    custom_search_space: str | None = None

    # median, hyperband, halving, wilcoxon or none; it acts where the application reports.
    pruner: str | None = None
    # How often a trial is begun again whose process died.
    retries: Any = None
    # Settings to try first: [{x: 1, model.width: 8}, ...]
    warm: Any = None
    # And then the best of an earlier study of this space in the same storage, so many of them.
    warm_study: str | None = None
    warm_trials: Any = None


_SAMPLERS: dict[str, dict[str, Any]] = {
    "tpe": {
        "_target_": "optuna.samplers.TPESampler",
        "seed": None,
        "n_startup_trials": 10,
        "n_ei_candidates": 24,
        "multivariate": None,
        "group": False,
        "constant_liar": True,
    },
    "random": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
    "cmaes": {
        "_target_": "optuna.samplers.CmaEsSampler",
        "seed": None,
        "x0": None,
        "sigma0": None,
        "n_startup_trials": 1,
        "popsize": None,
        "use_separable_cma": False,
        "with_margin": False,
        "lr_adapt": False,
    },
    "nsgaii": {
        "_target_": "optuna.samplers.NSGAIISampler",
        "seed": None,
        "population_size": 50,
        "mutation_prob": None,
        "crossover_prob": 0.9,
        "swapping_prob": 0.5,
    },
    "nsgaiii": {
        "_target_": "optuna.samplers.NSGAIIISampler",
        "seed": None,
        "population_size": 50,
        "mutation_prob": None,
        "crossover_prob": 0.9,
        "swapping_prob": 0.5,
        "dividing_parameter": 3,
    },
    "gp": {
        "_target_": "optuna.samplers.GPSampler",
        "seed": None,
        "n_startup_trials": 10,
        "deterministic_objective": False,
    },
    "qmc": {
        "_target_": "optuna.samplers.QMCSampler",
        "seed": None,
        "qmc_type": "sobol",
        "scramble": False,
    },
    "grid": {"_target_": "optuna.samplers.GridSampler", "seed": None},
}


def _register() -> None:
    """Store the options; the Optuna sweeper, where it is installed, registers the samplers itself."""
    store = ConfigStore.instance()
    store.store(group="hydra/sweeper", name="assay", node=AssaySweeperConf, provider="assay")
    if importlib.util.find_spec("hydra_plugins.hydra_optuna_sweeper") is None:
        for name, node in _SAMPLERS.items():
            store.store(group="hydra/sweeper/sampler", name=name, node=node, provider="assay")


_register()
