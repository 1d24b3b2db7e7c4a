"""`patch(a, diff(a, b))` is `b`, a small change is a small diff, and a diff is data that reads well (promise 17)."""

from __future__ import annotations

import enum
import functools
import json
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from callsheet import (
    MISSING,
    Change,
    Changes,
    Same,
    build,
    check,
    copy,
    diff,
    equal,
    from_data,
    hash_of,
    lazy,
    load,
    origin,
    override,
    partial,
    patch,
    plain,
    ref,
    save,
    to_data,
    walk,
)
from callsheet._spec import attach
from callsheet.errors import CycleError, DepthError, PatchError, SaveError
from counting import calls_made
from saying import told

NAN = float("nan")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Inner:
    size: Any = 1


@dataclass
class Owner:
    inner: Any = Inner()
    more: Any = field(default_factory=dict)


Point = namedtuple("Point", "x y")


def keep(*args, **kwargs):
    return args, kwargs


def net(width: int = 32, classes: int = 10, norm: str = "batch"): ...


def adam(params=None, lr: float = 0.001, betas=(0.9, 0.999)): ...


def sgd(params=None, lr: float = 0.1, momentum: float = 0.0): ...


# --- the law ----------------------------------------------------------------------------------------------------------

ATOMS = st.sampled_from([None, True, False, 0, 1, 2, 0.0, 1.0, NAN, "", "a", "1", b"a", 1j, keep, int]) | (
    st.sampled_from([Colour.RED, MISSING, range(2), frozenset({1, "a"}), ref("a"), ref("a.b") + 1, ref("a") + True])
)
KEYS = st.sampled_from(["a", "b", "c d", 0, 1, True, 1.0, None, NAN, (1, "x"), (True, "x"), Colour.RED])
NAMES = st.sampled_from(["a", "b", "self", "items"])


@st.composite
def specs(draw, attached=False):
    """A spec that is grown from a pool, so that nodes are held at several places and referred to."""
    pool = [draw(ATOMS) for _ in range(3)]
    for _ in range(draw(st.integers(0, 9))):
        some = st.lists(st.sampled_from(pool), max_size=4)
        made = draw(
            st.sampled_from(
                [
                    lambda: draw(ATOMS),
                    lambda: draw(some),
                    lambda: tuple(draw(some)),
                    lambda: draw(st.dictionaries(KEYS, st.sampled_from(pool), max_size=3)),
                    lambda: lazy(draw(st.sampled_from([keep, dict, "json.dumps"])))(
                        *draw(some), **draw(st.dictionaries(NAMES, st.sampled_from(pool), max_size=3))
                    ),
                    lambda: partial(keep)(*draw(some)),
                    lambda: functools.partial(keep, *draw(some), a=draw(st.sampled_from(pool))),
                    lambda: Inner(draw(st.sampled_from(pool))),
                    lambda: Owner(),
                    lambda: Owner(draw(st.sampled_from(pool))),
                    lambda: Point(*draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2))),
                    lambda: lazy(lazy(keep)(draw(st.sampled_from(pool))))(a=draw(st.sampled_from(pool))),
                    lambda: ref(lazy(keep)(draw(st.sampled_from(pool)))).x(draw(st.sampled_from(pool))),
                    lambda: _reference(draw(st.sampled_from(pool))),
                ]
            )
        )()
        pool.append(made)
    whole = {"a": pool[-1], "b": draw(st.sampled_from(pool)), "c": draw(st.sampled_from(pool))}
    return attach(whole) if attached else draw(st.sampled_from([whole, pool[-1], pool[-2:]]))


def _reference(x):
    return ref(x).y if type(x) in (type(lazy(keep)()), Inner, Owner) else ref("c")


@st.composite
def pairs(draw):
    """A spec and one like it, in which some things were set anew, added, moved or taken away."""
    a = draw(specs(attached=True))
    b = copy(a)
    for _ in range(draw(st.integers(1, 3))):
        inside = [x for _, x in walk(b)]
        holders = [x for x in inside if isinstance(x, list) or hasattr(x, "__origins__")]
        holder, value = draw(st.sampled_from(holders)), draw(ATOMS | st.sampled_from(inside))
        if isinstance(holder, list):
            at = draw(st.integers(0, len(holder)))
            holder[at : at + draw(st.integers(0, 2))] = [value]
        elif draw(st.booleans()) or not len(holder):
            holder[draw(NAMES)] = value
        else:
            del holder[draw(st.sampled_from(list(holder)))]
        assume(not_circular(b))
    return a, b


