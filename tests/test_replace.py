"""`replace` makes a new spec of which only what leads to a change is new."""

from __future__ import annotations

import dataclasses
from dataclasses import InitVar, dataclass, field
from typing import Any, NamedTuple

import attrs
import pytest

from callsheet import Config, build, copy, equal, from_data, get, lazy, origin, plain, ref, replace
from callsheet._spec import attach
from callsheet.errors import PathError, SpecError
from saying import told


def net(width: int = 1, inner: Any = None, *more: Any) -> Any:
    return width, inner, more


@dataclass(frozen=True)
class Frozen:
    x: Any = 1
    inner: Any = None


@dataclass
class Derived:
    x: Any = 1
    twice: Any = field(init=False)

    def __post_init__(self):
        self.twice = self.x * 2


@dataclass
class Scaled:
    x: Any
    by: InitVar[int]


@attrs.frozen
class Checked:
    _x: int = attrs.field(default=1, validator=lambda self, a, v: None if v >= 0 else 1 / 0)


class Point(NamedTuple):
    x: Any
    y: Any = 2


class NetConfig(Config[net], frozen=True):
    width: int = 32
    inner: Any = None


class ModelConfig(Config[dict]):
    backbone: NetConfig = NetConfig()
    head: Any = None
    classes: int = 10


def test_a_field_of_a_frozen_config_at_any_depth():
    config = ModelConfig(head=lazy(net)(3))
    made = replace(config, {"backbone.width": 34}, classes=7)
    assert (made.backbone, made.classes) == (NetConfig(width=34), 7)
    assert type(made) is ModelConfig
    assert made.head is config.head
    assert config == ModelConfig(head=config.head)


def test_only_the_way_to_the_change_is_new():
    spec = lazy(dict)(
        a={"rows": [lazy(net)(1), (lazy(net)(2), Frozen(inner=[Point(lazy(net)(3))]))]}, b=lazy(net)(4), c=[5]
    )
    before = copy(spec)
    made = replace(spec, {"a.rows[1][1].inner[0].x.width": 9})
    assert get(made, "a.rows[1][1].inner[0].x.width") == 9
    assert equal(spec, before)
    for path in ("b", "c", "a.rows[0]", "a.rows[1][0]"):
        assert get(made, path) is get(spec, path)
    for path in ("a", "a.rows", "a.rows[1]", "a.rows[1][1]", "a.rows[1][1].inner", "a.rows[1][1].inner[0]"):
        assert get(made, path) is not get(spec, path)


def test_a_node_at_two_places_is_replaced_at_both():
    shared, rows = lazy(net)(1), attach([2])
    spec = lazy(dict)(a=shared, b=[Frozen(shared)], c=(shared,), d=rows, e=rows)
    made = replace(spec, {"b[0].x.width": 5, "d[0]": 6})
    assert made.a is made.b[0].x is made.c[0]
    assert (made.a.width, made.e[0], made.d is made.e) == (5, 6, True)
    assert shared.width == 1


def test_a_class_default_is_changed_for_its_owner_alone():
    @dataclass
    class Owner:
        part: Any = Frozen(Frozen(1))

    first, second = replace([Owner(), Owner()], {"0.part.x.x": 2})
    assert (first.part.x.x, second.part.x.x, Owner().part.x.x) == (2, 1, 1)
    one, two = replace([ModelConfig(), ModelConfig()], {"1.backbone.width": 3})
    assert (one.backbone.width, two.backbone.width) == (32, 3)


def test_references_lead_to_what_is_new():
    model = lazy(net)(3)
    spec = lazy(dict)(width=1, model=model, optim=lazy(net)(ref(model)[0]), text="w${width}", other=lazy(net)(4))
    made = replace(spec, {"width": 2, "model.width": 5})
    assert build(made)["optim"][0] == 5
    assert (build(made)["text"], build(spec)["text"]) == ("w2", "w1")
    assert made.other is spec.other


def test_references_by_path_start_in_the_new_spec():
    spec = from_data({"text": "w${model.width}", "model": {"width": 1}, "same": {"text": "fixed"}})
    made = replace(spec, {"model.width": 2})
    assert (made.text, spec.text) == ("w2", "w1")
    assert made.same is spec.same


