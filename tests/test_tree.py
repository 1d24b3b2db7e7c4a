"""One traversal: nodes once, cycles named, any sensible depth, and one error for a senseless one."""

from __future__ import annotations

import copy as python_copy
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from callsheet import build, check, copy, equal, from_data, get, hash_of, lazy, plain, ref, rewrite, to_data, walk
from callsheet._tree import MAX_DEPTH
from callsheet.errors import CycleError, DepthError, SpecError
from saying import told


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Box:
    inside: Any = None


def keep(*args, **kwargs):
    return args, kwargs


def unchanged(path, value):
    return value


def every(spec):
    return list(walk(spec))


VERBS = {
    "build": build,
    "check": check,
    "copy": copy,
    "equal": lambda spec: equal(spec, spec),
    "hash_of": hash_of,
    "rewrite": lambda spec: rewrite(spec, unchanged),
    "to_data": to_data,
    "walk": every,
}
verbs = pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))


def nested(levels):
    """A dict in a list in a call, and so on: three containers a round."""
    spec = lazy(keep)(0)
    for _ in range(levels // 3):
        spec = lazy(keep)([{"a": spec}], b=1)
    return spec


def calls(levels):
    spec = lazy(keep)()
    for _ in range(levels):
        spec = lazy(keep)(a=spec)
    return spec


# --- depth


@verbs
def test_two_hundred_levels_of_a_dict_in_a_list_in_a_call_work_in_every_verb(verb):
    verb(nested(200))


def test_what_is_built_from_two_hundred_levels_is_all_there():
    built = build(nested(201))
    for _ in range(67):
        (rows,), more = built
        assert more == {"b": 1}
        built = rows[0]["a"]
    assert built == ((0,), {})


def test_repr_of_two_hundred_levels_ends():
    assert repr(nested(200)).startswith("lazy(keep)(")


@pytest.mark.parametrize("make", [calls, nested], ids=["calls", "mixed"])
@pytest.mark.parametrize("name", sorted(VERBS.keys() - {"check", "build", "equal"}))
def test_five_thousand_levels_are_one_depth_error(make, name):
    with pytest.raises(DepthError) as caught:
        VERBS[name](make(5000))
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].problem == f"is nested more than {MAX_DEPTH} levels deep"


@pytest.mark.parametrize("verb", [build, check])
def test_five_thousand_levels_are_one_fault_of_check_and_build(verb):
    shown = "a.a.a.a.a.a.a.a.a.a.a.a.a.a.…a.a.a.a.a.a"
    assert told(lambda: verb(calls(5000)), SpecError) == f"{shown}  is nested more than 1000 levels deep"


def test_five_thousand_lists_given_to_a_call_are_one_depth_error():
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DepthError):
        lazy(keep)(deep)


def test_repr_of_five_thousand_levels_says_that_more_follows():
    assert "..." in repr(calls(5000))


def test_five_thousand_levels_of_data_are_one_depth_error():
    deep: Any = {"_target_": "os:getcwd"}
    for _ in range(5000):
        deep = {"a": [deep]}
    with pytest.raises(DepthError):
        from_data(deep)


# --- cycles


def cyclic_call():
    spec = lazy(dict)(a=1)
    spec.me = spec
    return spec


def cyclic_far():
    spec = lazy(dict)(a=[lazy(dict)(b=1)])
    spec.a[0].b = spec
    return {"top": spec}


def cyclic_dict():
    spec: dict[str, Any] = {"a": []}
    spec["a"].append(spec)
    return spec


def cyclic_dataclass():
    box = Box()
    box.inside = [box]
    return box


@verbs
@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (cyclic_call, "me  leads back to the whole spec, which holds it"),
        (cyclic_far, "top.a[0].b  leads back to top, which holds it"),
        (cyclic_dict, "a[0]  leads back to the whole spec, which holds it"),
        (cyclic_dataclass, "inside[0]  leads back to the whole spec, which holds it"),
    ],
)
def test_a_cycle_of_containment_is_named_by_both_ends_in_every_verb(verb, make, fault):
    text = told(lambda: verb(make()), SpecError)
    path = fault.partition("  ")[0]
    advice = "a spec is a tree: hold a copy(...) or a reference to a value inside"
    assert text == f"{fault}\n{' ' * len(path)}  {advice}"


@pytest.mark.parametrize("verb", [plain, python_copy.deepcopy])
def test_plain_and_deepcopy_name_the_cycles_of_what_they_make_anew(verb):
    mapping = lazy(dict)(a={"b": []}).a
    mapping.b.append(mapping)
    assert told(lambda: verb(mapping), CycleError) == (
        "b[0]  leads back to the whole spec, which holds it\n"
        "      a spec is a tree: hold a copy(...) or a reference to a value inside"
    )


