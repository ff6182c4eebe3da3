"""The stage graph and the code say the same: parameters, dependencies, seal, names."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = list(DVC)
WORK = [name for name in STAGES if name != "compose"]
# What cannot change an output: a message, a run's row, the way a stage is started.
FOUNDATION = {
    "assay",
    "assay.errors",
    "assay.secrets",
    "assay.signals",
    "assay.tracking",
    "assay.stages",
}


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("assay", include_external_packages=True, cache_dir=None)


def _deps(stage: str) -> list[str]:
    return [str(dep) for dep in DVC[stage].get("deps", [])]


def _outs(stage: str) -> list[str]:
    listed = [
        *DVC[stage].get("outs", []),
        *DVC[stage].get("metrics", []),
        *DVC[stage].get("plots", []),
    ]
    return [next(iter(out)) if isinstance(out, dict) else out for out in listed]


def test_stages_are_modules_of_the_same_name() -> None:
    files = {p.stem for p in (ROOT / "src/assay/stages").glob("[a-z]*.py")}
    assert files == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_three_public_names(stage: str) -> None:
    module = importlib.import_module(f"assay.stages.{stage}")
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }
    assert own == {"Params", "run"}
    assert module.__doc__ and "writes" in module.__doc__.splitlines()[0]
    assert list(inspect.signature(module.run).parameters) == ["params"]


@pytest.mark.parametrize("stage", WORK)
def test_params_are_the_keys_that_dvc_lists(stage: str) -> None:
    module = importlib.import_module(f"assay.stages.{stage}")
    (listed,) = (entry["artifacts/config.yaml"] for entry in DVC[stage]["params"])
    assert [f.name for f in dataclasses.fields(module.Params)] == listed
    assert module.Params.__dataclass_params__.frozen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_writes_its_own_folder_only(stage: str) -> None:
    beside = ["artifacts/config.yaml"] if stage == "compose" else []
    assert all(out in beside or out.startswith(f"artifacts/{stage}/") for out in _outs(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_writes_manifests(stage: str) -> None:
    assert f"artifacts/{stage}/manifest" in _outs(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_no_dependency_names_a_folder_that_holds_something_volatile(stage: str) -> None:
    inside = ("", "/run.json", "/manifest")
    volatile = {f"artifacts/{name}{end}" for name in STAGES for end in inside}
    assert not volatile & set(_deps(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_imports_are_covered_by_dependencies(stage: str, graph: grimp.ImportGraph) -> None:
    used = {f"assay.stages.{stage}"} | graph.find_upstream_modules(f"assay.stages.{stage}")
    files = {
        _file(module) for module in used if module.startswith("assay") and not _is_founded(module)
    }
    uncovered = {file for file in files if not any(_covers(dep, file) for dep in _deps(stage))}
    assert not uncovered


def _is_founded(module: str) -> bool:
    return any(module == f or (f != "assay" and module.startswith(f"{f}.")) for f in FOUNDATION)


def _file(module: str) -> str:
    path = Path("src", *module.split("."))
    return str(path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py"))


def _covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/") or file.endswith("/__init__.py")


@pytest.mark.parametrize("stage", ["compose", "prepare", "search", "train"])
def test_the_test_split_is_sealed(stage: str) -> None:
    sealed = {
        "artifacts/prepare/test",
        "artifacts/prepare/checks.json",
        "artifacts/prepare/digests.json",
    }
    assert not sealed & set(_deps(stage))


def test_stages_never_import_each_other(graph: grimp.ImportGraph) -> None:
    for stage in STAGES:
        imported = graph.find_upstream_modules(f"assay.stages.{stage}")
        assert not {m for m in imported if m.startswith("assay.stages.")}


FORBIDDEN = {
    "compose": {"pytorch_lightning", "mlflow", "optuna"},
    "prepare": {"torch", "pytorch_lightning"},
    "export": {"pytorch_lightning"},
    "evaluate": {"torch", "pytorch_lightning"},
    "explain": {"pytorch_lightning"},
    "register": {"torch", "pytorch_lightning"},
}


@pytest.mark.parametrize("stage", [s for s in STAGES if s in FORBIDDEN])
def test_what_a_stage_must_not_import(stage: str, graph: grimp.ImportGraph) -> None:
    imported = {m.split(".")[0] for m in graph.find_upstream_modules(f"assay.stages.{stage}")}
    assert not imported & FORBIDDEN[stage]


def test_dvc_is_in_no_python_file(graph: grimp.ImportGraph) -> None:
    assert "dvc" not in graph.modules


HOMES = {
    "pytorch_lightning": "training",
    "optuna": "tuning",
    "mlflow": "tracking",
    "captum": "explanation",
    "shap": "explanation",
    "lime": "explanation",
    "onnx": "export",
    "onnxruntime": "inference",
    "matplotlib": "figures",
    "hydra": "config",
    "omegaconf": "config",
    "pydantic": "config",
    "pandera": "data",
}


# A graph is looked through before it is run: it may name other files.
GUESTS = {
    "hydra": {"assay.cli.run"},
    "omegaconf": {"assay.cli.run"},
    "onnx": {"assay.inference.graph"},
}


@pytest.mark.parametrize(("framework", "room"), HOMES.items())
def test_one_framework_one_room(framework: str, room: str, graph: grimp.ImportGraph) -> None:
    if framework not in graph.modules:
        pytest.fail(f"{framework} is imported nowhere: is it still a dependency?")
    importers = graph.find_modules_that_directly_import(framework)
    strangers = {m for m in importers if not m.startswith(f"assay.{room}")}
    assert strangers <= GUESTS.get(framework, set())


def test_no_function_imports() -> None:
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = [n for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
                assert not inner, f"{file}:{inner[0].lineno} imports inside {node.name}"