def not_circular(spec):
    try:
        return len(list(walk(spec))) > 0
    except CycleError:
        return False


LAW = settings(max_examples=100, suppress_health_check=list(HealthCheck))


@LAW
@given(specs(), specs())
def test_a_patch_of_the_differences_makes_one_spec_of_another(a, b):
    before = hash_of(a)
    changes = diff(a, b)
    made = patch(a, changes)
    assert equal(made, b), f"{changes}\n{a!r}\n{b!r}\n{made!r}"
    assert hash_of(a) == before
    assert bool(changes) == (not equal(a, b))


@LAW
@given(pairs())
def test_a_patch_after_a_few_edits_gives_what_was_edited_also_through_a_file(pair):
    a, b = pair
    before = hash_of(a)
    changes = diff(a, b)
    read = from_data(json.loads(json.dumps(to_data(changes))))
    assert equal(patch(a, changes), b)
    assert equal(patch(a, read), b)
    assert equal(patch(copy(a), read), b)
    assert Changes(read) == changes
    assert hash_of(a) == before


def _two_that_share():
    inner = Inner()
    return [Owner(inner), Owner(inner)]


def _an_operand_that_shares():
    inner = Inner()
    return {"a": ref(lazy(keep)()).x(Owner(inner)), "b": [Owner(inner)]}


def _loose_around_what_stands(seed):
    net = lazy(keep)()
    return {"net": net, "loose": ref(lazy(keep)(net)).y, "seed": seed}


def _held_by_what_stays():
    inner = Inner()
    call = lazy(keep)(a=inner)
    return {"a": [inner, call], "c": call}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        (0.0, False),
        (None, MISSING),
        ("a", [1]),
        ([1, 2], (1, 2)),
        ({1: "a"}, {True: "a"}),
        ({NAN: 1}, {float("nan"): 2}),
        ({(1, "x"): 1, Colour.RED: 1}, {(1, "x"): 2, Colour.BLUE: 1}),
        (np.array([1.0, NAN]), np.array([1.0, 2.0])),
        (lazy(keep)(1), lazy(keep)(a=1)),
        (lazy(keep)(1, 2, 3), lazy(keep)(0, 1, 3)),
        (lazy(keep)(a=1), partial(keep)(a=1)),
        (functools.partial(keep, 1, 2, a=3), functools.partial(dict, 2, b=3)),
        ([functools.partial(keep, 1)], [partial(keep)(1, 2)]),
        (Inner(functools.partial(keep, 1, a=2)), Inner(functools.partial(keep, a=3))),
        (Inner(functools.partial(keep, 1)), Inner(partial(lazy(keep)(2))(1, 2))),
        (Inner(functools.partial(keep, 1)), Inner(partial("not.there:keep")(1))),
        (lazy(keep)(), lazy(lazy(keep)())()),
        (lazy(lazy(keep)(1))(), lazy(lazy(keep)(2))()),
        (Inner(1), Owner(1)),
        (Owner(Inner(2)), Owner()),
        ([Owner(Inner(2)), Owner(Inner(3))], [Owner(), Owner()]),
        ([Owner(), 0], _two_that_share()),
        ({"a": ref(lazy(keep)()).x(Owner()), "b": []}, _an_operand_that_shares()),
        (_loose_around_what_stands(1), _loose_around_what_stands(2)),
        (_held_by_what_stays(), {"c": lazy(keep)()}),
        ([Inner()] * 2, [Inner(), Inner()]),
        ([Inner(), Inner()], [Inner()] * 2),
        (Point(1, (2, 3)), Point(1, (2, 4))),
        ({"a": ref("x").y(1)}, {"a": ref("x").y(2)}),
        ({"a": "run-${x}"}, {"a": "run-${y}"}),
        (OrderedDict(a=1), {"a": 2}),
    ],
    ids=lambda x: repr(x)[:30],
)
def test_a_patch_makes_one_of_the_other_both_ways(a, b):
    for x, y in ((a, b), (b, a), (attach(a), attach(b))):
        assert diff(x, y)
        assert equal(patch(x, diff(x, y)), y)
        assert equal(patch(x, from_data(to_data(diff(x, y)))), y)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"a": 1, "b": NAN}, {"b": float("nan"), "a": 1}),
        (lazy(keep)(a=1, b=[0.0]), lazy(keep)(b=[-0.0], a=1)),
        ([Owner(), Owner()], [Owner(Inner()), Owner(Inner())]),
        (lazy("collections.OrderedDict")(), lazy(OrderedDict)()),
        ({"p": functools.partial(keep, 1, a=2)}, {"p": partial(keep)(1, a=2)}),
    ],
)
def test_what_is_equal_has_no_changes(a, b):
    assert diff(a, b) == []
    assert diff(a, a) == []
    assert repr(diff(a, b)) == "no changes"


