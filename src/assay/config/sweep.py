"""What ``hydra/sweeper=assay`` is asked for: its settings, the space, and the fixed overrides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, IntegerNode, OmegaConf

from assay.config.load import instance
from assay.config.space import dimension_of, flattened, possible, unmet
from assay.config.words import rendered
from assay.errors import ConfigError, nearest
from assay.space import Space, Value

Direction = Literal["minimize", "maximize"]
_DIRECTIONS: tuple[Direction, ...] = ("minimize", "maximize")
_DEFAULT = "tpe"
_GRID, _QMC = "optuna.samplers.GridSampler", "optuna.samplers.QMCSampler"
_TARGETS = ("optuna.samplers.*", "hydra_plugins.hydra_optuna_sweeper.*")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The node ``hydra.sweeper``: the words of Hydra's Optuna sweeper, and ours.

    None leaves it to the application: ``assay run`` asks its ``search``, another application has
    the defaults of the Optuna sweeper. ``n_trials`` is the total, however often it is started.
    ``sampler`` is a node with a ``_target_``, asked for in so many words where it ``is_own_sampler``;
    ``storage`` is the URL of a database.
    """

    sampler: Mapping[str, Any] = field(default_factory=dict)
    is_own_sampler: bool = True
    directions: tuple[Direction, ...] = ()
    storage: str | None = None
    study_name: str | None = None
    n_trials: int | None = None
    n_jobs: int | None = None
    max_failure_rate: float | None = None
    params: Mapping[str, Any] | None = None
    custom_search_space: str | None = None
    pruner: str | None = None
    retries: int | None = None
    warm: Sequence[Mapping[str, Any]] | None = None
    warm_study: str | None = None
    warm_trials: int | None = None


def settings_of(node: Mapping[str, Any], *, config: DictConfig) -> Settings:
    """Return the checked settings of a node as Hydra composed it. Raises ConfigError."""
    plain = {key: _plain(value) for key, value in node.items()}
    known = [f.name for f in fields(Settings)] + ["direction"]
    problems = [p for p in (_number_problem(name, plain) for name in _NUMBERS) if p]
    directions, wrong = _directions(plain.pop("direction", None))
    strange = [
        f"hydra.sweeper.{key}: there is no such key{nearest(key, known)}"
        for key in plain
        if key not in known
    ]
    problems += [*wrong, *strange, *_storage_problem(plain.get("storage"))]
    if problems := [*problems, *_warm_problem(plain.get("warm"))]:
        raise ConfigError(problems)
    sampler = plain.pop("sampler", None) or {}
    return Settings(
        **plain, directions=directions, sampler=sampler, is_own_sampler=_is_own_sampler(config)
    )


def _is_own_sampler(config: DictConfig) -> bool:
    choice = config.hydra.runtime.choices.get("hydra/sweeper/sampler")
    words = ("hydra/sweeper/sampler", "hydra.sweeper.sampler")
    asked = [w for w in config.hydra.overrides.hydra if w.lstrip("+").startswith(words)]
    return choice != _DEFAULT or any(not w.startswith("hydra.sweeper.sampler.seed=") for w in asked)


def has_word(config: DictConfig, key: str) -> bool:
    """Whether the command line of a Hydra application sets a key of Hydra's own."""
    return any(w.lstrip("+").partition("=")[0] == key for w in config.hydra.overrides.hydra)


_NUMBERS: Mapping[str, Callable[[Any], bool]] = {
    "n_trials": lambda n: isinstance(n, int) and n >= 1,
    "n_jobs": lambda n: isinstance(n, int) and n >= 1,
    "retries": lambda n: isinstance(n, int) and n >= 0,
    "max_failure_rate": lambda n: isinstance(n, (int, float)) and 0 <= n <= 1,
    "warm_trials": lambda n: isinstance(n, int) and n >= 1,
}
_RULES = dict.fromkeys(("n_trials", "n_jobs", "warm_trials"), "a whole number above 0")
_RULES |= {"retries": "a whole number", "max_failure_rate": "a share from 0 to 1"}


def _number_problem(name: str, node: Mapping[str, Any]) -> str | None:
    value = node.get(name)
    if value is None or (_NUMBERS[name](value) and not isinstance(value, bool)):
        return None
    return f"hydra.sweeper.{name}: expected {_RULES[name]}, got {value!r}"


def _storage_problem(storage: Any) -> list[str]:
    if storage is None or isinstance(storage, str):
        return []
    return [f"hydra.sweeper.storage: expected the URL of a database, got {storage!r}"]


def _warm_problem(warm: Any) -> list[str]:
    if warm is None or (isinstance(warm, list) and all(isinstance(one, dict) for one in warm)):
        return []
    return [f"hydra.sweeper.warm: expected a list of settings such as [{{x: 1}}], got {warm!r}"]


