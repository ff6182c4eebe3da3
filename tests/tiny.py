"""Tiny trained models of each kind, in folders of their own, and kept as compose keeps them."""

from dataclasses import replace
from pathlib import Path

import torch
import transformers

from assay.artifacts.borrowed import keep
from assay.artifacts.files import write_yaml
from assay.data.spec import Kind, Spec, Task
from assay.model.gan import Gan
from assay.model.mlp import Mlp
from assay.pipeline.fitting.network import build_network, write_weights
from tests.synthetic import write_inputs

VOCABULARY = 400
_TEXT = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2}
_TEXT |= {"num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 64}
CONFIGS = {
    "bert": lambda: transformers.BertConfig(**_TEXT),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=64
    ),
    "resnet": lambda: transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
    ),
    "vit": lambda: transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=16,
        patch_size=4,
    ),
}


def of_the_hub(name: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a tiny model of ``transformers`` as the hub has it: a configuration and safetensors."""
    torch.manual_seed(seed)
    transformers.AutoModel.from_config(CONFIGS[name]()).save_pretrained(folder)
    return folder


def kept(folder: Path) -> str:
    """Keep a folder's files as compose does; its digest."""
    return keep(sorted(file for file in folder.iterdir() if file.is_file()))


def of_our_own(folder: Path, *, kind: Kind, task: Task = "classification") -> Path:
    """Write what a registered version was trained to: a perceptron on synthetic data."""
    inputs = write_inputs(folder / "prepared", kind=kind, task=task)
    network = build_network(Mlp(width=16), inputs.spec, seed=5)
    inputs.spec.write(folder / "spec.json")
    write_weights(folder / "weights.safetensors", network.state_dict())
    node = {"_target_": "assay.model.mlp.Mlp", **vars(Mlp(width=16))}
    write_yaml(folder / "effective.yaml", {"model": node})
    return folder


def a_generator(folder: Path, spec: Spec) -> Path:
    """Write what a registered generator of these images was trained to: one that learned nothing."""
    folder.mkdir(parents=True)
    made = replace(spec, task="generation")
    network = build_network(Gan(latent=4, channels=4), made, seed=5)
    with torch.no_grad():  # an opinion that differs from sample to sample
        noise = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
        judge, images = network.eval().judge, network.predict(noise=noise)
        middle = judge.body.features(*judge.preprocess(image=images)).mean(0)
        judge.body.head.bias.copy_(-judge.body.head.weight @ middle)
    made.write(folder / "spec.json")
    write_weights(folder / "weights.safetensors", network.state_dict())
    node = {"_target_": "assay.model.gan.Gan", **vars(Gan(latent=4, channels=4))}
    write_yaml(folder / "effective.yaml", {"model": node})
    return folder
