"""Specs of config_spec with real optimizers and modules, up to the training config of a robot policy."""

from __future__ import annotations

import functools
import json
from typing import Any

import config_spec as peer
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from callsheet import build, check, load, override, save
from callsheet.compat.config_spec import Spec, asdict, from_spec, to_spec

HERE = __name__


def create_model(num_layers: int = 2, activations: Any = torch.tanh) -> nn.Module:
    return Activated([nn.Linear(2, 2) for _ in range(num_layers)], activations)


class Activated(nn.Module):
    def __init__(self, layers: list, activation: Any):
        super().__init__()
        self.layers, self.activation = nn.ModuleList(layers), activation

    def forward(self, x):
        for layer in self.layers:
            x = self.activation(layer(x))
        return x


def test_the_document_of_origin_with_its_own_optimizers():
    model_of = {"num_layers": 3, "activations": Spec(F.relu)}
    config = asdict({"tx": Spec(torch.optim.Adam, lr=1e-3), "model": Spec(create_model, **model_of)})
    config = json.loads(json.dumps(config))
    model = Spec.instantiate_from_dict(config["model"])()
    tx = Spec.instantiate_from_dict(config["tx"])(model.parameters())
    assert type(tx) is torch.optim.Adam
    assert (tx.defaults["lr"], model.activation) == (1e-3, F.relu)

    config["tx"]["lr"] = 1e-4
    config["tx"]["target"] = "torch.optim:AdamW"
    config["tx"]["beta1"] = 0.9
    config["model"]["activations"]["target"] = "torch.nn.functional:gelu"
    edited = Spec.instantiate_from_dict(config["tx"])
    assert (edited.func, edited.keywords) == (torch.optim.AdamW, {"lr": 1e-4, "beta1": 0.9})
    assert Spec.instantiate_from_dict(config["model"])().activation is F.gelu


def test_a_spec_of_adam_reads_as_the_document_shows_it():
    spec = Spec(torch.optim.Adam, lr=1e-3)
    assert repr(spec) == "<Spec: functools.partial(torch.optim.adam:Adam, lr=0.001)>"
    assert dict(spec) == {"target": "torch.optim.adam:Adam", "lr": 1e-3, "__dense_spec__": True}
    made = Spec.instantiate_from_dict(dict(spec))
    assert (made.func, made.keywords) == (spec.instantiate().func, spec.instantiate().keywords)


def test_functions_that_torch_keeps_under_another_name_are_found():
    data = Spec.asdict(Spec(torch.square)(torch.tensor(3.0)))
    assert data["_target_"] == "torch:square"
    assert Spec.instantiate(data).item() == 9.0


# --- the training config of a robot policy: tokenizers, heads, an optimizer with a schedule, and how data are prepared


class PatchEncoder(nn.Module):
    def __init__(self, dim: int, patch: int = 4):
        super().__init__()
        self.conv = nn.Conv2d(3, dim, patch, stride=patch)

    def forward(self, image):
        return self.conv(image).flatten(2).transpose(1, 2)


class ImageTokenizer(nn.Module):
    def __init__(self, encoder: Any, dim: int, key: str = "image"):
        super().__init__()
        self.encoder, self.key = encoder(dim), key

    def forward(self, batch):
        return self.encoder(batch[self.key])


class StateTokenizer(nn.Module):
    def __init__(self, dim: int, size: int = 4, activation: Any = F.relu):
        super().__init__()
        self.project, self.activation = nn.Linear(size, dim), activation

    def forward(self, batch):
        return self.activation(self.project(batch["state"]))[:, None]


class MSEHead(nn.Module):
    def __init__(self, dim: int, action_dim: int = 2):
        super().__init__()
        self.project = nn.Linear(dim, action_dim)

    def loss(self, tokens, actions):
        return F.mse_loss(self.project(tokens.mean(1)), actions)


class L1Head(MSEHead):
    def loss(self, tokens, actions):
        return F.l1_loss(self.project(tokens.mean(1)), actions)


class Policy(nn.Module):
    def __init__(self, tokenizers: dict, head: Any, dim: int, heads: int = 2):
        super().__init__()
        self.tokenizers = nn.ModuleDict({name: make(dim=dim) for name, make in tokenizers.items()})
        self.mix = nn.TransformerEncoderLayer(dim, heads, 2 * dim, dropout=0.0, batch_first=True)
        self.head = head(dim)

    def loss(self, batch):
        tokens = torch.cat([tokenizer(batch) for tokenizer in self.tokenizers.values()], dim=1)
        return self.head.loss(self.mix(tokens), batch["action"])


