"""Dataclasses, attrs classes, NamedTuples and Enums stand anywhere in a spec, and every verb knows them."""

from __future__ import annotations

import copy as copying
import dataclasses
import enum
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, NamedTuple

import attrs
import pytest

from callsheet import (
    MISSING,
    Secret,
    build,
    check,
    copy,
    edit,
    equal,
    from_data,
    get,
    hash_of,
    lazy,
    load,
    override,
    partial,
    ref,
    sweep,
    to_data,
)
from callsheet.errors import OverrideError, SpecError
from saying import told


def keep(*args, **kwargs):
    return args, kwargs


class Net:
    made = 0

    def __init__(self, width=1, inner=None):
        Net.made += 1
        self.width, self.inner = width, inner


@dataclass
class Plain:
    x: Any = 1
    rows: list = field(default_factory=list)
    KIND: ClassVar[str] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    x: Any = 1
    inner: Any = None


@dataclass
class Derived:
    x: Any
    total: Any = field(init=False)

    def __post_init__(self):
        self.total = self.x if isinstance(self.x, int) else None


@dataclass
class Child(Derived):
    y: Any = 2


@dataclass
class Doubling:
    x: Any

    def __post_init__(self):
        self.x = self.x * 2 if isinstance(self.x, int) else self.x


@dataclass
class Scaled:
    x: Any
    by: InitVar[int]
    rows: Any = ()

    def __post_init__(self, by):
        if isinstance(self.x, int):
            self.x = self.x * by


@attrs.define
class Attrs:
    x: Any = attrs.field(converter=lambda v: int(v) if isinstance(v, str) and v.isdigit() else v)
    _hidden: Any = 2
    named: Any = attrs.field(default=3, alias="label")
    late: Any = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.late = self.x


@attrs.frozen
class Checked:
    x: Any = attrs.field(default=1, validator=lambda self, a, v: None if v != -1 else 1 / 0)


class Point(NamedTuple):
    x: Any
    y: Any = 5


class Color(enum.Enum):
    RED = 1
    ROWS = [1, 2]


@dataclass(frozen=True)
class Size:
    width: int


class Preset(Size, enum.Enum):
    SMALL = 3


EVERY = {
    "plain": lambda: Plain(3, [1, {"a": 2}]),
    "frozen, slots, keywords only": lambda: Frozen(x=2, inner=Frozen(x=[1])),
    "derived": lambda: Derived(4),
    "inherited": lambda: Child(4, y=[5]),
    "post_init that is not idempotent": lambda: Doubling(4),
    "InitVar": lambda: Scaled(3, by=4),
    "attrs": lambda: Attrs(x="7", hidden=8, label=9),
    "frozen attrs": lambda: Checked(2),
    "named tuple": lambda: Point(1),
    "nested": lambda: Plain({"a": (Frozen(x=Point(1, [2])),)}, [Attrs(1)]),
    "enum": lambda: Plain(Color.RED, [Preset.SMALL, Color.ROWS]),
}
EVERYONE = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
ALLOWED = [__name__, "builtins"]


def state(x):
    """What an instance holds, whatever it is."""
    if dataclasses.is_dataclass(x) and not isinstance(x, enum.Enum):
        return type(x), [(f.name, state(getattr(x, f.name))) for f in dataclasses.fields(x)]
    if attrs.has(type(x)):
        return type(x), [(f.name, state(getattr(x, f.name))) for f in attrs.fields(type(x))]
    if isinstance(x, list | tuple):
        return type(x), [state(v) for v in x]
    return (dict, [(k, state(v)) for k, v in x.items()]) if isinstance(x, dict) else x


@pytest.fixture(autouse=True)
def _count_from_nothing():
    Net.made = 0


# --- every verb, for all of them


@EVERYONE
def test_what_needs_nothing_built_is_built_as_it_is(make):
    x = make()
    made = build(lazy(keep)(x))[0][0]
    assert state(made) == state(x)


@EVERYONE
def test_a_copy_is_another_object_with_the_same_fields(make):
    x = make()
    made = copy(lazy(keep)(x))[0]
    assert made is not x
    assert state(made) == state(x)
    assert equal(made, x)
    assert hash_of(made) == hash_of(x)


@EVERYONE
def test_what_is_saved_loads_back_equal_and_is_built_to_the_same(make):
    spec = lazy(keep)(make())
    read = from_data(to_data(spec), allow=ALLOWED)
    assert equal(read, spec)
    assert hash_of(read) == hash_of(spec)
    assert state(build(read)[0][0]) == state(make())


@EVERYONE
def test_building_leaves_no_mutable_part_shared_with_the_spec(make):
    x = make()
    made = build([x])[0]
    if type(x) is Plain:
        assert made.rows is not x.rows


