"""What every model promises; a model joins by having a file."""

import dataclasses
import importlib
import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tests.synthetic import write_inputs

from assay.config.load import build
from assay.layers.network import Network
from assay.layers.shape import forms_of
from assay.training.knobs import Training
from assay.training.losses import build_loss

ROOT = Path(__file__).parents[2]
NAMES = sorted(p.stem for p in (ROOT / "src/assay/model").glob("[a-z]*.py"))
GIVEN_BY = {"vector": "table", "image": "image", "sequence": "sequence", "tokens": "text"}
BATCH = 32


def _conf(name):
    return yaml.safe_load((ROOT / f"conf/model/{name}.yaml").read_text())


def _knobs(name):
    return build({key: value for key, value in _conf(name).items() if key != "space"})


def _given(name, kind):
    """The knobs of a model, with what it must be given before it can be built, where it says so."""
    place = Path(__file__).with_name(f"given_{name}.py")
    if not place.is_file():
        return _knobs(name)
    module = importlib.import_module(f"tests.model.given_{name}")
    return dataclasses.replace(_knobs(name), **module.knobs(kind))


CASES = [
    pytest.param(name, kind, task, id=f"{name}-{kind}-{task}")
    for name in NAMES
    if "row" in forms_of(_knobs(name))
    for kind in _knobs(name).takes
    for task in ("classification", "regression")
]


@pytest.fixture(scope="session")
def inputs_of(tmp_path_factory):
    made = {}

    def make(kind, task):
        if (kind, task) not in made:
            folder = tmp_path_factory.mktemp("prepared")
            made[kind, task] = write_inputs(folder, kind=GIVEN_BY[kind], task=task)
        return made[kind, task]

    return make


@pytest.fixture
def case(request, inputs_of):
    name, kind, task = request.param
    knobs = _given(name, kind)
    inputs = inputs_of(kind, task)
    batch = {n: torch.from_numpy(a[:BATCH]) for n, a in inputs.train.whole().items()}
    return knobs, inputs.spec, batch, torch.from_numpy(inputs.train.target[:BATCH].copy())


every_case = pytest.mark.parametrize(
    "case", [p.values for p in CASES], ids=[p.id for p in CASES], indirect=True
)


def _network(knobs, spec, seed=0):
    torch.manual_seed(seed)
    return Network(spec=spec, model=knobs)


def _loss(network, batch, target, spec):
    loss = build_loss(Training(), spec=spec, device=torch.device("cpu"))
    return loss(network(**batch), target)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_a_module_with_one_public_class_and_a_file(name):
    package, _, cls = _conf(name)["_target_"].rpartition(".")
    assert package == f"assay.model.{name}"
    assert cls.lower() == name.replace("_", "")
    knobs = getattr(importlib.import_module(package), cls)
    assert dataclasses.is_dataclass(knobs) and knobs.__dataclass_params__.frozen


@pytest.mark.parametrize("name", NAMES)
def test_the_file_holds_every_knob_at_its_default(name):
    written = {k: v for k, v in _conf(name).items() if k not in ("_target_", "space")}
    assert written == json.loads(json.dumps(dataclasses.asdict(type(_knobs(name))())))


@every_case
def test_outputs_have_the_contract_s_shape(case):
    knobs, spec, batch, _ = case
    network = _network(knobs, spec).eval()
    outputs = network(**batch)
    assert outputs.shape == (BATCH, spec.outputs)
    assert outputs.dtype == torch.float32
    answer = network.predict(**batch)
    assert torch.isfinite(answer).all()
    if spec.task == "classification":
        torch.testing.assert_close(answer.sum(1), torch.ones(BATCH))
    else:
        assert answer.shape == (BATCH,)


@every_case
def test_every_weight_gets_a_finite_gradient(case):
    knobs, spec, batch, target = case
    network = _network(knobs, spec)
    _loss(network, batch, target, spec).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@every_case
def test_it_learns_one_batch_by_heart(case):
    knobs, spec, batch, target = case
    network = _network(knobs, spec)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = _loss(network.eval(), batch, target, spec).item()
    network.train()
    for _ in range(150):
        optimizer.zero_grad()
        _loss(network, batch, target, spec).backward()
        optimizer.step()
    assert _loss(network.eval(), batch, target, spec).item() < 0.3 * before


@every_case
def test_the_same_seed_gives_the_same_weights(case):
    knobs, spec, _, _ = case
    first, second = (_network(knobs, spec, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = _network(knobs, spec, seed=4).state_dict()
    assert any(not torch.equal(first[name], other[name]) for name in first)


@every_case
def test_weights_survive_a_file(case, tmp_path):
    knobs, spec, batch, _ = case
    network = _network(knobs, spec).eval()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    again = _network(knobs, spec, seed=1).eval()
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(network(**batch), again(**batch))


@every_case
def test_a_row_s_answer_does_not_depend_on_its_neighbours(case):
    knobs, spec, batch, _ = case
    network = _network(knobs, spec).eval()
    alone = network(**{name: tensor[:1] for name, tensor in batch.items()})
    torch.testing.assert_close(alone, network(**batch)[:1], rtol=1e-4, atol=1e-5)


@every_case
def test_what_lies_after_a_row_s_end_does_not_change_its_answer(case):
    knobs, spec, batch, _ = case
    if "lengths" not in batch:
        return
    network = _network(knobs, spec).eval()
    changed = dict(batch)
    for name in {"sequence", "tokens"} & set(batch):
        after = torch.full_like(batch[name][:, :3], 7)
        changed[name] = torch.cat([batch[name], after], dim=1)
    torch.testing.assert_close(network(**changed), network(**batch), rtol=1e-4, atol=1e-5)
