"""A fit that is cut off anywhere, and begun again, ends as one that was not."""

import json
import os
import random
import signal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import signals
from assay.augmentation.knobs import Augmentation, OfImages
from assay.errors import Terminated
from assay.layers.network import Network
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.training.checkpoint import Checkpoints
from assay.training.fit import fit
from assay.training.knobs import Checkpointing, EarlyStopping, Training
from assay.training.randomness import random_state, set_random_state

EVERY_STEP = Checkpointing(every_steps=1, every_seconds=None)
AUGMENTED = Augmentation(image=OfImages(shift=0.1, erase=0.5, noise=0.1, mixup=0.4))
KNOBS = {"max_epochs": 4, "batch_size": 16, "early_stopping": EarlyStopping(patience=2)}


class Killed(BaseException):
    """Stands for a kill: it comes right after a checkpoint was written."""


class Deadly(Checkpoints):
    """Kills the fit after so many checkpoints."""

    def __init__(self, folder, *, after):
        super().__init__(folder, EVERY_STEP)
        self._left = after

    def write(self, state, *, step):
        super().write(state, step=step)
        self._left -= 1
        if not self._left:
            raise Killed


def _fit(inputs, checkpoints=None, *, model=None, rows=None, on_epoch=None, **knobs):
    torch.manual_seed(0)
    network = Network(spec=inputs.spec, model=model or Mlp(width=16, depth=1, dropout=0.2))
    found = {} if rows is None else rows
    return fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=inputs.spec,
        knobs=Training(**{**KNOBS, **knobs}),
        seed=0,
        on_epoch=on_epoch or (lambda epoch, row: found.__setitem__(epoch, dict(row))),
        progress=False,
        checkpoints=checkpoints,
    )


def _same(first, second):
    assert first.history == second.history
    assert (first.best_epoch, first.best_value) == (second.best_epoch, second.best_value)
    assert first.weights.keys() == second.weights.keys()
    assert all(torch.equal(first.weights[n], second.weights[n]) for n in first.weights)


def _resumed(inputs, folder, *, kills, **options):
    """Fit, cut off after each of ``kills`` further checkpoints."""
    for after in kills:
        random.seed(after), np.random.seed(after), torch.manual_seed(after)
        try:
            return _fit(inputs, Deadly(folder, after=after), **options)
        except Killed:
            continue
    return _fit(inputs, Checkpoints(folder, EVERY_STEP), **options)


@pytest.fixture(scope="module")
def whole(images):
    return _fit(images)