@EVERYONE
def test_check_finds_nothing_wrong(make):
    check(lazy(keep)(make()))


def test_fields_are_read_and_overridden_by_path_at_any_depth():
    spec = {"top": lazy(keep)(Plain(Frozen(inner=Derived(1)), [Attrs(2), Point(3)]))}
    made = override(spec, ["top.0.x.inner.x=5", "top.0.rows[0].named=6", "top.0.rows[1].y=7", "top.0.x.x=8"])
    read = [get(made, path) for path in ("top[0].x.inner.x", "top[0].rows[0].named", "top[0].rows[1].y", "top[0].x.x")]
    assert read == [5, 6, 7, 8]
    assert get(spec, "top[0].x.inner.x") == 1


def test_what_was_overridden_is_computed_and_checked_anew():
    @dataclass
    class Positive(Derived):
        def __post_init__(self):
            super().__post_init__()
            if self.x < 0:
                raise ValueError(self.x)

    assert build(override([Positive(1)], "0.x=5"))[0].total == 5
    with pytest.raises(ValueError, match="-1"):
        build(override([Positive(1)], "0.x=-1"))
    assert build(override(from_data(to_data({"a": Child(1)}), allow=ALLOWED), "a.x=6"))["a"].total == 6


@pytest.mark.parametrize(
    ("make", "path", "problem"),
    [
        (
            lambda: Scaled(3, by=4),
            "x",
            "Scaled cannot be made again with another: its constructor asks for by"
            " set by here describe it with lazy(Scaled)(…)",
        ),
        (lambda: Derived(4), "total", "is made by Derived, whose constructor does not take it here it takes x"),
        (
            lambda: Attrs(1),
            "late",
            "is made by Attrs, whose constructor does not take it here it takes x, _hidden, named",
        ),
    ],
)
def test_what_building_would_not_keep_or_make_fit_is_not_overridden(make, path, problem):
    said = told(lambda: override({"a": make()}, [f"a.{path}=5"]), OverrideError)
    assert " ".join(said.split()) == f"a.{path} {problem}"


# --- what must be built first


@pytest.mark.parametrize(
    "make",
    [
        lambda v: Plain(v),
        lambda v: Frozen(inner=v),
        lambda v: Derived(v),
        lambda v: Doubling(v),
        lambda v: Attrs(v),
        lambda v: Attrs(1, hidden=v, label=v),
        lambda v: Checked(v),
        lambda v: Point(v),
        lambda v: Plain([{"k": (Frozen(x=v),)}]),
    ],
)
def test_calls_and_references_in_fields_are_raw_until_built(make):
    net = lazy(Net)(width=3)
    spec = lazy(keep)(make(net), make(ref(net)), net)
    (first, second, built), _ = build(spec)
    assert Net.made == 1
    assert state(first) == state(make(built))
    assert state(second) == state(make(built))


def test_what_post_init_computes_is_computed_from_what_was_built():
    raw = Derived(lazy(int)("4"))
    assert (raw.total, build(raw).total, build(Child(lazy(int)("6"))).total) == (None, 4, 6)
    assert build(Doubling(lazy(int)("4"))).x == build(Plain(Doubling(lazy(int)("4")))).x.x == 8
    assert build(Attrs(lazy(int)("4"))).late == 4


def test_a_secret_in_a_field_is_what_post_init_sees(monkeypatch):
    monkeypatch.setenv("CALLSHEET_TEST_NUMBER", "41")
    assert build(Attrs(Secret("env:CALLSHEET_TEST_NUMBER"))).x == 41


def test_a_converter_and_a_validator_see_what_was_built():
    assert build(Attrs(lazy(str)("41"))).x == 41
    with pytest.raises(ZeroDivisionError) as caught:
        build({"a": [Checked(lazy(int)("-1"))]})
    assert caught.value.__notes__[0].split("\n")[0] == "while building a[0]"


def test_texts_in_fields_are_what_they_are_and_a_reference_is_written_as_one():
    spec = lazy(dict)(seed=3, plain=Plain("run-${seed}", [ref("seed"), "${seed}"]))
    assert build(spec)["plain"] == Plain("run-${seed}", [3, "${seed}"])
    assert build(override(spec, "seed=4"))["plain"].rows[0] == 4
    assert equal(from_data(to_data(spec)), spec)


def test_a_default_factory_that_gives_a_call_gives_each_owner_its_own():
    @dataclass
    class Owner:
        net: Any = field(default_factory=lambda: lazy(Net)())

    first, second = build([Owner(), Owner()])
    assert type(first.net) is type(second.net) is Net
    assert first.net is not second.net


