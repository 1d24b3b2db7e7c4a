"""A factory gives at each call what `build` gives, and does not notice what becomes of the spec."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest

from callsheet import MISSING, Config, build, equal, factory, from_data, lazy, partial, ref, to_data
from callsheet.errors import SpecError
from saying import told


class Net:
    made = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Net.made += 1
        self.args, self.kwargs = args, kwargs


def keep(*args, **kwargs):
    return args, kwargs


@dataclasses.dataclass
class Plain:
    x: Any = 1
    rows: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Derived:
    x: Any
    total: Any = dataclasses.field(init=False)

    def __post_init__(self):
        self.total = self.x if isinstance(self.x, int) else None


class Point(NamedTuple):
    x: Any
    y: Any = 2


class NetConfig(Config[Net]):
    width: Any = 3
    inner: Any = None


class ByHand(Config):
    net: Any

    def build(self):
        return Net(self.net.build(), build(self.net))


@pytest.fixture(autouse=True)
def _count_from_nothing():
    Net.made = 0


AWKWARD = [
    float("inf"),
    -float("inf"),
    -0.0,
    1e300,
    2**70,
    -(2**70),
    -1,
    1j,
    True,
    None,
    b"\0",
    "\ud800",
    "x" * 500,
    "'\"\n\\",
]


@pytest.mark.parametrize(
    "spec",
    [
        lazy(keep)(1, "a", x=None),
        [lazy(keep)(*AWKWARD), {"k": AWKWARD, 1: (), None: (1,), (1, "a"): ((), [()])}],
        lazy(keep)(**{"class": 1, "odd name": 2, "é": 3, "__debug__": 4, "plain": [5]}),
        lazy(lazy(partial)(int))("7"),
        lazy("os.path.join")("a", lazy(str)("b")),
        {"a": Plain(lazy(int)("3"), [1, {"b": ()}]), "d": Derived(lazy(int)("4")), "p": Point(lazy(int)("5"))},
        Plain(Derived(4), [Point(1)]),
        [dict, print, Plain, {"n": lazy(keep)(norm=dict)}],
        7,
        [],
    ],
)
def test_each_call_gives_what_build_gives(spec):
    make = factory(spec)
    first, second = make(), make()
    assert repr(first) == repr(second) == repr(build(spec))


def test_objects_are_new_at_each_call_and_a_node_is_made_once_in_it():
    shared = lazy(Net)()
    make = factory([shared, {"k": (shared,)}, lazy(keep)(shared), ref(shared).args])
    first, second = make(), make()
    assert first[0] is first[1]["k"][0] is first[2][0][0]
    assert first[3] == ()
    assert first[0] is not second[0]
    assert Net.made == 2


def test_containers_are_new_at_each_call():
    make = factory(lazy(keep)([1, [2]], {"a": [3]}, (4, [5])))
    first = make()
    first[0][0][1].append(0)
    first[0][1]["a"].append(0)
    first[0][2][1].append(0)
    assert make() == (([1, [2]], {"a": [3]}, (4, [5])), {})


def test_what_a_partial_holds_is_made_once_a_call():
    make = factory(partial(keep)(lazy(Net)(), k=lazy(Net)()))
    first, second = make(), make()
    assert first()[0][0] is first()[0][0]
    assert first()[0][0] is not second()[0][0]
    assert Net.made == 4


def test_configs_are_built():
    shared = NetConfig(inner=lazy(int)("4"))
    make = factory([shared, NetConfig(inner=shared)])
    inner, outer = make()
    assert outer.kwargs == {"width": 3, "inner": inner}
    assert inner.kwargs == {"width": 3, "inner": 4}


def test_a_handwritten_build_runs_at_each_call():
    config = ByHand(NetConfig())
    make = factory({"a": config, "b": config.net})
    first, second = make(), make()
    assert first["a"].args[0] is first["a"].args[1] is first["b"]
    assert first["a"] is not second["a"]
    config.net.width = 9
    assert make()["b"].kwargs["width"] == 3


def test_references_and_data():
    spec = lazy(dict)(width=3, text="w-${width}", twice=ref("width") * 2, net=lazy(Net)(width="${width}"))
    for each in (spec, from_data(to_data(spec), allow=["builtins", __name__])):
        made = factory(each)()
        assert (made["text"], made["twice"], made["net"].kwargs) == ("w-3", 6, {"width": 3})
    assert factory(lazy(keep)("${a}"), root={"a": lazy(int)("5")})() == ((5,), {})


def test_later_edits_of_the_spec_change_nothing():
    inner = lazy(keep)(1)
    spec = lazy(keep)([1], {"a": 2}, inner, plain=Plain(1, [3]))
    make = factory(spec)
    before, expected = repr(spec), make()
    spec[0].append(2)
    spec[1].a = 3
    inner[0] = 4
    spec.plain.x = 5
    spec.plain.rows.append(6)
    assert make() == expected
    assert repr(spec) != before
    assert equal(build(spec)[1]["plain"], Plain(5, [3, 6]))


def test_the_environment_is_asked_when_the_factory_is_made(monkeypatch):
    monkeypatch.setenv("CALLSHEET_TEST_SIZE", "1")
    make = factory(lazy(keep)("${env:CALLSHEET_TEST_SIZE}"))
    monkeypatch.setenv("CALLSHEET_TEST_SIZE", "2")
    assert make() == make() == (("1",), {})


def test_what_build_refuses_is_refused_when_the_factory_is_made():
    spec = {"a": lazy(keep)(MISSING)}
    assert told(lambda: factory(spec), SpecError) == told(lambda: build(spec), SpecError)


def test_a_failure_has_the_note_that_build_gives():
    def half(x):
        return 1 / x

    spec = {"a": [lazy(half)(x=2), {"k": lazy(half)(x=lazy(int)("0"))}]}
    notes = []
    make = factory(spec)
    for action in (make, make, lambda: build(spec)):
        with pytest.raises(ZeroDivisionError) as caught:
            action()
        notes.append(caught.value.__notes__)
    assert notes[0] == notes[1] == notes[2]
    assert notes[0][0].startswith("while building a[1].k, written at ")


def test_a_failure_is_told_as_the_spec_was():
    spec = lazy(divmod)(1, 0)
    make = factory(spec)
    spec[1] = 5
    with pytest.raises(ZeroDivisionError) as caught:
        make()
    assert caught.value.__notes__[0].endswith("    lazy(divmod)(1, 0)")


@pytest.mark.parametrize("depth", [50, 900])
def test_nesting_has_no_limit_of_its_own(depth):
    spec: Any = lazy(keep)()
    rows: Any = 0
    for _ in range(depth):
        spec = lazy(keep)(spec)
        rows = [rows]
    made = factory(spec)()
    for _ in range(depth):
        ((made,), _kwargs) = made
    assert made == ((), {})
    made = factory(rows)()
    for _ in range(depth):
        (made,) = made
    assert made == 0


def test_a_wide_display_is_whole():
    rows = [[n, {"n": n, "m": [n]}] for n in range(3000)]
    assert factory(lazy(keep)(rows))() == ((rows,), {})
