"""The order of a build is told before it begins, and what is quick about it changes no answer."""

import dataclasses
import enum
from dataclasses import dataclass, field

import pytest

from callsheet import MISSING, CallsheetError, build, from_data, lazy, ref, to_data

log = []


def note(name, *parts, **more):
    log.append(name)
    return [name, *parts, *more.values()]


def one(width, inner=None):
    return (width, inner)


@pytest.fixture(autouse=True)
def empty_log():
    log.clear()


def test_calls_happen_in_the_order_of_python():
    build(lazy(note)("e", lazy(note)("a"), [lazy(note)("b")], x=lazy(note)("d", y=lazy(note)("c"))))
    assert log == ["a", "b", "c", "d", "e"]


def test_a_node_held_later_is_made_at_its_first_place():
    shared = lazy(note)("shared")
    first, (second, third) = build([lazy(note)("a", shared), (lazy(note)("b", x=shared), {"k": shared})])
    assert log == ["shared", "a", "b"]
    assert first[1] is second[1] is third["k"]


def test_a_call_like_those_before_is_looked_at_all_the_same():
    with pytest.raises(CallsheetError) as caught:
        build([lazy(one)(width=1), lazy(one)(width=MISSING), lazy(one)(width=1), lazy(one)(inner=1)])
    assert [fault.path for fault in caught.value.faults] == ["[1].width", "[3].width"]


def test_nothing_is_called_before_everything_was_looked_at():
    with pytest.raises(CallsheetError):
        build([lazy(note)("early"), lazy(one)()])
    assert log == []


def test_the_spec_stays_as_it_was():
    spec = [lazy(one)(width=1), lazy(one)(width=lazy(one)(width=2), inner=[lazy(one)(width=3)])]
    before = repr(spec)
    assert build(spec) == build(spec) == [(1, None), ((2, None), [(3, None)])]
    assert repr(spec) == before


def test_what_a_function_does_to_its_arguments_reaches_nobody_else():
    def spoil(**arguments):
        arguments["xs"].append(0)
        return arguments["xs"]

    spec = lazy(spoil)(xs=[1, 2])
    assert build(spec) == build(spec) == [1, 2, 0]


def test_callables_that_have_no_hash_are_told_apart():
    @dataclasses.dataclass
    class Adder:
        by: int

        def __call__(self, x):
            return x + self.by

    assert build([lazy(Adder(1))(x=1), lazy(Adder(2))(x=1), lazy(Adder(1))(x=5)]) == [2, 3, 6]


def test_the_note_of_a_failure_names_the_one_that_failed():
    def half(x):
        return 1 / x

    with pytest.raises(ZeroDivisionError) as caught:
        build({"a": [lazy(half)(x=1), lazy(half)(x=2), lazy(half)(x=0)]})
    assert "a[2]" in caught.value.__notes__[0]


def test_a_list_in_a_circle_is_an_error_before_anything_happens():
    ring = [lazy(note)("early")]
    ring.append([ring])
    with pytest.raises(CallsheetError, match="leads back"):
        build(ring)
    assert log == []


def test_references_wait_for_what_they_need():
    model = lazy(one)(width=3)
    assert build([lazy(one)(width=ref(model)[0]), model]) == [(3, None), (3, None)]


@pytest.mark.parametrize("depth", [1, 10, 900])
def test_deep_chains(depth):
    spec = None
    for n in range(depth):
        spec = lazy(one)(width=n, inner=spec)
    made = build(spec)
    for n in reversed(range(depth)):
        assert made[0] == n
        made = made[1]


class Color(enum.Enum):
    RED = 1


def test_keys_that_data_could_only_name_are_made_real():
    data = to_data({Color.RED: 1, (Color.RED, 2): lazy(dict)(a=1)})
    assert build(from_data(data, allow=[__name__, "builtins"])) == {Color.RED: 1, (Color.RED, 2): {"a": 1}}


@dataclass
class Derived:
    parts: list[int]
    total: int = field(init=False, default=0)

    def __post_init__(self):
        self.total = sum(self.parts) if all(isinstance(part, int) for part in self.parts) else -1


def test_what_post_init_computes_is_computed_from_built_values():
    assert build({"d": Derived([1, lazy(int)("2")])})["d"].total == 3