# --- small changes are small ------------------------------------------------------------------------------------------


def told_of(a, b):
    changes = diff(a, b)
    assert equal(patch(a, changes), b)
    return [(change.path, change.kind, change.was, change.now) for change in changes]


def test_a_changed_leaf_is_one_change():
    a = {"optim": lazy(adam)(lr=0.001, betas=(0.9, 0.99))}
    assert told_of(a, override(a, "optim.lr=3e-3")) == [("optim.lr", "changed", 0.001, 0.003)]
    b = {"optim": lazy(adam)(lr=0.001, betas=(0.8, 0.99))}
    assert told_of(a, b) == [("optim.betas[0]", "changed", 0.9, 0.8)]


def test_a_swapped_target_keeps_the_arguments_that_are_the_same():
    a = {"optim": lazy(adam)(lr=0.1, betas=(0.9, 0.99))}
    b = {"optim": lazy(sgd)(lr=0.1, momentum=0.9)}
    assert told_of(a, b) == [
        ('optim["(target)"]', "changed", adam, sgd),
        ("optim.betas", "removed", (0.9, 0.99), None),
        ("optim.momentum", "added", None, 0.9),
    ]


def test_an_insertion_in_a_long_list_is_one_change():
    layers = [lazy(net)(n % 7) for n in range(100)]
    longer = copy(layers)
    longer.insert(41, lazy(net)(width=5))
    assert told_of(layers, longer) == [("[41]", "added", None, lazy(net)(width=5))]
    assert told_of(longer, layers) == [("[41]", "removed", lazy(net)(width=5), None)]


def test_an_element_that_changed_beside_one_that_is_new_is_told_as_both():
    a = [lazy(net)(width=1), lazy(adam)(), lazy(net)(width=2)]
    b = [lazy(net)(width=1), lazy(sgd)(), lazy(adam)(lr=2), lazy(net)(width=2)]
    assert told_of(a, b) == [("[1]", "added", None, lazy(sgd)()), ("[1].lr", "added", None, 2)]


def test_positional_arguments_are_told_like_the_elements_of_a_list():
    assert told_of(lazy(keep)(1, 2, 3), lazy(keep)(1, 9, 2, 3)) == [("[1]", "added", None, 9)]


def test_a_change_of_a_node_that_is_held_often_is_told_once():
    model = lazy(net)(width=1)
    a = attach({"model": model, "ema": [model], "optim": lazy(adam)(ref(model).parameters())})
    assert told_of(a, override(a, "ema.0.width=2")) == [("model.width", "changed", 1, 2)]


def test_sharing_is_a_difference_of_its_own():
    one = lazy(net)(width=1)
    assert told_of([one, one], [lazy(net)(width=1), lazy(net)(width=1)]) == [
        ("[1]", "changed", Same("[0]"), lazy(net)(width=1))
    ]
    assert told_of([lazy(net)(width=1), lazy(net)(width=1)], [one, one]) == [
        ("[1]", "changed", lazy(net)(width=1), Same("[0]"))
    ]


def test_a_new_node_that_two_places_hold_stays_one():
    one = lazy(net)(width=1)
    made = patch({}, diff({}, {"a": one, "b": [one], "c": lazy(adam)(ref(one).parameters())}))
    assert made["a"] is made["b"][0]
    made["a"].width = 5
    assert build(made["c"].params.__base__) == build(made["a"])


def test_references_that_are_new_lead_into_the_patched_spec():
    model = lazy(net)(width=1)
    a, b = attach({"m": lazy(net)(width=1), "n": 1}), attach({"m": model, "n": 1})
    b.optim, b.width, b.text = lazy(adam)(ref(model).parameters()), ref("m").width, "n-${n}"
    made = patch(a, diff(a, b))
    assert made.optim.params.__base__ is made.m
    made.n = 7
    assert made.text == "n-7"
    assert b.text != "n-7"


