"""Configurations in the manner of glasses build real modules, whose weights go from one to the next."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from callsheet import build, load, save
from callsheet.compat.glasses import Config

BATCH_NORM = partial(nn.BatchNorm2d, eps=1e-3)


class Backbone(nn.Module):
    def __init__(self, widths, activation, norm):
        super().__init__()
        pairs = zip((3, *widths), widths)
        self.layers = nn.ModuleList(nn.Sequential(nn.Conv2d(a, b, 3), norm(b), activation()) for a, b in pairs)

    def forward(self, x):
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


@dataclass
class BackboneConfig(Config):
    widths: tuple = (4, 8)
    activation: Any = nn.ReLU
    norm: Any = BATCH_NORM

    def build(self) -> nn.Module:
        return Backbone(**self.__dict__)


class Model(nn.Module):
    def __init__(self, backbone: nn.Module, channels: int, num_classes: int):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv2d(channels, num_classes, kernel_size=1)

    def forward(self, x):
        return self.head(self.backbone(x)[-1])


@dataclass
class ModelConfig(Config):
    backbone_config: Config
    channels: int
    num_classes: int

    def build(self) -> nn.Module:
        return Model(self.backbone_config.build(), self.channels, self.num_classes)


@dataclass
class BlocksConfig(Config):
    block_config: Config
    depth: int

    def build(self) -> nn.Module:
        return nn.Sequential(*[self.block_config.build() for _ in range(self.depth)])


@dataclass
class LinearConfig(Config):
    in_features: int
    out_features: int

    def build(self) -> nn.Module:
        return nn.Linear(**self.__dict__)


IMAGE = torch.zeros(1, 3, 8, 8)


def test_a_trained_model_is_made_again_and_its_weights_fit(tmp_path):
    config = ModelConfig(BackboneConfig(norm=partial(nn.GroupNorm, 2)), channels=8, num_classes=10)
    trained = config.build()
    torch.save(trained.state_dict(), tmp_path / "model.pth")
    save(config, tmp_path / "model.json")

    again = build(load(tmp_path / "model.json", allow=[__name__, "torch.nn"]))
    again.load_state_dict(torch.load(tmp_path / "model.pth", weights_only=True))
    assert torch.equal(again.eval()(IMAGE), trained.eval()(IMAGE))


def test_a_clone_with_other_classes_takes_all_weights_but_the_heads():
    config = ModelConfig(BackboneConfig(), channels=8, num_classes=10)
    trained = config.build().state_dict()
    clone = ModelConfig(**config.__dict__)
    clone.num_classes = 8
    model = clone.build()
    with pytest.raises(RuntimeError, match="size mismatch for head.weight"):
        model.load_state_dict(trained)
    missing, unexpected = model.load_state_dict(
        {name: tensor for name, tensor in trained.items() if not name.startswith("head.")}, strict=False
    )
    assert (missing, unexpected) == (["head.weight", "head.bias"], [])
    assert model(IMAGE).shape == (1, 8, 4, 4)


def test_blocks_of_one_config_learn_weights_of_their_own():
    blocks = BlocksConfig(LinearConfig(4, 4), depth=3)
    for model in (blocks.build(), build({"model": blocks})["model"]):
        assert len(list(model.parameters())) == 6