@settings(max_examples=8, deadline=None)
@given(kills=st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_a_fit_that_was_cut_off_anywhere_ends_the_same(images, whole, tmp_path_factory, kills):
    rows = {}
    resumed = _resumed(images, tmp_path_factory.mktemp("kept"), kills=kills, rows=rows)
    _same(whole, resumed)
    assert list(rows) == list(range(1, len(whole.history) + 1))
    assert list(rows.values()) == list(whole.history)


@pytest.mark.parametrize(
    "options",
    [
        {"model": Cnn(width=4)},
        {"optimizer": "sgd", "schedule": "onecycle"},
        {"optimizer": "rmsprop", "schedule": "step"},
        {"precision": "bf16-mixed"},
        {"model": Cnn(width=4), "average": 0.9},
        {"limit_batches": 1},
        {"augmentation": AUGMENTED},
        {"early_stopping": EarlyStopping(patience=2, min_delta=100.0)},
    ],
    ids=str,
)
def test_every_part_of_the_state_is_kept(images, tmp_path, options):
    kills = [1, 3, 2, 4, 11, 3]
    _same(_fit(images, **options), _resumed(images, tmp_path, kills=kills, **options))


def test_epochs_after_the_rest_of_one_are_whole(numbers, tmp_path):
    options = {"batch_size": 4, "max_epochs": 3}
    _same(_fit(numbers, **options), _resumed(numbers, tmp_path, kills=[12, 20], **options))


def test_a_checkpoint_of_the_end_is_gone_on_from(images, whole, tmp_path):
    first = _fit(images, Checkpoints(tmp_path, EVERY_STEP))
    rows = {}
    again = _fit(images, Checkpoints(tmp_path, EVERY_STEP), rows=rows)
    _same(whole, first)
    _same(whole, again)
    assert len(rows) == len(whole.history)


def _terminate(number, frame):
    raise Terminated


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_leaves_a_checkpoint(images, whole, tmp_path, number, kind):
    seldom = Checkpointing(every_steps=None, every_seconds=None)

    def on_epoch(epoch, row):
        if epoch == 2:
            os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with pytest.raises(kind):
            _fit(images, Checkpoints(tmp_path, seldom), on_epoch=on_epoch)
        assert signal.getsignal(signal.SIGTERM) is _terminate
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(list(tmp_path.glob("*.ckpt"))) == 1
    rows = {}
    _same(whole, _fit(images, Checkpoints(tmp_path, seldom), rows=rows))
    assert list(rows) == list(range(1, len(whole.history) + 1))


def test_a_second_signal_acts_at_once(images, tmp_path, monkeypatch):
    monkeypatch.setattr(signals, "AGAIN_SECONDS", 0.0)
    seen = []

    def on_epoch(epoch, row):
        os.kill(os.getpid(), signal.SIGINT)
        seen.append("waits")
        os.kill(os.getpid(), signal.SIGINT)
        seen.append("never")

    with pytest.raises(KeyboardInterrupt):
        _fit(images, Checkpoints(tmp_path, Checkpointing(every_seconds=None)), on_epoch=on_epoch)
    assert seen == ["waits"]


def _cut(file):
    os.truncate(file, file.stat().st_size // 2)


def _flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _forget(file):
    file.with_suffix(".json").unlink()


def _blank(file):
    file.with_suffix(".json").write_text("[]")


@pytest.mark.parametrize("damage", [_cut, _flip, _forget, _blank])
def test_a_damaged_checkpoint_is_passed_over(images, whole, tmp_path, caplog, damage):
    with pytest.raises(Killed):
        _fit(images, Deadly(tmp_path, after=7))
    earlier, latest = sorted(tmp_path.glob("*.ckpt"))
    damage(latest)
    state = Checkpoints(tmp_path, EVERY_STEP).read()
    assert state["step"] == int(earlier.stem.removeprefix("step-"))
    assert latest.stem in caplog.text and "passed over" in caplog.text
    _same(whole, _fit(images, Checkpoints(tmp_path, EVERY_STEP)))


def test_where_all_are_damaged_the_fit_begins_anew(images, whole, tmp_path):
    with pytest.raises(Killed):
        _fit(images, Deadly(tmp_path, after=7))
    for file in tmp_path.glob("*.ckpt"):
        _cut(file)
    _same(whole, _fit(images, Checkpoints(tmp_path, EVERY_STEP)))


def test_two_are_kept_and_they_hold_tensors_numbers_and_strings(images, tmp_path):
    _fit(images, Checkpoints(tmp_path, EVERY_STEP))
    files = sorted(tmp_path.iterdir())
    assert [f.suffix for f in files] == [".ckpt", ".json", ".ckpt", ".json"]
    state = torch.load(files[-2], weights_only=True)
    assert {"modules", "optimizers", "scaler", "random", "record", "sum"} <= set(state)
    assert json.loads(files[-1].read_text())["bytes"] == files[-2].stat().st_size


def test_a_disk_that_refuses_costs_a_warning(images, whole, tmp_path, caplog):
    taken = tmp_path / "file"
    taken.write_text("")
    _same(whole, _fit(images, Checkpoints(taken / "folder", EVERY_STEP)))
    assert "no checkpoint at step 1" in caplog.text


def test_by_the_clock_it_costs_a_twentieth_at_most(tmp_path, monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 10.0, 42.0, 43.0])
    monkeypatch.setattr("assay.training.checkpoint.time.monotonic", lambda: next(clock))
    kept = Checkpoints(tmp_path, Checkpointing(every_seconds=5.0))
    kept.write({}, step=1)
    assert not kept.is_due(1)
    assert not kept.is_due(2)
    assert not kept.is_due(2)
    assert kept.is_due(2)


def test_random_states_are_set_as_they_were():
    random.gauss(0, 1), np.random.normal(), torch.rand(1)
    state = random_state()
    first = random.gauss(0, 1), random.random(), np.random.normal(), torch.rand(2).tolist()
    set_random_state(state)
    assert first == (
        random.gauss(0, 1),
        random.random(),
        np.random.normal(),
        torch.rand(2).tolist(),
    )
