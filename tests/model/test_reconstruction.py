"""What every model that gives its input again promises; a model joins by saying so."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tests.synthetic import raw_of

from assay.config.load import build
from assay.layers.network import Network
from assay.layers.shape import forms_of
from assay.model.autoencoder import Autoencoder
from assay.split.learn import learn

ROOT = Path(__file__).parents[2]
BATCH = 32
FEATURES = {"table": 6, "image": 64, "sequence": 24}


def _knobs(file):
    return build({k: v for k, v in yaml.safe_load(file.read_text()).items() if k != "space"})


MODELS = {f.stem: _knobs(f) for f in sorted((ROOT / "conf/model").glob("*.yaml"))}
VARIANTS = {name: knobs for name, knobs in MODELS.items() if "input" in forms_of(knobs)}
VARIANTS["variational"] = Autoencoder(variational=True, noise=0.1)


def _network(knobs, kind, seed=0):
    """Return a network for data of this kind, and a batch of it."""
    raw = replace(raw_of(kind, "classification"), task="reconstruction")
    rows = torch.arange(BATCH).numpy()
    spec = learn(raw, train=rows, task="reconstruction")
    torch.manual_seed(seed)
    return Network(spec=spec, model=knobs), _batch(raw, spec, rows)


def _batch(raw, spec, rows):
    if spec.kind == "image":
        return {"image": torch.from_numpy(raw.images[rows])}
    if spec.kind == "sequence":
        lengths = torch.from_numpy(raw.series.lengths[rows])
        return {"sequence": torch.from_numpy(raw.series.padded(rows)), "lengths": lengths}
    numbers = raw.frame[[c.name for c in spec.numeric]].to_numpy("float32")[rows]
    return {
        "numeric": torch.from_numpy(numbers),
        "categorical": torch.ones((len(rows), len(spec.categorical)), dtype=torch.int64),
    }


@pytest.fixture(params=sorted(VARIANTS))
def knobs(request):
    return VARIANTS[request.param]


every_kind = pytest.mark.parametrize("kind", sorted(FEATURES))


@every_kind
def test_it_gives_what_it_was_given_beside_it(knobs, kind):
    network, batch = _network(knobs, kind)
    pair = network.eval()(**batch)
    assert pair.shape == (BATCH, 2, FEATURES[kind])
    given = network.adapter(*network.preprocess(**batch))[0]
    assert torch.equal(pair[:, 1], given.flatten(1))
    error = network.predict(**batch)
    torch.testing.assert_close(error, (pair[:, 0] - pair[:, 1]).square().mean(1))


@every_kind
def test_it_learns_with_finite_gradients_for_every_weight(knobs, kind):
    network, batch = _network(knobs, kind)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = network.eval().predict(**batch).mean().item()
    network.train()
    for _ in range(150):
        optimizer.zero_grad()
        pair, penalty = network(**batch), network.penalty()
        loss = (pair[:, 0] - pair[:, 1]).square().mean()
        (loss if penalty is None else loss + penalty).backward()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters())
        optimizer.step()
    assert network.eval().predict(**batch).mean().item() < 0.5 * before


@every_kind
def test_weights_survive_a_file_and_rows_do_not_see_their_neighbours(knobs, kind, tmp_path):
    network, batch = _network(knobs, kind)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    again, _ = _network(knobs, kind, seed=1)
    assert not torch.equal(again.eval()(**batch), network.eval()(**batch))
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(again(**batch), network(**batch))
    alone = network(**{name: tensor[:1] for name, tensor in batch.items()})
    torch.testing.assert_close(alone[0, 0], network(**batch)[0, 0], rtol=1e-4, atol=1e-5)


def test_the_divergence_is_that_from_the_standard_normal():
    network, batch = _network(Autoencoder(variational=True, beta=1.0), "image")
    network.train()(**batch)
    codes = network.body.encode(network.preprocess(**batch)[0])
    mean, log_variance = codes.chunk(2, dim=1)
    drawn = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    standard = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(drawn, standard).sum(1).mean() * 2 / 64
    torch.testing.assert_close(network.penalty(), expected)


def test_only_a_variational_one_draws_and_only_in_training():
    plain, batch = _network(Autoencoder(), "image")
    drawing, _ = _network(Autoencoder(variational=True), "image")
    plain.train()(**batch)
    assert plain.penalty() is None
    assert torch.equal(drawing.eval()(**batch), drawing(**batch))
    assert not torch.equal(drawing.train()(**batch), drawing(**batch))
