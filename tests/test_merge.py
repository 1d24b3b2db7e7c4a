"""`merge` lays specs over each other: what a later one says wins, sharing and references are kept (promise 15)."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet import (
    MISSING,
    build,
    copy,
    from_data,
    hash_of,
    lazy,
    load,
    merge,
    origin,
    override,
    partial,
    plain,
    ref,
    to_data,
)
from callsheet._spec import attach
from callsheet.errors import CycleError
from saying import told


def net(width=32, depth=2, norm=None): ...


def adam(params=None, lr=0.001, betas=(0.9, 0.999)): ...


def sgd(params=None, lr=0.1, momentum=0.0): ...


def keep(*args, **kwargs):
    return args, kwargs


@dataclass
class Optim:
    lr: Any = 0.1
    more: Any = None


@dataclass(frozen=True)
class Inner:
    size: Any = 1
    depth: Any = 2


@dataclass
class Owner:
    inner: Any = Inner()


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("a", "b", "made"),
    [
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ({"a": {"x": {"y": 1, "z": 2}}}, {"a": {"x": {"y": 3}}}, {"a": {"x": {"y": 3, "z": 2}}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
        ({"a": (1, {"b": 1})}, {"a": (2, {"c": 1})}, {"a": (2, {"c": 1})}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": MISSING}, {"a": 1}),
        ({"a": MISSING}, {"a": 1, "b": MISSING}, {"a": 1, "b": MISSING}),
        ({1: 1}, {"1": 2}, {1: 1, "1": 2}),
        ({"a": lazy(net)(width=1, depth=3)}, {"a": lazy(net)(width=2)}, {"a": lazy(net)(width=2, depth=3)}),
        ({"a": lazy(adam)(lr=1)}, {"a": lazy(sgd)(momentum=1)}, {"a": lazy(sgd)(momentum=1)}),
        ({"a": lazy(adam)(lr=1)}, {"a": partial(adam)(betas=1)}, {"a": partial(adam)(betas=1)}),
        ({"a": partial(adam)(lr=1)}, {"a": partial(adam)(betas=1)}, {"a": partial(adam)(lr=1, betas=1)}),
        ({"a": lazy("x.f")(1, 2)}, {"a": lazy("x.f")(3, a=4)}, {"a": lazy("x.f")(3, 2, a=4)}),
        ({"a": lazy("x.f")(1)}, {"a": lazy("x.f")(3, 4)}, {"a": lazy("x.f")(3, 4)}),
        ({"a": lazy(net)(1, 2)}, {"a": lazy(net)(depth=4)}, {"a": lazy(net)(1, 4)}),
        ({"a": lazy(net)(depth=4)}, {"a": lazy(net)(1, 2)}, {"a": lazy(net)(width=1, depth=2)}),
        ({"a": Optim(more={"x": 1})}, {"a": Optim(2, {"y": 2})}, {"a": Optim(2, {"x": 1, "y": 2})}),
        ({"a": Inner(1, 5)}, {"a": Inner(MISSING, 6)}, {"a": Inner(1, 6)}),
        ({"a": Inner(1)}, {"a": Optim(1)}, {"a": Optim(1)}),
        ({"a": Point(1, 2)}, {"a": Point(MISSING, 3)}, {"a": Point(1, 3)}),
        ({"a": [Owner(), Owner()], "b": Owner()}, {"b": Owner(Inner(7, MISSING))}, None),
        (lazy(lazy(keep)(1))(a=1), lazy(lazy(keep)(1))(b=2), lazy(lazy(keep)(1))(a=1, b=2)),
        (lazy(lazy(keep)(1))(a=1), lazy(lazy(keep)(2))(b=2), lazy(lazy(keep)(2))(b=2)),
        (1, 2, 2),
        (1, MISSING, 1),
    ],
    ids=lambda x: repr(x)[:40],
)
def test_what_is_said_later_wins_and_the_rest_stays(a, b, made):
    before = to_data(a), to_data(b)
    found = merge(a, b)
    if made is None:
        assert (found["b"].inner, found["a"][0].inner, Owner().inner) == (Inner(7, 2), Inner(), Inner())
    else:
        assert found == attach(made)
    assert (to_data(a), to_data(b)) == before


def test_more_than_two_are_laid_over_each_other_in_their_order():
    assert merge({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 2}, {"c": 3}) == {"a": 1, "b": 2, "c": 3}
    assert merge({"a": {"b": 1}}) == {"a": {"b": 1}}


def test_keys_keep_the_order_of_the_first():
    assert list(merge({"a": 1, "b": 1}, {"c": 2, "b": 2, "a": 2})) == ["a", "b", "c"]


SPECS = st.recursive(
    st.sampled_from([None, True, 1, 1.0, "a", (1,)]),
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | st.lists(inner, max_size=2)
        | st.builds(lambda k: lazy(keep)(**k), st.dictionaries(st.sampled_from("abc"), inner, max_size=3))
    ),
    max_leaves=6,
)


@given(SPECS, SPECS, SPECS)
def test_laws(a, b, c):
    before = [hash_of(x) for x in (a, b, c)]
    assert merge(a, a) == attach(copy(a))
    assert merge({}, {"x": a}) == attach({"x": copy(a)})
    assert merge({"x": a}, {}) == attach({"x": copy(a)})
    assert merge({"x": a}, {"x": b}, {"x": c}) == merge(merge({"x": a}, {"x": b}), {"x": c})
    assert [hash_of(x) for x in (a, b, c)] == before


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_a_node_held_often_is_merged_for_every_place_and_reference():
    model = lazy(net)(width=1)
    a = attach({"model": model, "ema": [model], "optim": lazy(adam)(ref(model).width)})
    made = merge(a, {"model": lazy(net)(depth=5)})
    assert made.model is made.ema[0] is made.optim.params.__base__
    assert made.model == lazy(net)(width=1, depth=5)
    assert model == lazy(net)(width=1)


def test_a_node_that_is_replaced_is_so_for_every_place_and_reference():
    model = lazy(net)(width=1)
    a = attach({"model": model, "ema": [model], "optim": lazy(adam)(ref(model).width)})
    made = merge(a, {"model": lazy(keep)(5)})
    assert made.model is made.ema[0] is made.optim.params.__base__
    assert made.model == lazy(keep)(5)


def test_sharing_and_references_of_the_later_one_are_kept():
    model = lazy(net)(depth=5)
    b = {"model": model, "ema": model, "optim": lazy(adam)(ref(model).width)}
    made = merge({"model": lazy(net)(width=1), "ema": lazy(net)(width=7)}, b)
    assert made.model is made.ema is made.optim.params.__base__
    assert made.model == lazy(net)(width=1, depth=5)


def test_a_node_of_the_first_that_the_second_holds_as_well_stays_one():
    a = attach({"model": lazy(net)(width=1)})
    made = merge(a, {"ema": a.model, "model": lazy(net)(depth=3)})
    assert made.ema is made.model
    assert made.model == lazy(net)(width=1, depth=3)


def test_what_meets_crosswise_ends():
    one, two, three, four = lazy(net)(width=1), lazy(adam)(lr=1), lazy(net)(width=2), lazy(adam)(lr=2)
    made = merge({"p": one, "q": one, "r": two, "s": two}, {"p": three, "q": four, "r": four, "s": three})
    assert made.p == made.s == lazy(net)(width=2)
    assert made.q == made.r == lazy(adam)(lr=2)


def test_references_by_path_of_both_start_in_what_was_made(project):
    project("base.py", "seed = 1\nname = 'run-${seed}'\nlr = 0.1\n")
    project("more.py", "seed = 2\nlr = '${seed}'\n")
    a, b = load("base.py"), load("more.py")
    made = merge(a, b)
    assert (made.name, made.lr) == ("run-2", 2)
    made.seed = 3
    assert (made.name, made.lr) == ("run-3", 3)
    assert (a.name, b.lr) == ("run-1", 2)


def test_relative_references_of_both_start_where_they_come_to_stand():
    a = override({"t": {"x": 1}}, "+t.y=${.x}")
    b = override({}, ["+t={x: 3, z: '${.x}'}", "+u={x: 2, w: ['${..x}']}"])
    made = merge(a, b)
    made.t.x, made.u.x = 5, 6
    assert plain(made) == {"t": {"x": 5, "y": 5, "z": 5}, "u": {"x": 6, "w": [6]}}
    assert (a.t.y, b.t.z, b.u.w[0]) == (1, 3, 2)


def test_a_mapping_is_merged_into_what_a_reference_leads_to():
    made = merge(attach({"hp": {"lr": 1, "steps": 5}, "alias": "${hp}"}), {"alias": {"lr": 2}})
    assert plain(made) == {"hp": {"lr": 2, "steps": 5}, "alias": {"lr": 2, "steps": 5}}


def test_what_is_merged_where_only_a_reference_leads_is_so_for_every_reference():
    apart = lazy(net)(width=1)
    made = merge({"a": ref(apart), "b": lazy(dict)(net=ref(apart))}, {"a": lazy(net)(width=5)})
    assert made.a.width == 5
    assert made.b.net is made.a is not apart
    assert apart.width == 1


def test_what_paths_start_in_is_not_changed_where_only_references_reach():
    wrapped = lazy(keep)("${seed}")
    spec = {"seed": 1, "main": lazy(keep)(ref(wrapped)[0][0])}
    made = merge(spec, {"seed": 2})
    assert build(made)["main"] == ((2,), {})
    assert build(spec)["main"] == ((1,), {})


def test_a_reference_gives_way_to_a_value_and_a_value_to_a_reference():
    assert plain(merge({"a": 1, "b": "${a}"}, {"b": 2})) == {"a": 1, "b": 2}
    assert plain(merge({"a": 1, "b": 2}, {"b": "${a}"})) == {"a": 1, "b": 1}
    assert plain(merge(attach({"a": "${lost}"}), {"a": {"b": 1}})) == {"a": {"b": 1}}


def test_what_was_read_from_data_meets_what_was_written_in_python():
    data = from_data({"_target_": f"{__name__}:net", "width": 1})
    assert merge({"a": data}, {"a": lazy(net)(depth=2)})["a"] == lazy(net)(width=1, depth=2)
    read = from_data(to_data(Inner(1, 5)))
    assert merge({"a": Inner(1, 2)}, {"a": read})["a"] == Inner(1, 5)


def test_what_is_merged_can_be_built():
    made = merge({"a": lazy(keep)(1, x={"y": 1})}, {"a": lazy(keep)(x={"z": 2})})
    assert build(made.a) == ((1,), {"x": {"y": 1, "z": 2}})


def test_origins_tell_who_set_a_value_and_what_it_replaced(project):
    project("base.py", "from callsheet import lazy\nrow = lazy(dict)(a=1, b=2)\nlr = 0.1\n")
    project("more.py", "from callsheet import lazy\n\nrow = lazy(dict)(b=3, c=4)\n")
    made = merge(load("base.py"), load("more.py"))
    assert [origin(made, path).where for path in ("row.a", "row.b", "row.c", "lr")] == [
        "base.py:2",
        "more.py:3",
        "more.py:3",
        "base.py:3",
    ]
    assert [(value, found.where) for value, found in origin(made, "row.b").chain()] == [(2, "base.py:2")]


def test_a_cycle_is_named():
    a = attach({"a": {}})
    a.a["b"] = a.a
    assert told(lambda: merge({}, a), CycleError).startswith("a.b  leads back to a, which holds it")


def test_many_keys_and_many_levels():
    wide = {f"k{n}": {"x": n} for n in range(20_000)}
    assert merge(wide, {f"k{n}": {"y": n} for n in range(20_000)})["k19999"] == {"x": 19_999, "y": 19_999}
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}
    assert merge(deep, deep) == attach(deep)
