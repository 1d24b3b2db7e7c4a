"""The calls happen, each once, and what goes wrong in them stays the user's own exception."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import pytest

from callsheet import MISSING, build, check, copy, equal, from_data, hash_of, lazy, partial, ref, to_data
from callsheet.errors import SpecError
from saying import told


def net(width: int, depth: int, name: str = "n"): ...


def keep(*args, **kwargs):
    return args, kwargs


class Made:
    count = 0

    def __init__(self, *parts):
        type(self).count += 1
        self.parts = parts


class Picky(ValueError):
    def __init__(self, code, more):
        super().__init__(code, more)


def picky(size: int, **more):
    raise Picky(size, more)


@dataclass
class Config:
    size: Any = 1
    rows: list = field(default_factory=list)


@pytest.fixture(autouse=True)
def _count_from_nothing():
    Made.count = 0


def test_a_diamond_is_built_once():
    shared = lazy(Made)()
    top, rows = build([lazy(Made)(lazy(Made)(shared), [shared]), {"s": (shared,)}])
    assert Made.count == 3
    assert top.parts[0].parts[0] is top.parts[1][0] is rows["s"][0]


def test_a_chain_of_diamonds_costs_a_call_each():
    spec = lazy(Made)()
    for _ in range(200):
        spec = lazy(Made)(spec, [spec])
    build(spec)
    assert Made.count == 201


def test_two_builds_make_two_objects():
    spec = lazy(Made)()
    assert build(spec) is not build(spec)


def test_what_is_needed_is_built_before_what_needs_it_and_the_rest_in_order():
    order = []

    def note(name, *_):
        order.append(name)

    last = lazy(note)("d")
    build([lazy(note)("c", lazy(note)("a"), x := lazy(note)("b")), x, ref(last), last])
    assert order == ["a", "b", "c", "d"]


def test_building_leaves_its_argument_as_it_was():
    shared = lazy(Made)([1, {"a": 2}])
    spec = lazy(keep)(shared, [shared], {"m": (shared, "${[0]}")}, Config(3, [shared]), partial(keep)(shared))
    before, text, parts = copy(spec), repr(spec), [spec[0], spec[3]]
    build(spec)
    assert equal(spec, before)
    assert repr(spec) == text
    assert [spec[0] is parts[0], spec[3] is parts[1]] == [True, True]
    assert hash_of(spec) == hash_of(before)


def test_what_is_built_can_be_changed_without_changing_the_spec():
    spec = lazy(keep)([1], {"a": [2]})
    (rows, more), _ = build(spec)
    rows.append(9)
    more["a"].append(9)
    assert repr(spec) == "lazy(keep)([1], {'a': [2]})"


def test_what_a_partial_holds_is_built_once():
    made = build(partial(keep)(lazy(Made)()))
    assert type(made) is functools.partial
    assert made()[0][0] is made()[0][0]
    assert Made.count == 1


def test_a_dataclass_is_made_through_its_constructor_from_built_fields():
    made = build(Config(size=lazy(int)("7"), rows=[lazy(Made)()]))
    assert (type(made), made.size, type(made.rows[0])) == (Config, 7, Made)


def test_values_that_hold_nothing_are_built_as_they_are():
    live = object()
    assert build([live, len, 1, "a", None]) == [live, len, 1, "a", None]


# --- faults before anything is built


def test_all_that_is_missing_is_reported_together_and_nothing_is_built():
    spec = lazy(dict)(
        a=lazy(Made)(), n=lazy(net)(width=MISSING), rows=[MISSING, lazy(net)(1)], p=partial(net)(name=MISSING)
    )
    signature = "net(width: int, depth: int, name: str = 'n')"
    assert told(lambda: build(spec), SpecError) == "\n".join(
        [
            "n.width        must be given                                            here",
            "n.depth        is required by test_build.net                            here",
            f"               {signature}",
            "rows[0]        must be given                                            here",
            "rows[1].depth  is required by test_build.net                            here",
            "p.name         must be given                                            here",
            f"               {signature}",
        ]
    )
    assert told(lambda: check(spec), SpecError) == told(lambda: build(spec), SpecError)
    assert Made.count == 0


# --- faults while building


def test_an_exception_of_a_constructor_keeps_its_type_and_says_where():
    spec = lazy(dict)(ok=lazy(Made)(), deep=[{"k": lazy(picky)(size=3, b=lazy(int)("4"))}])
    with pytest.raises(Picky) as caught:
        build(spec)
    assert caught.value.args == (3, {"b": 4})
    (note,) = caught.value.__notes__
    place, call = note.split("\n")
    assert place.rpartition(":")[0].endswith("test_build.py")
    assert place.startswith("while building deep[0].k, written at ")
    assert call == "    lazy(picky)(size=3, b=lazy(int)('4'))"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_interrupt_goes_through_as_it_is(error):
    def stop():
        raise error

    with pytest.raises(error):
        build(lazy(keep)(lazy(stop)()))


def test_an_exception_behind_a_reference_is_told_at_the_place_that_it_leads_to():
    spec = lazy(dict)(first=ref("model").real, model=lazy(int)("x"))
    with pytest.raises(ValueError, match="invalid literal") as caught:
        build(spec)
    assert caught.value.__notes__[0].startswith("while building model, written at ")


def test_an_exception_of_what_is_done_to_a_reference_is_told_at_its_place():
    spec = lazy(dict)(model=lazy(Made)(), x=[ref("model").no_such_attribute])
    with pytest.raises(AttributeError, match="no_such_attribute") as caught:
        build(spec)
    assert caught.value.__notes__[0].split("\n") == ["while building x[0]", '    ref("model").no_such_attribute']


def test_an_exception_of_the_whole_spec():
    with pytest.raises(ZeroDivisionError) as caught:
        build(lazy(divmod)(1, 0))
    assert caught.value.__notes__[0].startswith("while building the spec, written at ")


def test_a_post_init_that_fails_says_where():
    @dataclass
    class Strict:
        size: Any

        def __post_init__(self):
            if self.size == 3:
                raise LookupError(self.size)

    with pytest.raises(LookupError) as caught:
        build({"a": [Strict(lazy(int)("3"))]})
    assert caught.value.__notes__[0].split("\n")[0] == "while building a[0]"


# --- partials


@pytest.mark.parametrize(
    "spec",
    [
        [functools.partial(keep, lazy(Made)(), k=[lazy(Made)()])],
        {"a": Config(functools.partial(keep, lazy(Made)(), k=[lazy(Made)()]))},
        lazy(keep)(functools.partial(keep, lazy(Made)(), k=[lazy(Made)()])),
        [partial(keep)(lazy(Made)(), k=[lazy(Made)()])],
    ],
)
def test_a_functools_partial_is_a_partial_wherever_it_stands(spec):
    made = build(spec)
    found = made[0] if isinstance(made, list) else made["a"].size if isinstance(made, dict) else made[0][0]
    (first,), more = found()
    assert (type(found), type(first), type(more["k"][0]), Made.count) == (functools.partial, Made, Made, 2)
    assert found()[0][0] is first
    assert equal(from_data(to_data(spec)), copy(spec))
    assert hash_of(from_data(to_data(spec))) == hash_of(spec)


def test_what_a_partial_inside_a_partial_makes_is_new_at_each_call():
    held = build(partial(keep)(lazy(Made)(), each=partial(Made)(lazy(Made)())))
    (one,), first = held()
    (same,), second = held()
    assert one is same
    made, again = first["each"](), second["each"]()
    assert made is not again
    assert made.parts[0] is again.parts[0]


def test_a_functools_partial_that_its_function_does_not_bear_is_a_fault():
    assert told(lambda: build([functools.partial(net, widht=1)]), SpecError).startswith(
        "[0].widht  no such argument of test_build.net"
    )