def test_a_default_object_is_no_sharing_and_each_owner_builds_its_own():
    shared = Frozen(x=2)

    @dataclass
    class Owner:
        part: Any = shared

    class Pair(NamedTuple):
        net: Any = lazy(Net)()
        other: Any = None

    first, second, third = build([Owner(), Owner(), Owner(Frozen(x=lazy(Net)()))])
    assert first.part is not second.part
    assert type(third.part.x) is Net
    one, two = build([Pair(), Pair()])
    assert one.net is not two.net


def test_an_instance_held_twice_is_built_once():
    x = Plain(lazy(Net)())
    first, (second,), third = build([x, (x,), lazy(keep)(x)])
    assert first is second is third[0][0]
    assert Net.made == 1


def test_a_partial_in_a_field_and_a_field_of_a_partial():
    made = build(Plain(partial(Net)(width=4), [partial(keep)(Plain(lazy(Net)()))]))
    assert made.x().width == 4
    assert made.rows[0]()[0][0] is made.rows[0]()[0][0]


def test_a_field_that_was_never_set_is_no_field():
    @dataclass
    class Open:
        a: int
        b: int = field(init=False)

    made = build([Open(1), Open(lazy(int)("2"))])
    assert [x.a for x in made] == [1, 2]
    assert not hasattr(made[0], "b")
    check([Open(1), Open(lazy(int)("2"))])


@dataclass
class Emptied:
    n: int
    m: int = 3
    rows: list = field(default_factory=list)


@attrs.define
class EmptiedSlots:
    n: int
    m: int = 3


@pytest.mark.parametrize("cls", [Emptied, EmptiedSlots])
def test_a_field_that_was_taken_away_is_a_fault_only_where_the_class_asks_for_it(cls):
    made = cls(1)
    del made.m
    if cls is Emptied:
        del made.rows
    check({"x": made})
    assert (to_data(copy(made))["n"], hash_of(made)) == (1, hash_of(copy(made)))
    assert build({"x": made})["x"].n == 1
    del made.n
    assert equal(copy({"x": made}), {"x": made})
    assert told(lambda: check({"x": made})).startswith(f"x.n  is required by {cls.__name__}")
    assert "n" not in to_data(made)


# --- attrs classes, overridden


@attrs.frozen
class FrozenAttrs:
    n: Any = attrs.field(default=1, converter=int, validator=attrs.validators.gt(0))


@attrs.define(frozen=True, slots=False)
class FrozenDict:
    n: Any = 1


@attrs.define(on_setattr=attrs.setters.frozen)
class SetOnce:
    n: Any = 1


@attrs.define
class Judging:
    n: Any = attrs.field(default=1, converter=int, validator=attrs.validators.gt(0))


@pytest.mark.parametrize("cls", [FrozenAttrs, FrozenDict, SetOnce])
def test_a_frozen_attrs_class_is_overridden_by_replacement(cls):
    before = cls()
    made = override({"o": before, "t": (before,)}, "o.n=5")
    assert made.o == cls(5)
    assert made.t[0] is made.o
    assert before == cls(1)
    assert override(before, "n=5") == cls(5)
    assert [trial.spec for trial in sweep(before, "n=5,6")] == [cls(5), cls(6)]


@pytest.mark.parametrize("cls", [FrozenAttrs, Judging])
def test_what_an_attrs_class_refuses_is_told_with_path_and_origin(cls):
    said = told(lambda: override({"o": cls()}, ["o.n=-1"]), OverrideError)
    assert " ".join(said.split()) == f"o.n is refused by {cls.__name__}: ValueError: 'n' must be > 0: -1 here"
    assert override({"o": cls()}, "o.n='7'").o.n == 7


@pytest.mark.parametrize("cls", [FrozenAttrs, Judging])
def test_an_attrs_class_judges_a_reference_when_it_is_built(cls):
    spec = override({"o": cls(), "k": 3}, "o.n=${k}")
    assert build(spec)["o"] == cls(3)
    with pytest.raises(ValueError, match="'n' must be > 0: -3"):
        build(override(spec, "k=-3"))


# --- what cannot be constructed from its fields


def test_an_init_var_is_gone_when_a_field_must_be_built_first():
    spec = lazy(keep)(a=Scaled(lazy(int)("3"), by=4))
    assert told(lambda: build(spec), SpecError) == "\n".join(
        [
            "a  holds what must be built first, and Scaled cannot be made again from its fields: its "
            "constructor asks for by",
            "   write  lazy(Scaled)(…)  in its place",
        ]
    )
    assert told(lambda: check(spec), SpecError) == told(lambda: build(spec), SpecError)


