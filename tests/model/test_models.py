"""What every model promises; a model joins by having a file."""

import dataclasses
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tests.synthetic import write_inputs

from assay.config.load import build
from assay.data.spec import OF_STEPS
from assay.layers.network import Network
from assay.layers.preprocess import mask
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


LEARNED = {"language_modelling": 0.8}  # of the first loss; many texts begin alike
TASKS = {
    "row": ("classification", "regression"),
    "step": ("language_modelling", "tagging"),
    "input": ("reconstruction",),
}


def _kinds(name, form):
    """What a model is given for answers of this form: only tokens have answers for steps here."""
    return [kind for kind in _knobs(name).takes if form != "step" or kind == "tokens"]


CASES = [
    pytest.param(name, kind, task, id=f"{name}-{kind}-{task}")
    for name in NAMES
    for form in forms_of(_knobs(name))
    if form in ("row", "step")
    for kind in _kinds(name, form)
    for task in TASKS[form]
]

HARD = [case for case in CASES if case.values[2] in ("classification", "language_modelling")]
"""One task for each form of answer: what takes long is done once for each model and kind."""


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
    rows = np.arange(BATCH)
    batch = {n: torch.from_numpy(a) for n, a in inputs.train.batch(rows).items()}
    return knobs, inputs.spec, batch, torch.from_numpy(inputs.train.targets(rows).copy())


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
    steps = (batch["tokens"].shape[1],) if spec.task in OF_STEPS else ()
    assert outputs.shape == (BATCH, *steps, spec.outputs)
    assert outputs.dtype == torch.float32
    answer = network.predict(**batch)
    assert torch.isfinite(answer).all()
    if spec.task in ("classification", "tagging"):
        torch.testing.assert_close(answer.sum(-1), torch.ones(BATCH, *steps))
    elif spec.task == "language_modelling":
        torch.testing.assert_close(answer.exp().sum(-1), torch.ones(BATCH, *steps))
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


@pytest.mark.parametrize("case", [p.values for p in HARD], ids=[p.id for p in HARD], indirect=True)
def test_it_learns_one_batch_by_heart(case):
    knobs, spec, batch, target = case
    network = _network(knobs, spec)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = _loss(network.eval(), batch, target, spec).item()
    network.train()
    for _ in range(100):
        optimizer.zero_grad()
        _loss(network, batch, target, spec).backward()
        optimizer.step()
    assert _loss(network.eval(), batch, target, spec).item() < LEARNED.get(spec.task, 0.3) * before


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
    both = network(**batch)[:1]
    if spec.task in OF_STEPS:
        length = int(batch["lengths"][0])
        alone, both = alone[:, :length], both[:, :length]
    torch.testing.assert_close(alone, both, rtol=1e-4, atol=1e-5)


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
    answer = network(**changed)
    if spec.task in OF_STEPS:  # of the steps before each row's end
        is_inside = mask(batch["lengths"], steps=batch["tokens"].shape[1])
        answer = answer[:, : is_inside.shape[1]][is_inside]
        torch.testing.assert_close(answer, network(**batch)[is_inside], rtol=1e-4, atol=1e-5)
    else:
        torch.testing.assert_close(answer, network(**batch), rtol=1e-4, atol=1e-5)