def _directions(given: Any) -> tuple[tuple[Direction, ...], list[str]]:
    if given is None:
        return (), []
    listed: list[Any] = [getattr(d, "name", d) for d in _listed(given)]
    if strange := [d for d in listed if d not in _DIRECTIONS]:
        return (), [
            f"hydra.sweeper.direction: expected {' or '.join(_DIRECTIONS)}, got {strange[0]!r}"
        ]
    return tuple(listed), []


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The dimensions to draw from, by the key as an override names it, and what stays fixed."""

    space: Space
    fixed: tuple[str, ...]

    def named(self, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Value]]:
        """Return settings, nested or dotted, by the keys of the space where these are meant."""
        keys = {_bare(key): key for key in self.space}
        return [{keys.get(k, k): value for k, value in flattened(one)} for one in settings]


def read_sweep(
    arguments: Sequence[str], params: Mapping[str, Any] | None, *, config: DictConfig
) -> Asked:
    """Return what the words of a sweep ask for; those of the command line win over ``params``.

    ``config`` is the application's own, as composed without the sweep. What comes later holds, and
    what is no sweep is passed on as it is. Raises ConfigError with every problem.
    """
    lines = [f"{k}={v if isinstance(v, str) else rendered(v)}" for k, v in (params or {}).items()]
    space: Space = {}
    fixed: dict[str, str] = {}
    problems: list[str] = []
    for override in _parsed([*lines, *arguments]):
        key = override.key_or_group
        if not override.is_sweep_override():
            space = {name: d for name, d in space.items() if _bare(name) != key}
            fixed[str(override.input_line)] = key
            continue
        try:
            space[override.get_key_element()] = _dimension(override, config)
        except ConfigError as error:
            problems += error.problems
    around = settled(config)
    problems += [p for key, d in space.items() for p in unmet(key, d, space, around)]
    if problems:
        raise ConfigError(problems)
    return Asked(space=possible(space, settings=around), fixed=tuple(fixed))


def settled(config: DictConfig) -> dict[str, Any]:
    """Return the leaves of an application's configuration by dotted key, and its choices by group."""
    own: Any = OmegaConf.to_container(config, resolve=False)
    choices = config.hydra.runtime.choices if "hydra" in config else {}
    leaves = dict(flattened({key: value for key, value in own.items() if key != "hydra"}))
    return {**leaves, **{str(group): option for group, option in choices.items()}}


def _bare(name: str) -> str:
    return name.lstrip("+").partition("@")[0]


def _parsed(lines: list[str]) -> Iterator[Override]:
    try:
        yield from OverridesParser.create().parse_overrides(lines)
    except HydraException as error:
        raise ConfigError([" ".join(str(error).split())]) from error


def _dimension(override: Override, config: DictConfig) -> Any:
    """Whole bounds make whole numbers of a key that is declared to hold them."""
    key, line = override.key_or_group, str(override.input_line)
    node = OmegaConf.select(config, key.rpartition(".")[0]) if "." in key else config
    last = key.rpartition(".")[2]
    inner = node._get_node(last) if isinstance(node, DictConfig) and last in node else None
    return dimension_of(
        override.value(),
        where=override.get_key_element(),
        current=0 if isinstance(inner, IntegerNode) else None,
        text=line.partition("=")[2],
        takes_nodes=True,
    )


@dataclass(frozen=True)
class SamplerNode:
    """Makes the sampler that a node with a ``_target_`` describes, for a trial of its own seed."""

    node: Mapping[str, Any]

    def __call__(self, seed: int) -> Any:
        """Return the sampler, drawing from ``seed``. Raises ConfigError where it cannot be made."""
        knobs = {key: value for key, value in self.node.items() if value is not None}
        if knobs.get("_target_") == _QMC:  # its trials are the points of one sequence
            seed = knobs.get("seed", 0)
        try:
            return instance({**knobs, "seed": seed}, allowed=_TARGETS)
        except (InstantiationException, TypeError, ValueError) as error:
            raise ConfigError([f"hydra.sweeper.sampler: {' '.join(str(error).split())}"]) from error

    def __str__(self) -> str:
        """Return what a study remembers of it."""
        return str({key: v for key, v in sorted(self.node.items()) if v is not None})

    @property
    def is_grid(self) -> bool:
        """Whether it asks for every setting once."""
        return self.node.get("_target_") == _GRID


@dataclass(frozen=True)
class Extension:
    """Calls ``custom_search_space`` with the application's configuration and each trial."""

    target: str
    config: DictConfig
    fixed: tuple[str, ...]

    def function(self) -> Any:
        """Return the user's function. Raises ConfigError where there is none of that name."""
        try:
            return instance({"_target_": self.target, "_partial_": True}, allowed=self.target)
        except InstantiationException as error:
            message = f"hydra.sweeper.custom_search_space: {' '.join(str(error).split())}"
            raise ConfigError([message]) from error

    def __call__(self, trial: Any) -> None:
        """Let the user's function suggest further values. Raises ValueError for one that is fixed."""
        self.function()(self.config, trial)
        keys = {_bare(line.partition("=")[0]) for line in self.fixed}
        if both := [name for name in trial.params if _bare(name) in keys]:
            raise ValueError(
                f"hydra.sweeper.custom_search_space: it suggests {both[0]}, which an override fixes"
            )