@pytest.mark.parametrize("through", [lambda x: x, lambda x: from_data(json.loads(json.dumps(to_data(x))))])
def test_references_in_a_change_start_where_they_come_to_stand(through):
    a = override({"t": {"x": 1, "y": 2}, "seed": 5}, [])
    b = override(a, ["t.y=${.x}", "+v={x: 7, w: {q: '${..x}'}}", "+name='run-${seed}'", "+rows=[1,'${.[0]}']"])
    made = patch(a, through(diff(a, b)))
    made.t.x, made.v.x, made.seed, made.rows[0] = 11, 13, 15, 17
    assert plain(made) == {
        "t": {"x": 11, "y": 11},
        "seed": 15,
        "v": {"x": 13, "w": {"q": 13}},
        "name": "run-15",
        "rows": [17, 17],
    }
    assert (b.t.y, b.v.w.q, b.name, a.t.y) == (1, 7, "run-5", 2)


def test_large_specs_with_changes_everywhere_are_told_one_by_one():
    a = {"rows": [{"x": n, "y": n % 3} for n in range(5000)]}
    b = {"rows": [{"x": n, "y": n % 3 + (n % 10 == 0)} for n in range(5000) if n % 1000]}
    changes = diff(a, b)
    assert len(changes) == 5 + 495
    assert equal(patch(a, changes), b)


def test_a_loose_node_that_differs_is_looked_at_once_for_all_its_references():
    def cost(size):
        def made(last):
            loose = lazy(keep)(last, [{"n": n} for n in range(size)])
            return {f"r{n}": ref(loose).x for n in range(size)}

        a, b = made(1), made(2)
        return calls_made(lambda: diff(a, b))

    assert cost(200) < 3 * cost(100)