def test_repr_bears_a_cycle():
    assert repr(cyclic_call()) == "lazy(dict)(a=1, me=...)"
    assert repr(cyclic_far()["top"]) == "lazy(dict)(a=[lazy(dict)(b=...)])"


def test_a_cycle_is_refused_when_a_dict_that_holds_itself_is_given():
    assert told(lambda: lazy(keep)(cyclic_dict()), CycleError) == (
        "a[0]  leads back to the whole spec, which holds it\n"
        "      a spec is a tree: hold a copy(...) or a reference to a value inside"
    )


def test_what_is_held_twice_is_no_cycle():
    shared = lazy(dict)(a=1)
    rows = [shared]
    assert build(lazy(keep)(rows, rows, shared)) == (([{"a": 1}], [{"a": 1}], {"a": 1}), {})


# --- nodes


def test_walk_gives_every_place_in_order_and_each_node_once():
    shared = lazy(dict)(v=1)
    spec = {"a": shared, "b": [shared, (2, Point(3, shared))], "c": Box(4)}
    assert [path for path, _ in walk(spec)] == [
        "", "a", "a.v", "b", "b[1]", "b[1][0]", "b[1][1]", "b[1][1].x", "c", "c.inside",
    ]  # fmt: skip


def test_walk_gives_a_call_that_is_the_target_of_a_call():
    spec = lazy(lazy(keep)(1))(2)
    assert [path for path, _ in walk(spec)] == ["", '["(target)"]', '["(target)"][0]', "[0]"]


def test_an_ordered_dict_a_named_tuple_and_a_tuple_keep_their_form():
    spec = {"o": OrderedDict(a=lazy(int)("1")), "p": Point(lazy(int)("2"), 3), "t": (lazy(int)("4"),)}
    built = build(spec)
    assert built == {"o": {"a": 1}, "p": Point(2, 3), "t": (4,)}
    assert [type(value) for value in built.values()] == [dict, Point, tuple]


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass
class Owner:
    inner: Inner = Inner()


def test_a_default_object_of_a_dataclass_is_not_sharing():
    built = build([Owner(), Owner()])
    assert built[0].inner is not built[1].inner
    assert built[0].inner is not Inner
    assert [path for path, _ in walk([Owner(), Owner()])] == [
        "", "[0]", "[0].inner", "[0].inner.size", "[1]", "[1].inner", "[1].inner.size",
    ]  # fmt: skip


def test_an_object_that_two_dataclasses_were_given_is_sharing():
    inner = Inner(2)
    built = build([Owner(inner), Owner(inner)])
    assert built[0].inner is built[1].inner


def test_get_names_the_nearest_ancestor_and_what_it_holds():
    spec = {"model": lazy(dict)(width=1, depth=2)}
    assert get(spec, "model.width") == 1
    assert told(lambda: get(spec, "model.widht")) == (
        "model.widht  is not there\n             did you mean  model.width?\n             model holds  width, depth"
    )
    assert told(lambda: get(spec, "model.width.more")) == (
        "model.width.more  leads into model.width, which is 1 and holds nothing"
    )
    assert get(spec, "model.nothing", None) is None


def test_rewrite_leaves_what_is_not_changed_as_it_stands():
    spec = {"x": Box({"k": "${a}", "l": ["${"]})}
    assert equal(rewrite(spec, lambda path, x: x), spec)


def test_rewrite_asks_a_node_once_and_keeps_sharing():
    shared, asked = lazy(dict)(v=1), []

    def change(path, value):
        asked.append(path)
        return value + 1 if type(value) is int else value

    spec = {"a": shared, "b": [shared, 5]}
    made = rewrite(spec, change)
    assert asked == ["a.v", "a", "b[1]", "b", ""]
    assert made["a"] is made["b"][0]
    assert (made["a"].v, made["b"][1]) == (2, 6)
    assert (shared.v, spec["b"][1]) == (1, 5)


def test_a_reference_to_a_node_shares_the_cycle_rule_of_building():
    spec = lazy(dict)(a=1)
    spec.b = ref(spec)
    assert told(lambda: check(spec), SpecError) == (
        "b  refers to what needs the whole spec to be built first: ref(lazy(dict)(a=1, b=ref(...)))           here"
    ).replace("           here", "\n   set by here")


def test_a_copy_gives_each_owner_its_own_default_object():
    owners = {"a": Owner(), "b": Owner()}
    made = copy(owners)
    assert equal(made, owners)
    (first, second) = ([value for value in vars(made[key]).values() if not isinstance(value, int)] for key in "ab")
    assert first
    assert all(x is not y for x, y in zip(first, second, strict=True))
