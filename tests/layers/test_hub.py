"""Models of transformers as trunks: tiny ones, written here as the hub has them."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from tests.tiny import VOCABULARY, kept, of_our_own, of_the_hub

from assay.data.spec import read_spec
from assay.errors import ArtifactError, ConfigError
from assay.layers.shape import Shape
from assay.layers.versions import require_same_rows
from assay.model.ensemble import Ensemble
from assay.model.pretrained import Pretrained

TOKENS, IMAGE = Shape("tokens", (12, VOCABULARY)), Shape("image", (1, 12, 12))
SHAPES = {"bert": TOKENS, "gpt2": TOKENS, "resnet": IMAGE, "vit": IMAGE}


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module", params=sorted(SHAPES))
def made(request, tmp_path_factory):
    folder = of_the_hub(request.param, tmp_path_factory.mktemp(request.param))
    knobs = Pretrained(source=request.param, digest=kept(folder))
    torch.manual_seed(1)
    return knobs, SHAPES[request.param], knobs.build(SHAPES[request.param], 3).eval()


def _given(shape, rows, steps=5):
    torch.manual_seed(rows)
    if shape.kind == "image":
        return (torch.randn(rows, *shape.sizes),)
    lengths = torch.randint(1, steps + 1, (rows,))
    lengths[0] = steps
    ids = torch.randint(2, VOCABULARY, (rows, steps))
    return ids * (torch.arange(steps) < lengths[:, None]), lengths


def test_the_graph_gives_what_the_network_gives_at_any_size(made, tmp_path):
    _, shape, body = made
    axes = {0: torch.export.Dim("rows")}
    free = (axes,) if shape.kind == "image" else ({**axes, 1: torch.export.Dim("steps")}, axes)
    program = torch.onnx.export(
        body, _given(shape, 3, 7), dynamo=True, dynamic_shapes=(free,), verbose=False
    )
    program.save(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [node.name for node in session.get_inputs()]
    for rows, steps in ((1, 4), (7, 11)):
        given = _given(shape, rows, steps)
        (found,) = session.run(None, {n: g.numpy() for n, g in zip(names, given, strict=True)})
        np.testing.assert_allclose(found, body(*given).detach().numpy(), atol=2e-5)


def test_a_frozen_trunk_stays_as_it_is(made):
    knobs, shape, _ = made
    frozen = Pretrained(**{**vars(knobs), "frozen": True}).build(shape, 3)
    frozen.train()
    assert [n for n, p in frozen.named_parameters() if p.requires_grad] == [
        "head.1.weight",
        "head.1.bias",
    ]
    assert not any(module.training for module in frozen.trunk.modules())


def test_from_nothing_keeps_the_architecture_and_forgets_the_weights(made):
    knobs, shape, body = made
    fresh = knobs.yardstick().build(shape, 3)
    ours, theirs = body.state_dict(), fresh.state_dict()
    assert {n: t.shape for n, t in ours.items()} == {n: t.shape for n, t in theirs.items()}
    matrices = [n for n, t in body.trunk.named_parameters() if t.ndim > 1]
    assert matrices
    assert all(not torch.equal(ours[f"trunk.{n}"], theirs[f"trunk.{n}"]) for n in matrices)


def test_the_trunk_learns_slower_than_the_head(made):
    _, _, body = made
    assert {body.rate_of(n) for n, _ in body.named_parameters() if n.startswith("trunk")} == {0.1}
    assert body.rate_of("head.1.weight") == 1.0


@pytest.mark.parametrize(("name", "shape"), [("bert", IMAGE), ("resnet", TOKENS)])
def test_data_of_another_kind_is_refused(tmp_path, name, shape):
    digest = kept(of_the_hub(name, tmp_path))
    with pytest.raises(ConfigError, match=f"{name} cannot take {shape.kind} input"):
        Pretrained(source=name, digest=digest).build(shape, 3)


def test_tokens_that_the_model_does_not_know_are_refused(tmp_path):
    digest = kept(of_the_hub("bert", tmp_path))
    with pytest.raises(ConfigError, match="knows 400 tokens, the data has 401"):
        Pretrained(source="bert", digest=digest).build(Shape("tokens", (5, 401)), 3)


def test_weights_that_were_changed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    digest = kept(of_the_hub("bert", tmp_path / "model"))
    file = tmp_path / "home/cache/models" / digest / "config.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(ArtifactError, match="was changed"):
        Pretrained(source="bert", digest=digest).build(TOKENS, 3)


def test_a_version_of_our_own_gets_a_new_head(tmp_path):
    digest = kept(of_our_own(tmp_path, kind="image"))
    body = Pretrained(source="models:/x/1", digest=digest).build(Shape("image", (1, 8, 8)), 5)
    assert body(torch.randn(2, 1, 8, 8)).shape == (2, 5)


def test_an_ensemble_of_versions_is_the_mean_of_their_answers(tmp_path):
    digests = {}
    for number in (1, 2):
        folder = of_our_own(tmp_path / str(number), kind="image")
        digests[f"models:/x/{number}"] = kept(folder)
    shape = Shape("image", (1, 8, 8), answers="class")
    build = lambda *versions: Ensemble(versions=versions, pins=digests).build(shape, 3).eval()  # noqa: E731
    images = torch.randn(4, 1, 8, 8)
    both = build(*digests)(images).softmax(1)
    alone = [build(version)(images).softmax(1) for version in digests]
    torch.testing.assert_close(both, torch.stack(alone).mean(0))


def test_a_version_for_other_classes_is_refused(tmp_path):
    digest = kept(of_our_own(tmp_path, kind="image"))
    ensemble = Ensemble(versions=("models:/x/1",), pins={"models:/x/1": digest})
    with pytest.raises(ConfigError, match="ends in 3 outputs, this data asks for 4"):
        ensemble.build(Shape("image", (1, 8, 8)), 4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"class_counts": (1, 2, 3)}, r"class_counts\[0\] is \d+ there, 1 here"),
        ({"train_rows": 7}, r"train_rows is \d+ there, 7 here"),
        ({"task": "regression"}, "task is classification there, regression here"),
    ],
)
def test_a_version_of_other_rows_is_no_member(tmp_path, change, told):
    folder = of_our_own(tmp_path, kind="image")
    spec, digest = read_spec(folder / "spec.json"), kept(folder)
    ensemble = Ensemble(versions=("models:/x/1",), pins={"models:/x/1": digest})
    with pytest.raises(ConfigError, match=f"test split may be among them: {told}"):
        require_same_rows(ensemble, replace(spec, **change))


def test_a_version_of_the_same_rows_is_a_member_though_numbers_are_rounded_elsewhere(tmp_path):
    folder = of_our_own(tmp_path, kind="image")
    spec, digest = read_spec(folder / "spec.json"), kept(folder)
    ensemble = Ensemble(versions=("models:/x/1",), pins={"models:/x/1": digest})
    image = replace(spec.image, mean=tuple(m * (1 + 1e-9) for m in spec.image.mean))
    require_same_rows(ensemble, replace(spec, image=image, sensitive=("who",)))
    moved = replace(spec, image=replace(spec.image, mean=tuple(m + 0.01 for m in spec.image.mean)))
    with pytest.raises(ConfigError, match=r"image.mean\[0\] is"):
        require_same_rows(ensemble, moved)