def test_a_path_through_a_reference_changes_the_node_that_it_leads_to():
    model = lazy(net)(3)
    spec = lazy(dict)(model=model, same=ref(model))
    assert replace(spec, {"same.width": 4}).model.width == 4


def test_several_changes_and_changes_within_them():
    spec = lazy(dict)(a=1, b=lazy(net)(1), c=[1, 2, 3])
    inner = lazy(net)(7)
    made = replace(spec, {"b": inner, "b.width": 8, "c[0]": 4, "c[-1]": 5})
    assert (made.b.width, inner.width, plain(made.c)) == (8, 7, [4, 2, 5])


def test_what_was_given_may_hold_what_was_there():
    spec = lazy(dict)(model=lazy(net)(1), width=1)
    made = replace(spec, {"model": lazy(net)(2, spec.model)}, width=3)
    assert made.model.inner is spec.model
    assert build(made)["model"] == (2, (1, None, ()), ())


def test_a_node_may_be_put_into_what_takes_its_place():
    spec = lazy(dict)(model=lazy(net)(1))
    made = replace(spec, {"model.inner": spec.model})
    assert made.model.inner is spec.model
    assert build(made)["model"] == (1, (1, None, ()), ())


def test_an_argument_that_was_not_set_is_set_and_a_name_reaches_its_position():
    spec = lazy(net)(1)
    made = replace(spec, inner=2)
    assert build(made) == (1, 2, ())
    assert repr(replace(spec, width=3)) == "lazy(net)(3)"
    assert repr(replace(lazy("os.path.join")("a"), {"0": "b"})) == "lazy(join)('b')"


def test_values_are_taken_as_they_are_and_say_who_set_them():
    made = replace(lazy(dict)(a=lazy(dict)(x=1)), {"a.x": "34"})
    assert made.a.x == "34"
    assert "test_replace.py:" in origin(made, "a.x").where


def test_constructors_on_the_way_compute_and_check():
    assert replace({"d": Derived(2)}, {"d.x": 5})["d"].twice == 10
    assert replace({"d": Derived(2)}, {"d.twice": 5})["d"].twice == 5
    assert replace([Checked(2)], {"0._x": 5}) == [Checked(5)]
    with pytest.raises(ZeroDivisionError):
        replace([Checked(2)], {"0._x": -1})


def test_plain_containers_stay_plain():
    spec = {"a": [1, {"b": (Point(1), 2)}]}
    made = replace(spec, {"a[1].b[0].y": 3})
    assert made == {"a": [1, {"b": (Point(1, 3), 2)}]}
    assert type(made) is dict
    assert spec == {"a": [1, {"b": (Point(1, 2), 2)}]}


def test_no_change_is_the_spec_itself():
    spec = lazy(dict)(a=1)
    assert replace(spec) is spec


def test_names_that_are_not_there_are_told_together_the_nearest_first():
    config = ModelConfig(head=lazy(net)(3))
    assert told(
        lambda: replace(config, {"backbone.widht": 1, "head.inne": 2, "head.width.x": 3}, clases=4), PathError
    ) == (
        "\n".join(
            [
                "backbone.widht  is not there",
                "                did you mean  backbone.width?",
                "                backbone holds  width, inner",
                "head.inne       no such argument of test_replace.net",
                "                did you mean  head.inner = None?",
                "head.width.x    leads into head.width, which is 3 and holds nothing",
                "clases          is not there",
                "                did you mean  classes?",
                "                the spec holds  backbone, head, classes",
            ]
        )
    )


def test_what_cannot_be_made_again_from_its_fields_says_so():
    assert told(lambda: replace([Scaled(1, by=2)], {"0.x": 3}), SpecError) == "\n".join(
        [
            "Scaled cannot be made again from its fields: its constructor asks for by",
            "  describe it with  lazy(Scaled)(…)",
        ]
    )


def test_a_thousand_changes_cost_one_copy():
    spec = lazy(dict)(rows=[lazy(net)(n) for n in range(1000)])
    made = replace(spec, {f"rows[{n}].width": -n for n in range(1000)})
    assert [row.width for row in made.rows] == [-n for n in range(1000)]
    assert dataclasses.is_dataclass(replace(NetConfig(), width=2))
