import logging
import math
import os
import random
import signal
import threading
import warnings

import numpy as np
import pytest
import torch

from assay.errors import ConfigError, Terminated, TrainingError
from assay.layers.network import Network
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.training.average import Average
from assay.training.fit import fit
from assay.training.knobs import EarlyStopping, Training
from assay.training.optimizers import build_optimizer

SMALL = Mlp(width=16, depth=1)


def _fit(inputs, *, model=SMALL, seed=0, on_epoch=lambda epoch, row: None, progress=False, **knobs):
    torch.manual_seed(seed)
    network = Network(spec=inputs.spec, model=model)
    settings = {"max_epochs": 3, "batch_size": 16, **knobs}
    result = fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=inputs.spec,
        knobs=Training(**settings),
        seed=seed,
        on_epoch=on_epoch,
        progress=progress,
    )
    return network, result


def _equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


@pytest.mark.parametrize("model", [Mlp(dropout=0.2), Cnn(width=4)])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(images, model):
    _, first = _fit(images, model=model)
    random.random(), np.random.rand(), torch.rand(3)
    _, second = _fit(images, model=model)
    assert _equal(first.weights, second.weights)
    assert first.history == second.history
    _, other = _fit(images, model=model, seed=1)
    assert not _equal(first.weights, other.weights)


def _columns(row):
    return [name for name in row if not name.startswith("gradient_")]


def test_it_learns(images):
    _, result = _fit(images, model=Cnn(width=8), max_epochs=15, lr=0.01)
    assert result.history[result.best_epoch - 1]["valid_accuracy"] > 0.9


def test_a_row_an_epoch_and_the_best_weights(images):
    rows = {}
    network, result = _fit(
        images, max_epochs=6, lr=0.05, on_epoch=lambda e, r: rows.__setitem__(e, dict(r))
    )
    assert list(rows) == [1, 2, 3, 4, 5, 6]
    assert list(rows.values()) == list(result.history)
    columns = ["train_loss", "valid_loss", "valid_log_loss", "valid_accuracy", "lr"]
    assert _columns(result.history[0]) == columns
    losses = [row["valid_log_loss"] for row in result.history]
    assert result.best_value == min(losses)
    assert result.best_epoch == losses.index(min(losses)) + 1
    assert _equal(network.state_dict(), result.weights)
    assert not network.training


def test_the_row_s_metrics_are_those_of_the_weights(numbers):
    network, result = _fit(numbers, max_epochs=1)
    inputs = {n: torch.from_numpy(a) for n, a in numbers.valid.whole().items()}
    answer = network.predict(**inputs).detach().numpy().astype(float)
    error = answer - numbers.valid.target
    row = result.history[0]
    assert _columns(row) == ["train_loss", "valid_loss", "valid_rmse", "valid_r2", "lr"]
    assert row["valid_rmse"] == pytest.approx(math.sqrt((error**2).mean()), rel=1e-5)
    assert row["valid_r2"] == pytest.approx(
        1 - (error**2).mean() / numbers.valid.target.var(), rel=1e-4
    )
    scaled = (error**2).mean() / numbers.spec.target_std**2
    assert row["valid_loss"] == pytest.approx(scaled, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "onecycle"])
def test_every_optimizer_learns(images, optimizer, schedule):
    lr = 0.05 if optimizer == "sgd" else 0.003
    chosen = {"optimizer": optimizer, "schedule": schedule, "lr": lr, "max_epochs": 10}
    _, result = _fit(images, **chosen)
    assert result.best_value < 0.8 * math.log(3)


def test_momentum_may_be_zero(images):
    _fit(images, optimizer="sgd", momentum=0.0, max_epochs=1)
    _fit(images, optimizer="rmsprop", momentum=0.0, max_epochs=1)


def test_biases_and_normalisation_are_not_decayed(images):
    network = Network(spec=images.spec, model=Cnn(width=4))
    optimizer = build_optimizer(network, knobs=Training(weight_decay=0.5), is_fused=True)
    decayed, free = optimizer.param_groups
    assert decayed["weight_decay"] == 0.5 and all(p.ndim > 1 for p in decayed["params"])
    assert free["weight_decay"] == 0.0 and all(p.ndim == 1 for p in free["params"])


def test_early_stopping_waits_for_its_patience(images):
    stopping = EarlyStopping(patience=2, min_delta=100.0)
    _, result = _fit(images, max_epochs=20, early_stopping=stopping)
    assert len(result.history) == 3
    assert result.best_value == min(row["valid_log_loss"] for row in result.history)