def warmup(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / steps)


def scale_actions(batch: dict, factor: float = 1.0) -> dict:
    return {**batch, "action": batch["action"] * factor}


def robot_data(standardize: Any, batch_size: int, seed: int = 0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    batch = {
        "image": torch.randn(batch_size, 3, 8, 8, generator=generator),
        "state": torch.randn(batch_size, 4, generator=generator),
        "action": torch.randn(batch_size, 2, generator=generator),
    }
    while True:
        yield standardize(batch)


def training_config(cls: Any) -> dict:
    return {
        "seed": 42,
        "num_steps": 8,
        "model": cls(
            Policy,
            tokenizers={
                "primary": cls(ImageTokenizer, encoder=cls(PatchEncoder, patch=4), key="image"),
                "proprio": functools.partial(StateTokenizer, activation=F.gelu),
            },
            head=cls(MSEHead, action_dim=2),
            dim=8,
        ),
        "optimizer": {
            "make": functools.partial(torch.optim.Adam, lr=1e-2, betas=[0.9, 0.99]),
            "schedule": cls(warmup, steps=3),
        },
        "datasets": [
            {"name": "bridge", "weight": 0.5, "load": cls(robot_data, cls(scale_actions, factor=2.0), batch_size=4)},
        ],
    }


def train(config: dict) -> list[float]:
    """As a training script does it, which knows only of functions that wait for their last arguments."""
    torch.manual_seed(config["seed"])
    model = config["model"]()
    optimizer = config["optimizer"]["make"](model.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, config["optimizer"]["schedule"])
    data, losses = config["datasets"][0]["load"](), []
    for _ in range(config["num_steps"]):
        optimizer.zero_grad()
        loss = model.loss(next(data))
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def test_a_training_config_trains_as_with_the_real_package():
    config = asdict(training_config(Spec))
    assert json.loads(json.dumps(config))["datasets"][0]["weight"] == 0.5
    losses = train(Spec.instantiate_from_dict(json.loads(json.dumps(config))))
    theirs = peer.Spec.instantiate(json.loads(json.dumps(peer.Spec.asdict(training_config(peer.Spec)))))
    assert losses == train(theirs)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("written", "target"), [(asdict, "target"), (Spec.asdict, "_target_")], ids=["documented", "code"]
)
def test_it_is_edited_as_json(written, target):
    config = json.loads(json.dumps(written(training_config(Spec))))
    config["model"]["head"][target] = f"{HERE}:L1Head"
    config["model"]["tokenizers"]["primary"]["encoder"]["patch"] = 8
    del config["model"]["tokenizers"]["proprio"]
    config["optimizer"]["make"] = {**config["optimizer"]["make"], target: "torch.optim:AdamW", "weight_decay": 0.1}
    config["datasets"][0]["load"]["args"][0]["factor"] = 0.0
    made = Spec.instantiate_from_dict(config)
    model = made["model"]()
    assert (type(model.head), list(model.tokenizers)) == (L1Head, ["primary"])
    assert model.tokenizers["primary"].encoder.conv.kernel_size == (8, 8)
    assert made["optimizer"]["make"](model.parameters()).defaults["weight_decay"] == 0.1
    assert not next(made["datasets"][0]["load"]())["action"].any()
    assert len(train(made)) == 8


def test_it_becomes_a_native_config_that_is_checked_and_overridden(tmp_path):
    native = to_spec(json.loads(json.dumps(asdict(training_config(Spec)))), allow=[HERE, "torch"])
    save(native, tmp_path / "octo.yaml")
    read = load(tmp_path / "octo.yaml", allow=[HERE, "torch"])
    assert read == native
    check(read)
    losses = train(build(read))
    assert losses == train(Spec.instantiate(training_config(Spec)))
    shorter = override(read, ["num_steps=2", "optimizer.make.lr=0", "model.head=null"])
    assert from_spec(shorter)["optimizer"]["make"].kwargs["lr"] == 0
    assert train(build(override(read, ["num_steps=2"]))) == losses[:2]