def test_repeated_elements_cost_no_more():
    a, b = [n % 2 for n in range(20_000)], [(n // 3) % 2 for n in range(20_000)]
    assert equal(patch(a, diff(a, b)), b)


def test_a_thousand_levels_are_followed_and_more_are_one_named_error():
    def deep(levels, leaf):
        for _ in range(levels):
            leaf = lazy(keep)(leaf)
        return leaf

    (change,) = diff(deep(900, 1), deep(900, 2))
    assert change.path == "[0]" * 900
    assert equal(patch(deep(900, 1), [change]), deep(900, 2))
    with pytest.raises(DepthError):
        diff(deep(1100, 1), deep(1100, 1))


def test_a_cycle_is_named():
    a = attach({"a": []})
    a.a.append(a.a)
    assert told(lambda: diff(a, {"a": 1}), CycleError).startswith("a[0]  leads back to a, which holds it")


# --- data and text ----------------------------------------------------------------------------------------------------


def test_a_diff_is_saved_loaded_and_applied(project):
    project("conf.py", "from callsheet import lazy\nlr = 0.1\nrow = lazy(dict)(a=1, b=lr)\n")
    before, after = load("conf.py"), load("conf.py", ["lr=0.2"])
    save(diff(before, after), "change.json")
    assert patch(load("conf.py"), load("change.json")) == after
    assert repr(Changes(load("change.json"))) == (
        "lr     0.1 → 0.2  conf.py:2 → here\nrow.b  0.1 → 0.2  conf.py:3"
    ).replace("here", origin(after, "lr").where)


def test_a_diff_is_a_spec_like_another_though_a_change_leaves_out_what_says_nothing():
    changes = diff({"a": 1, "b": 2}, {"a": 1.5, "c": [3]})
    check(changes)
    check({"of": [changes[0]], "other": list(changes)})
    assert build(list(changes)) == changes


def test_the_data_of_a_change_says_no_more_than_it_must():
    assert to_data(diff({"a": 1, "b": 2}, {"a": 2, 3: 4})) == [
        {"_type_": "callsheet:Change", "path": "a", "kind": "changed", "was": 1, "now": 2},
        {"_type_": "callsheet:Change", "path": "b", "kind": "removed", "was": 2},
        {"_type_": "callsheet:Change", "path": "[3]", "kind": "added", "now": 4},
    ]


def test_what_is_no_data_is_refused_only_where_it_is_written():
    changes = diff({"f": 1}, {"f": len, "g": (x for x in ()).__next__})
    assert len(changes) == 2
    with pytest.raises(SaveError):
        to_data(changes)


def test_a_diff_prints_as_a_table_with_origins(project):
    project("train.py", "def net(width=1): ...\ndef adam(p, lr=1): ...\ndef sgd(p, lr=1, momentum=0): ...\n")
    text = """
        from callsheet import lazy, ref
        from train import adam, net, sgd
        model = lazy(net)(width=64)
        optim = lazy(adam)(ref(model).parameters(), lr=1e-3)
        best = model
    """
    project("a.py", text)
    project("b.py", text.replace("adam)", "sgd)").replace("best = model", "best = lazy(net)()\n        epochs = 3"))
    changes = diff(load("a.py"), load("b.py", ["optim.lr=3e-3"]))
    here = changes[1].now_set_by
    assert repr(changes) == "\n".join(
        [
            "target(optim)  train.adam → train.sgd           a.py:4 → b.py:4",
            f"optim.lr       0.001 → 0.003                    a.py:4 → {here}",
            "best           the same as model → lazy(net)()  a.py:5 → b.py:5",
            "epochs         + 3                              b.py:6",
        ]
    )
    assert repr(changes[1]) == f"optim.lr  0.001 → 0.003  a.py:4 → {here}"


def test_a_long_value_is_cut_and_a_root_is_named():
    assert repr(diff({"a": 1}, [list(range(100))])) == (
        "(the whole)  {'a': 1} → [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,  ..."
    )


def test_a_snapshot_is_no_part_of_what_was_compared():
    a, b = attach({"x": 1}), attach({"x": {"y": [1]}})
    changes = diff(a, b)
    b.x.y[0] = 2
    assert changes[0].now == {"y": [1]}
    patch(a, changes).x.y[0] = 3
    assert changes[0].now == {"y": [1]}


# --- patch ------------------------------------------------------------------------------------------------------------


def test_a_patch_fits_every_spec_that_holds_what_it_changes():
    changes = diff({"lr": 0.1, "seed": 0}, {"lr": 0.2, "seed": 0})
    assert patch({"lr": 0.1, "seed": 7, "new": [1]}, changes) == {"lr": 0.2, "seed": 7, "new": [1]}


def test_changes_written_by_hand_are_applied():
    made = patch({"layers": [1, 2]}, [Change("layers[1]", "removed", was=2), Change("name", "added", now="x")])
    assert made == {"layers": [1], "name": "x"}


def test_what_was_patched_has_the_origin_that_the_change_tells(project):
    project("a.py", "lr = 1\n")
    project("b.py", "# two\n\nlr = 2\n")
    made = patch(load("a.py"), diff(load("a.py"), load("b.py")))
    found = origin(made, "lr")
    assert found.where == "b.py:3"
    assert [(value, before.where) for value, before in found.chain()] == [(1, "a.py:1")]


def test_origins_of_elements_move_with_them(project):
    project("a.py", "from callsheet import lazy\nfrom os.path import join\nrow = lazy(join)(\n    1,\n    2,\n)\n")
    a = load("a.py")
    b = copy(a)
    del b.row[0]
    assert origin(patch(a, diff(a, b)), "row[0]").where == "a.py:5"


def test_changes_that_do_not_fit_are_told_all_together():
    a = {"lr": 0.1, "rows": [1, 2], "net": lazy(net)(width=3), "old": 1}
    b = {"lr": 0.2, "rows": [1, 2, 3, 4], "net": lazy(net)(width=3, classes=4), "new": 5}
    other = {"lr": 0.3, "rows": [1], "net": 7, "new": 6}
    assert told(lambda: patch(other, diff(a, b)), PatchError).splitlines() == [
        "lr           must be 0.1, found 0.3",
        "net.classes  cannot be added: 4, nothing holds it",
        "old          must be 1, nothing is there",
        "new          nothing should be there yet, found 6",
        "rows[3]      cannot be added: 4, there are only 1 elements",
    ]


def test_an_argument_that_a_target_does_not_take_is_refused():
    changes = diff({"o": lazy(keep)()}, {"o": lazy(keep)(momentun=1)})
    assert told(lambda: patch({"o": lazy(sgd)()}, changes)).startswith(f"momentun  no such argument of {__name__}.sgd")


def test_what_is_no_change_is_refused():
    assert told(lambda: patch({}, [1]), TypeError) == (
        "1 is no change: give what diff(a, b) gave, or what was saved of it"
    )