def test_averaged_weights_are_those_that_are_validated_and_kept(numbers):
    options = {"max_epochs": 2, "lr": 0.01, "average": 0.9}
    network, result = _fit(numbers, **options)
    _, plain = _fit(numbers, **{**options, "average": None})
    assert [row["train_loss"] for row in result.history] == [
        row["train_loss"] for row in plain.history
    ]
    assert not _equal(result.weights, plain.weights)
    assert result.weights.keys() == plain.weights.keys()
    inputs = {n: torch.from_numpy(a) for n, a in numbers.valid.whole().items()}
    error = network.predict(**inputs).detach().numpy().astype(float) - numbers.valid.target
    assert result.best_value == pytest.approx(math.sqrt((error**2).mean()), rel=1e-5)


def test_an_average_is_the_recursion_of_its_definition(numbers):
    torch.manual_seed(0)
    network = Network(spec=numbers.spec, model=Mlp(width=4, depth=1, normalisation="batch"))
    average = Average(network, decay=0.8)
    expected = None
    for step in range(5):
        for tensor in [*network.parameters(), *network.buffers()]:
            tensor.data = tensor + 1 if tensor.dtype == torch.int64 else torch.randn_like(tensor)
        average.follow(network)
        now = {n: t.double().clone() for n, t in network.state_dict().items()}
        expected = now if not step else {n: 0.8 * expected[n] + 0.2 * now[n] for n in now}
    found = average.network.state_dict()
    floats = [name for name, tensor in found.items() if tensor.is_floating_point()]
    assert len(floats) > 4
    assert all(torch.allclose(found[n].double(), expected[n], atol=1e-6) for n in floats)
    theirs = dict(network.named_buffers())
    counts = [n for n, t in average.network.named_buffers() if not t.is_floating_point()]
    assert counts
    assert all(torch.equal(dict(average.network.named_buffers())[n], theirs[n]) for n in counts)


def test_limited_batches_and_single_rows_train(images):
    _, result = _fit(images, limit_batches=1, max_epochs=1)
    assert len(result.history) == 1
    _fit(images, model=Mlp(normalisation="batch"), batch_size=len(images.train) - 1, max_epochs=1)


def test_bf16_trains_and_keeps_plain_floats(images):
    _, result = _fit(images, precision="bf16-mixed", max_epochs=2)
    kinds = {tensor.dtype for tensor in result.weights.values() if tensor.is_floating_point()}
    assert kinds == {torch.float32}


def test_a_diverging_fit_says_what_to_lower(images):
    with pytest.raises(TrainingError, match=r"epoch 1.*lower training\.lr"):
        _fit(images, optimizer="sgd", lr=1e30, gradient_clip=None, warmup=0.0)


class Stop(Exception):
    """Stands for the prune signal."""


@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt, Terminated, SystemExit])
def test_what_on_epoch_raises_comes_out_unchanged(images, kind):
    raised = kind("enough")

    def on_epoch(epoch, row):
        if epoch == 2:
            raise raised

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(kind) as caught:
        _fit(images, on_epoch=on_epoch)
    assert caught.value is raised or kind is KeyboardInterrupt
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def _terminate(number, frame):
    raise Terminated


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_signals_reach_the_process_s_own_handlers(images, number, kind, monkeypatch):
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with pytest.raises(kind):
            _fit(images, max_epochs=50, on_epoch=lambda e, r: os.kill(os.getpid(), number))
        assert signal.getsignal(signal.SIGTERM) is _terminate
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_process_s_handlers_are_in_force_during_the_fit(images):
    seen = []
    before = signal.getsignal(signal.SIGTERM)
    _fit(images, on_epoch=lambda e, r: seen.append(signal.getsignal(signal.SIGTERM)))
    assert set(seen) == {before}


def test_it_works_in_a_thread(images):
    found = []
    thread = threading.Thread(target=lambda: found.append(_fit(images, max_epochs=1)))
    thread.start()
    thread.join()
    assert found


def test_it_leaves_no_files_and_no_noise(images, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(), caplog.at_level(logging.INFO):
        warnings.simplefilter("error")
        _fit(images)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_progress_is_lines_in_the_log_where_there_is_no_terminal(images, caplog):
    with caplog.at_level(logging.INFO, logger="assay"):
        _fit(images, progress=True, max_epochs=20)
    lines = [record.message for record in caplog.records]
    assert len(lines) == 11
    assert lines[-1].startswith("epoch 20/20: loss ") and "valid log_loss" in lines[-1]


def test_global_switches_are_left_as_they_were(images):
    threads = torch.get_num_threads()
    _fit(images, max_epochs=1, threads=1, deterministic=True)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_device_that_is_not_there_is_refused(images, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"training\.device: mps was asked for; this machine has"):
        _fit(images, device="mps")
    with pytest.raises(ConfigError, match=r"training\.precision: 16-mixed needs a GPU"):
        _fit(images, device="cpu", precision="16-mixed")
