"""The source itself: nothing in it unpickles, evaluates text, or hands a line to a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import ROOT

SOURCES = [*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
MODULES = frozenset(
    {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
)
CALLS = frozenset(
    {
        "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pd.read_pickle",
        "pandas.read_pickle", "yaml.load", "yaml.full_load", "yaml.unsafe_load", "mlflow.pytorch.load_model",
        "mlflow.sklearn.load_model", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter",
    }
)  # fmt: skip
# The keyword that each of these calls must carry.
NEEDED = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}
# Carries a script's own function to the workers that it starts; nothing is read from a file.
BY_VALUE = "src/assay/config/jobs.py:10 imports cloudpickle"
INSTANTIATE = "assay/config/load.py"


def faults(source: str, name: str) -> Iterator[str]:
    """Yield what a file does that could run what it is given."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            named = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
            )
            yield from (
                f"{name}:{node.lineno} imports {m}" for m in named if m.split(".")[0] in MODULES
            )
        if isinstance(node, ast.Call):
            yield from (f"{name}:{node.lineno} {fault}" for fault in _call_faults(node, name))


def _call_faults(node: ast.Call, name: str) -> Iterator[str]:
    called = ast.unparse(node.func)
    keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if called in CALLS:
        yield f"calls {called}"
    if called in NEEDED:
        key, value = NEEDED[called]
        if keywords.get(key) != str(value):
            yield f"calls {called} without {key}={value}"
    if keywords.get("shell", "False") != "False":
        yield f"calls {called} with a shell"
    if (
        keywords.get("allow_pickle", "False") != "False"
        or keywords.get("weights_only", "True") != "True"
    ):
        yield f"calls {called} with pickles"
    if called.endswith("YAML") and keywords.get("typ", "'rt'") not in ("'rt'", "'safe'"):
        yield f"calls {called} that is not safe"
    if called.split(".")[-1] == "instantiate" and not name.endswith(INSTANTIATE):
        yield f"calls {called}, which belongs to {INSTANTIATE}"


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_source_runs_nothing_that_it_is_given(file: Path) -> None:
    found = set(faults(file.read_text(), str(file.relative_to(ROOT))))
    assert found - {BY_VALUE} == set()


BAD = {
    "import pickle": "imports pickle",
    "from joblib import load": "imports joblib",
    "eval('1')": "calls eval",
    "import os\nos.system('ls')": "calls os.system",
    "torch.load(f)": "without weights_only=True",
    "torch.load(f, weights_only=False)": "without weights_only=True",
    "np.load(f)": "without allow_pickle=False",
    "yaml.load(f, Loader=yaml.Loader)": "calls yaml.load",
    "YAML(typ='unsafe').load(f)": "that is not safe",
    "subprocess.run('ls', shell=True)": "with a shell",
    "pd.read_pickle(f)": "calls pd.read_pickle",
    "hydra.utils.instantiate(node)": "belongs to assay/config/load.py",
}


@pytest.mark.parametrize("source", BAD)
def test_each_fault_is_seen(source: str) -> None:
    assert any(BAD[source] in fault for fault in faults(source, "x.py"))
