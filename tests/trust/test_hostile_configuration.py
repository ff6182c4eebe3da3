"""Hostile configuration through every way in: tags, targets, words on the command line, functions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from tests.bad_input.way import Place
from tests.trust.canary import sprung

from assay.artifacts.files import read_yaml
from assay.config.load import load
from assay.errors import ArtifactError, AssayError, ConfigError
from assay.pipeline.fitting.effective import Effective
from assay.tracking.explore import explore_run
from assay.training.knobs import Training

# --- YAML with tags

TAGS = {
    "a call": "!!python/object/apply:os.system ['touch {mark}']",
    "an object": "!!python/object/new:os.system ['touch {mark}']",
    "a name": "!!python/name:os.system",
    "a module": "!!python/module:os",
    "an object with state": "!!python/object:subprocess.Popen {{args: 'touch {mark}'}}",
}


@pytest.mark.parametrize("tag", TAGS)
def test_tags_in_files_of_the_configuration(place: Place, mark: Path, tag: str) -> None:
    hostile = TAGS[tag].format(mark=mark)
    good = (place.root / "params.yaml").read_text()
    option = (place.root / "conf/training/default.yaml").read_text()
    for way, name, text in (
        ("stage compose", "params.yaml", f"data: digits\nset: {hostile}\n"),
        ("assay run", "params.yaml", f"data: digits\nset: {hostile}\n"),
        ("assay use digits-mlp", "params.yaml", f"data: {hostile}\n"),
        ("stage compose", "conf/training/default.yaml", f"lr: {hostile}\n"),
        ("assay run", "conf/training/default.yaml", f"lr: {hostile}\n"),
        ("assay use digits-mlp", "experiments/digits-mlp.yaml", f"data: {hostile}\n"),
        ("assay run --from digits-mlp", "experiments/digits-mlp.yaml", f"data: {hostile}\n"),
    ):
        place.put({"params.yaml": good, "conf/training/default.yaml": option, name: text})
        ended = place.run(way)
        assert ended.status == 1, f"{way}: {ended.said}"
        assert "Traceback" not in ended.said
        assert not sprung(mark)


@pytest.mark.parametrize("tag", TAGS)
def test_tags_in_what_stages_read(tmp_path: Path, mark: Path, tag: str) -> None:
    file = tmp_path / "effective.yaml"
    file.write_text(f"model: {TAGS[tag].format(mark=mark)}\ntraining: {{}}\nseed: 0\n")
    with pytest.raises(ArtifactError, match="is damaged, not YAML"):
        read_yaml(file)
    with pytest.raises(AssayError):
        load(Effective, file)
    assert not sprung(mark)


# --- hostile targets

TARGETS = {
    "a shell": "os.system",
    "eval": "builtins.eval",
    "a process": "subprocess.Popen",
    "a builtin through our module": "assay.data.csv.__builtins__",
    "an import through our module": "assay.model.mlp.__import__",
    "a module that ours imports": "assay.data.csv.gzip.os.system",
    "torch through our module": "assay.model.mlp.nn.Module",
    "a method": "assay.model.mlp.Mlp.build",
    "a decorator": "assay.model.mlp.dataclass",
    "another room": "assay.cli.main.main",
    "no dots": "os",
    "dots alone": "...",
    "nothing": "",
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("node", ["model", "data"])
def test_hostile_targets(place: Place, mark: Path, target: str, node: str) -> None:
    name, command = TARGETS[target], f"touch {mark}"
    settings = {node: {"_target_": name, "command": command, "args": command}}
    place.put({"params.yaml": yaml.safe_dump({"data": "digits", "model": "mlp", "set": settings})})
    ended = place.run("stage compose")
    assert ended.status == 1
    assert f"{node}._target_: " in ended.said
    effective = {"model": settings[node], "training": asdict(Training()), "seed": 0}
    (place.root / "effective.yaml").write_text(yaml.safe_dump(effective))
    with pytest.raises(ConfigError, match=r"model\._target_: "):
        load(Effective, place.root / "effective.yaml")
    assert not sprung(mark)


NESTED = {
    "in a model": {"model": {"width": {"_target_": "os.system", "command": "touch {mark}"}}},
    "in a split": {"data": {"split": {"_target_": "os.system", "command": "touch {mark}"}}},
    "in training": {"training": {"_target_": "os.system", "command": "touch {mark}"}},
    "in a list": {"data": {"ignore": [{"_target_": "os.system", "command": "touch {mark}"}]}},
    "in the space": {
        "search": {"space": {"model": {"_target_": "os.system", "_args_": ["touch {mark}"]}}}
    },
    "a partial one": {"model": {"_partial_": True}},
    "arguments by place": {"model": {"_args_": ["touch {mark}"]}},
    "recursion": {"model": {"_recursive_": True}},
    "its own whitelist": {"model": {"_target_": "os.system", "_execution_whitelist_": ["os.*"]}},
    "Hydra's launcher": {"hydra": {"launcher": {"_target_": "os.system"}}},
    "a defaults list": {"defaults": [{"hydra/launcher": "evil"}]},
}


@pytest.mark.parametrize("nested", NESTED)
def test_targets_within_other_nodes(place: Place, mark: Path, nested: str) -> None:
    text = yaml.safe_dump(
        {"data": "digits", "model": "mlp", "search": "tpe", "set": NESTED[nested]}, width=1000
    ).replace("{mark}", str(mark))
    place.put({"params.yaml": text})
    for way in ("stage compose", "assay run"):
        ended = place.run(way)
        assert ended.status == 1, ended.said
        assert "the configuration has" in ended.said
        assert "Traceback" not in ended.said
    assert not sprung(mark)


COMMANDS = {
    "a model's target": "model._target_=os.system",
    "a new target": "++model.inner._target_=os.system",
    "a launcher": "-m hydra.launcher._target_=os.system",
    "a launcher's node": "-m 'hydra.launcher={_target_:os.system}'",
    "a sweeper": "-m hydra.sweeper._target_=os.system",
    "a callback": "+hydra.callbacks.x._target_=os.system '+hydra.callbacks.x.command=touch MARK'",
    "a handler of logs": "hydra.job_logging.handlers.console.class=os.system",
    "a factory of logs": "'+hydra.job_logging.handlers.x={\\(\\):os.system}'",
    "Hydra's own logs": "hydra.hydra_logging.handlers.console.class=os.system",
    "another place to search": "'hydra.searchpath=[file:///tmp]'",
    "another folder": "--config-dir /tmp",
    "the environment": "name='${oc.env:HOME}'",
    "the environment by a detour": "name='${oc.decode:${oc.env:HOME}}'",
    "a function that decodes": "name='${oc.decode:x}'",
    "a function that creates": "name='${oc.create:x}'",
    "the clock": "name='${now:%Y}'",
    "Hydra's function": "name='${hydra:runtime.cwd}'",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_words_on_the_command_line(place: Place, mark: Path, command: str) -> None:
    ended = place.run("assay run " + COMMANDS[command].replace("MARK", str(mark)))
    assert ended.status == 1, ended.said
    assert "the configuration has" in ended.said
    assert "Traceback" not in ended.said
    assert not sprung(mark)


FUNCTIONS = {
    "the environment": "${oc.env:HOME}",
    "the environment by a detour": "${oc.${export.a}:HOME}",
    "within another": "${oc.select:x,${oc.env:HOME}}",
    "decoded": "${oc.decode:'3'}",
    "created": "${oc.create:{a: 1}}",
    "in a list": ["${oc.env:HOME}"],
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_in_params(place: Place, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "a-secret-place")
    settings = {"evaluate": {"slices": FUNCTIONS[function]}, "export": {"a": "env"}}
    place.put({"params.yaml": yaml.safe_dump({"data": "digits", "model": "mlp", "set": settings})})
    ended = place.run("stage compose")
    assert ended.status == 1
    assert "evaluate.slices: " in ended.said
    assert "a-secret-place" not in ended.said


def test_what_a_hostile_run_holds_is_not_put_into_params(place: Place, mark: Path) -> None:
    before = (place.root / "params.yaml").read_text()
    config = {
        "choices": {"data": "digits", "model": "mlp"},
        "data": {"_target_": "assay.data.digits.Digits"},
        "model": {"_target_": "os.system", "command": f"touch {mark}"},
    }
    with explore_run(name="hostile", parent=None, config=config) as tracked:
        run = tracked.run_id
    ended = place.run(f"assay use run:{run}")
    assert ended.status == 1, ended.said
    assert "model._target_: 'os.system'" in ended.said
    assert (place.root / "params.yaml").read_text() == before
    assert not sprung(mark)