def test_the_advice_for_it_works():
    assert build(lazy(Scaled)(lazy(int)("3"), by=4)).x == 12


def test_a_constructor_of_ones_own_that_asks_for_more_than_fields_is_told_likewise():
    @dataclass(init=False)
    class Own:
        x: Any

        def __init__(self, twice):
            self.x = twice

    assert build(Own(3)).x == 3
    assert "its constructor asks for twice" in told(lambda: build(Own(lazy(int)("3"))), SpecError)


# --- what a __post_init__ cannot bear


@pytest.mark.parametrize(
    "use", [lambda x: x * 2, lambda x: 2 - x, lambda x: x < 3, lambda x: x >= 3, lambda x: [x / 2], lambda x: x**2]
)
def test_a_post_init_that_computes_with_a_call_says_what_to_write(use):
    @dataclass
    class Computing:
        x: Any

        def __post_init__(self):
            self.x = use(self.x)

    assert told(lambda: Computing(lazy(int)("3")), TypeError) == "\n".join(
        [
            "Computing.__post_init__ computes with lazy(int)('3'), which must be built first",
            "  write  lazy(Computing)(…)  in its place",
        ]
    )
    assert build(lazy(Computing)(lazy(int)("3"))) == Computing(3)


class Ranged:
    """A range that its class judges, in three ways to write that."""

    @dataclass
    class Post:
        n: Any = 1

        def __post_init__(self):
            if self.n > 5:
                raise ValueError("too much")

    @attrs.define
    class Validating:
        n: Any = attrs.field(default=1, validator=attrs.validators.le(5))

    @attrs.frozen
    class Converting:
        n: Any = attrs.field(default=1, converter=float)


@pytest.mark.parametrize("cls", [Ranged.Post, Ranged.Validating, Ranged.Converting])
@pytest.mark.parametrize("given", [lazy(int)("3"), ref("a"), ref("a").b * 2])
def test_a_constructor_that_judges_a_field_which_is_not_built_says_what_to_write(cls, given):
    name = "__post_init__" if cls is Ranged.Post else "__init__"
    assert told(lambda: cls(given), TypeError) == "\n".join(
        [
            f"{cls.__name__}.{name} computes with {given!r}, which must be built first",
            f"  write  lazy({cls.__name__})(…)  in its place",
        ]
    )
    spec = {"a": 2, "x": lazy(cls)(ref("a"))}
    assert build(spec)["x"] == cls(2)


@pytest.mark.parametrize("cls", [Ranged.Post, Ranged.Validating, Ranged.Converting])
def test_a_constructor_that_judges_what_must_be_given_says_what_to_write(cls):
    said = told(lambda: cls(MISSING), TypeError)
    assert "computes with MISSING, which must be given first" in said
    assert f"write  lazy({cls.__name__})(…)  in its place" in said
    assert "must be given" in told(lambda: build(lazy(cls)(MISSING)), SpecError)


def test_elsewhere_a_call_in_arithmetic_is_the_error_that_python_has():
    with pytest.raises(TypeError, match="unsupported operand"):
        lazy(int)("3") * 2
    with pytest.raises(TypeError, match=r"float\(\) argument must be"):
        float(lazy(int)("3"))
    with pytest.raises(TypeError, match="'<' not supported"):
        assert MISSING < 1
    assert build([x := lazy(int)("3"), x + ref(x)])[1] == 6


def test_a_post_init_that_fails_in_a_config_file_says_what_to_write(project):
    project(
        "shapes_of_tests.py",
        """
        from dataclasses import dataclass

        @dataclass
        class Rows:
            count: object

            def __post_init__(self):
                self.rows = list(range(self.count))
        """,
    )
    path = project(
        "conf.py",
        """
        from callsheet import lazy
        from shapes_of_tests import Rows

        rows = Rows(lazy(int)("3"))
        """,
    )
    with pytest.raises(TypeError, match="cannot be interpreted as an integer") as caught:
        load(path)
    assert caught.value.__notes__ == ["Rows was given what must be built first: write  lazy(Rows)(…)  in its place"]


# --- Python's own copies


def test_deepcopy_of_an_instance_copies_the_calls_in_it():
    x = Plain(lazy(Net)(width=[1]))
    made = copying.deepcopy(x)
    edit(made, "x.width=[2]")
    assert (x.x.width, made.x.width) == ([1], [2])


def test_an_enum_member_is_one_thing_also_where_it_is_a_dataclass():
    assert build([Preset.SMALL, Color.ROWS]) == [Preset.SMALL, Color.ROWS]
    assert build([Preset.SMALL])[0] is copy({"a": Preset.SMALL})["a"] is Preset.SMALL
