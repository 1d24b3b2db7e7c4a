"""Code written for glasses' configurations goes on with only its import changed, and has every verb of Callsheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from callsheet import MISSING, build, check, copy, diff, factory, hash_of, lazy, load, override, replace, save, sweep
from callsheet import Config as NativeConfig
from callsheet.compat.glasses import Config
from callsheet.errors import CallsheetError, OverrideError, SpecError
from saying import told


class Conv:
    """Stands for a module: what it was made with, and weights of its own."""

    def __init__(self, in_channels, out_channels, kernel_size=1):
        self.shape = in_channels, out_channels, kernel_size
        self.weights = [0.0] * (in_channels * out_channels)


@dataclass
class ConvConfig(Config):
    in_channels: int
    out_channels: int

    def build(self) -> Conv:
        return Conv(**self.__dict__)


SEVEN = partial(int, "7")


class Backbone:
    def __init__(self, widths, activation=abs, norm=float):
        self.widths, self.activation, self.norm = widths, activation, norm()


@dataclass
class SmallConfig(Config):
    widths: list = field(default_factory=lambda: [8, 16])
    activation: Any = abs

    def build(self) -> Backbone:
        return Backbone(**self.__dict__)


@dataclass
class LargeConfig(SmallConfig):
    norm: Any = SEVEN


class Classifier:
    def __init__(self, backbone, head):
        self.backbone, self.head = backbone, head


@dataclass
class ClassifierConfig(Config):
    backbone_config: Config
    channels: int
    num_classes: int

    def build(self) -> Classifier:
        backbone = self.backbone_config.build()
        return Classifier(backbone, Conv(self.channels, self.num_classes))


@dataclass
class StackConfig(Config):
    block_config: Config
    depth: int = 3

    def build(self) -> list:
        return [self.block_config.build() for _ in range(self.depth)]


@dataclass
class NormConfig(Config):
    norm: Any

    def build(self) -> Any:
        return build(self.norm)()


TRUSTED = [__name__, "builtins"]


def classifier() -> ClassifierConfig:
    return ClassifierConfig(backbone_config=SmallConfig(), channels=16, num_classes=10)


# --- what the document of origin does


def test_a_config_builds_what_the_constructor_makes():
    made, by_hand = ConvConfig(2, 3).build(), Conv(2, 3)
    assert type(made) is Conv
    assert made.shape == by_hand.shape


def test_any_config_of_a_backbone_can_be_passed():
    small = ClassifierConfig(backbone_config=SmallConfig(), channels=16, num_classes=10).build()
    large = ClassifierConfig(backbone_config=LargeConfig(widths=[64]), channels=64, num_classes=10).build()
    assert (small.backbone.widths, small.backbone.norm) == ([8, 16], 0.0)
    assert (large.backbone.widths, large.backbone.norm) == ([64], 7)


def test_each_build_makes_the_model_anew():
    config = classifier()
    first, second = config.build(), config.build()
    assert first is not second
    assert first.backbone is not second.backbone
    assert first.head.shape == second.head.shape


def test_a_clone_through_its_dict_is_edited_alone():
    trained = classifier()
    clone = ClassifierConfig(**trained.__dict__)
    clone.num_classes = 8
    assert trained.__dict__ == {"backbone_config": SmallConfig(), "channels": 16, "num_classes": 10}
    assert clone.build().head.shape == (16, 8, 1)
    assert trained.build().head.shape == (16, 10, 1)


# --- modules of one kind


def test_a_build_that_asks_several_times_gets_several():
    blocks = StackConfig(ConvConfig(4, 4)).build()
    assert len({id(block) for block in blocks}) == 3
    assert len({id(block.weights) for block in blocks}) == 3


def test_also_what_lies_within_them_is_of_their_own():
    first, second = StackConfig(classifier(), depth=2).build()
    assert first.backbone is not second.backbone


def test_also_where_the_spec_is_built_by_a_verb():
    config = StackConfig(ConvConfig(4, 4))
    for blocks in (build({"stack": config})["stack"], build(lazy(list)(config)), factory(config)()):
        assert len({id(block) for block in blocks}) == 3


def test_stacks_that_share_a_block_share_it_layer_by_layer():
    block = ConvConfig(4, 4)
    first, second = build([StackConfig(block), StackConfig(block, depth=2)])
    assert first[:2] == second
    assert len(set(map(id, first))) == 3


def test_two_fields_with_the_same_config_are_two_modules():
    @dataclass
    class Twin(Config):
        left: Config
        right: Config

        def build(self):
            return self.left.build(), self.right.build()

    shared = ConvConfig(1, 1)
    left, right = Twin(shared, shared).build()
    assert left is not right


class NativeConv(NativeConfig[Conv]):
    in_channels: int = 1
    out_channels: int = 1


class NativeStack(NativeConfig):
    block_config: NativeConfig

    def build(self) -> list:
        return [self.block_config.build() for _ in range(3)]


@pytest.mark.parametrize("block", [ConvConfig(1, 1), NativeConv()])
def test_who_asks_decides(block):
    assert len(set(map(id, StackConfig(block).build()))) == 3
    assert len(set(map(id, NativeStack(block).build()))) == 1
    both = build([StackConfig(block), NativeStack(block), block])
    assert both[0][0] is both[1][0] is both[2]


def test_a_method_that_is_extended_goes_on_counting():
    @dataclass
    class More(StackConfig):
        def build(self) -> list:
            return [*super().build(), self.block_config.build()]

    assert len(set(map(id, More(ConvConfig(1, 1)).build()))) == 4


def test_what_a_spec_holds_twice_is_built_once():
    config = ConvConfig(2, 2)
    made = build({"model": config, "trainer": lazy(dict)(model=config)})
    assert made["model"] is made["trainer"]["model"]


def test_models_of_one_spec_share_the_backbone_that_their_configs_share():
    model = classifier()
    clone = ClassifierConfig(**model.__dict__)
    first, second = build([model, clone])
    assert first.backbone is second.backbone
    first, second = build([model, copy(clone)])
    assert first.backbone is not second.backbone


# --- every verb


@pytest.mark.parametrize("name", ["conf.json", "conf.yaml", "conf.py"])
def test_what_is_saved_is_loaded_and_built_the_same(name, tmp_path):
    shared = LargeConfig(widths=[4], activation=round)
    spec = {
        "model": ClassifierConfig(shared, 16, 10),
        "stack": StackConfig(shared, depth=2),
    }
    save(spec, tmp_path / name)
    read = load(tmp_path / name, allow=TRUSTED)
    assert read == spec
    assert hash_of(read) == hash_of(spec)
    made = build(read)
    assert made["model"].backbone is made["stack"][0]
    assert (made["stack"][1].widths, made["stack"][1].activation, made["stack"][1].norm) == ([4], round, 7)


def test_a_field_of_data_that_can_be_called_is_judged_as_any_name(tmp_path):
    save({"model": LargeConfig(norm=partial(print, "called"))}, tmp_path / "conf.json")
    refused = told(lambda: build(load(tmp_path / "conf.json", allow=[__name__, "builtins:abs"])), CallsheetError)
    assert "builtins:print is named by data, which imports nothing by itself" in refused


def test_a_partial_that_holds_a_call_is_built_by_who_asks_for_it(tmp_path):
    save({"norm": NormConfig(partial(int, lazy(str)(12)))}, tmp_path / "conf.json")
    assert build(load(tmp_path / "conf.json", allow=TRUSTED)) == {"norm": 12}


def test_overrides_reach_the_fields_at_any_depth():
    changed = override({"model": classifier()}, ["model.num_classes=8", "model.backbone_config.widths=[4,4]"])
    assert changed["model"] == ClassifierConfig(SmallConfig(widths=[4, 4]), 16, 8)
    assert changed["model"].build().backbone.widths == [4, 4]
    assert told(lambda: override({"model": classifier()}, "model.num_clases=8"), OverrideError) == "\n".join(
        [
            "model.num_clases  is not there                                          here",
            "                  did you mean  model.num_classes?",
            "                  model holds  backbone_config, channels, num_classes",
        ]
    )


def test_diff_replace_and_sweep_work_on_them():
    model = classifier()
    clone = replace(model, {"backbone_config.widths": [8, 2]}, num_classes=8)
    assert [(c.path, c.was, c.now) for c in diff(model, clone)] == [
        ("backbone_config.widths[1]", 16, 2),
        ("num_classes", 10, 8),
    ]
    trials = sweep({"model": model}, ["model.num_classes=2,3"])
    assert [trial.spec["model"].build().head.shape[1] for trial in trials] == [2, 3]


def test_check_names_what_does_not_fit():
    wrong = {"model": ClassifierConfig(backbone_config=3, channels=MISSING, num_classes="ten")}  # type: ignore[arg-type]
    assert told(lambda: check(wrong), SpecError) == "\n".join(
        [
            "model.channels         must be given",
            "model.backbone_config  must be Config, found 3",
            "model.num_classes      must be int, found 'ten'",
            "                       ClassifierConfig(backbone_config: Config, channels: int, num_classes: int)",
        ]
    )


def test_what_build_raises_says_where():
    with pytest.raises(AttributeError) as caught:
        build({"models": [ClassifierConfig(None, 1, 1)]})  # type: ignore[arg-type]
    assert caught.value.__notes__ == [
        "while building models[0]\n    ClassifierConfig(backbone_config=None, channels=1, num_classes=1)"
    ]


def test_one_without_a_build_says_what_to_write():
    @dataclass
    class Empty(Config):
        width: int = 1

    said = told(lambda: Empty().build(), SpecError)
    assert said.split("\n")[0].endswith("Empty does not say what it builds")
    assert "give it a method  build(self)" in said
