"""Values are judged by what is declared for them, in calls and in dataclasses, however it is written (promise 19)."""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import enum
import functools
import pathlib
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    TypeVarTuple,
    Union,
    Unpack,
    runtime_checkable,
)

import attrs
import pytest

if TYPE_CHECKING:  # read by the check alone
    from decimal import Decimal  # noqa: F401

    from no_such_package import Unknown  # noqa: F401

from callsheet import MISSING, Ref, check, from_data, lazy, override, partial, ref
from callsheet._fit import Judge
from callsheet._hint import form_of
from callsheet._known import known_of
from callsheet._signature import signature_of
from callsheet._spec import attach
from callsheet._target import Name, resolve
from callsheet.errors import SpecError
from saying import told

Shape = TypeVarTuple("Shape")


class Layer:
    def __init__(self, width: int = 1) -> None: ...

    def __call__(self, x: int) -> int:
        return x


class Dense(Layer):
    pass


class Data:
    def __init__(self, rows: int = 0) -> None: ...


class Either:
    def __new__(cls, kind: str = "") -> Any:
        return Dense()


class Source:
    """An interface: there is nothing to it but what it leaves open."""

    def __getitem__(self, n: int) -> int:
        raise NotImplementedError


class Color(enum.Enum):
    RED = 1


class Fits(Protocol):
    def fit(self, rows: int) -> int: ...


@runtime_checkable
class Named(Protocol):
    name: str


class Model:
    name = "m"

    def fit(self, rows: int) -> int:
        return rows


class Options(TypedDict):
    lr: float
    name: NotRequired[str]


class Point(NamedTuple):
    x: int
    y: int


def a_layer(width: int = 1) -> Layer:
    return Layer(width)


def a_list() -> list[int]:
    return []


def nothing() -> None: ...


def anything():
    return Layer()


def layers() -> Iterator[Layer]:
    yield Layer()


@functools.wraps(nothing)
def wrapped():
    return 3


def takes_one(x: int) -> int:
    return x


def takes_two(x: int, y: int) -> int:
    return x


Seconds = NewType("Seconds", int)
T = TypeVar("T")
B = TypeVar("B", bound=Layer)
C = TypeVar("C", int, str)
P = ParamSpec("P")
Json = Union[dict[str, "Json"], list["Json"], str, int, None]  # noqa: UP007


def _id(x: Any) -> str:
    return re.sub(r" at 0x\w+", "", repr(x))


FITS = [
    (int, 3),
    (int, True),
    (float, 3),
    (complex, 3.0),
    (bool, False),
    (bytes, b"x"),
    (None, None),
    (object, object()),
    (Any, object()),
    (Optional[int], None),  # noqa: UP045
    (Union[int, str], "a"),  # noqa: UP007
    (int | str | None, None),
    (Literal["a", 1], 1),
    (Color, Color.RED),
    (pathlib.Path, pathlib.Path("a")),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], ()),
    (tuple[int, ...], (1, 2)),
    (tuple[()], ()),
    (tuple[int, *tuple[str, ...]], (1,)),
    (tuple[int, *tuple[str, ...], bool], (1, "a", "b", True)),
    (tuple[int, Unpack[tuple[str, float]]], (1, "a", 2.0)),  # noqa: UP044
    (tuple[int, *Shape], (1, "a", None)),
    (tuple, (1, "a")),
    (list[int], [1, 2]),
    (list[int], (1, 2)),
    (list[list[float]], [[1], [2.0]]),
    (dict[str, list[int]], {"a": [1]}),
    (Mapping[str, int | None], {"a": None}),
    (set[int], {1}),
    (frozenset, frozenset("a")),
    (Sequence[int], [1]),
    (Sequence[int], range(3)),
    (Sequence[str], "abc"),
    (Iterable[str], ["a"]),
    (abc.Collection[int], {1, 2}),
    (type, int),
    (type[Layer], Dense),
    (type[Layer] | None, None),
    (typing.Type[Layer], Dense),  # noqa: UP006
    (Callable, len),
    (Callable[..., Any], Layer),
    (Callable[[int], int], takes_one),
    (Callable[[int], Layer], Layer),
    (Callable[[int], Layer], Dense),
    (abc.Callable[[int], int], lambda x: x),
    (Source, [1, 2]),
    (Source, lazy(list)([1, 2])),
    (Fits, Model()),
    (Named, Model()),
    (Seconds, 3),
    (T, "anything"),
    (B, Dense()),
    (C, "a"),
    (Annotated[int, "rows"], 3),
    (Final[int], 3),
    (Options, {"lr": 1}),
    (Options, {"lr": 0.1, "name": "x"}),
    ("int | None", None),
    ("Layer", Dense()),
    ("list[Unknown]", [1]),
    ("Unknown[int]", 1),
    ("what it is, in words", 1),
    (Json, {"a": [1, {"b": None}]}),
    # What a call will give.
    (Layer, lazy(Layer)()),
    (Layer, lazy(Dense)()),
    (Layer, lazy(f"{__name__}:Dense")()),
    (Layer, lazy(Either)()),
    (Layer, lazy(a_layer)()),
    (Dense, lazy(a_layer)()),
    (Layer, lazy(anything)()),
    (int, lazy(wrapped)()),
    (list[int], lazy(a_list)()),
    (Iterable[Layer], lazy(layers)()),
    (int | None, lazy(nothing)()),
    (float, lazy(int)("3")),
    (list[Layer], [lazy(Layer)(), lazy(Dense)()]),
    (dict[str, Layer], {"a": lazy(Dense)()}),
    (tuple[Layer, int], (lazy(Dense)(), 3)),
    (Options, {"lr": lazy(float)("3")}),
    (Callable[[int], int], lazy(Layer)()),
    (Fits, lazy(Model)()),
    (Named, lazy(Data)()),
    (Callable, partial(Layer)()),
    (Callable[[int], Layer], partial(Dense)()),
    (Callable[[int], int], partial(takes_two)(1)),
    (functools.partial, partial(Layer)()),
    (type[Layer], lazy(type)("New", (Layer,), {})),
    # What is only named.
    (type[Layer], Name(__name__, "Dense")),
    (Callable[[int], int], Name(__name__, "takes_one")),
    # What only building can tell.
    (int, MISSING),
    (int, ref(lazy(Layer)()).width),
    (int, Ref(("run", "index"))),
]


def misfits(value: Any, hint: Any) -> list[str]:
    """What the annotation of a parameter says to a value that stands in a call."""

    def function(x=None): ...

    function.__annotations__ = {"x": hint}
    function.__defaults__ = (Ellipsis,)
    try:
        check(lazy(function)(value))
    except SpecError as error:
        return [f"{fault.path}  {fault.problem}" for fault in error.faults]
    return []


@pytest.mark.parametrize(("hint", "value"), FITS, ids=_id)
def test_what_fits_passes(hint, value):
    assert misfits(value, hint) == ([] if value is not MISSING else ["[0]  must be given"])


@pytest.mark.parametrize(
    ("hint", "value", "problem"),
    [
        (int, "3", "[0]  must be int, found '3'"),
        (int, 1.0, "[0]  must be int, found 1.0"),
        (float, "3", "[0]  must be float, found '3'"),
        (bool, 1, "[0]  must be bool, found 1"),
        (str, 3, "[0]  must be str, found 3"),
        (str, None, "[0]  must be str, found None"),
        (None, 3, "[0]  must be None, found 3"),
        (int | None, "a", "[0]  must be int | None, found 'a'"),
        (Optional[int], "a", "[0]  must be int | None, found 'a'"),  # noqa: UP045
        (Literal["a", 1], True, "[0]  must be Literal['a', 1], found True"),
        (Color, "RED", "[0]  must be Color, found 'RED'"),
        (pathlib.Path, "a", "[0]  must be Path, found 'a'"),
        (tuple[int, str], (1, 2), "[0][1]  must be str, found 2"),
        (tuple[int, str], (1,), "[0]  must be tuple[int, str], found (1,)"),
        (tuple[int, ...], (1, "a"), "[0][1]  must be int, found 'a'"),
        (tuple[int, int], [1, 2], "[0]  must be tuple[int, int], found [1, 2]"),
        (tuple[int, *tuple[str, ...]], (1, "a", 2), "[0][2]  must be str, found 2"),
        (tuple[int, *tuple[str, ...]], (), "[0]  must be tuple[int, *tuple[str, ...]], found ()"),
        (tuple[*tuple[str, ...], int], ("a", "b"), "[0][1]  must be int, found 'b'"),
        (list[int], [1, "a", 2, None], "[0][1]  must be int, found 'a'\n[0][3]  must be int, found None"),
        (list[int], "abcde", "[0]  must be list[int], found 'abcde'"),
        (list[int], ["a"] * 9, "[0]  must be list[int], found ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a']"),
        (list[int] | None, [1, "a"], "[0][1]  must be int, found 'a'"),
        (dict[str, list[int]], {"a": [1], "b": ["c"]}, "[0].b[0]  must be int, found 'c'"),
        (dict[str, int], {1: 2}, "[0]  must be dict[str, int], found {1: 2}"),
        (Mapping[str, int], [1], "[0]  must be Mapping[str, int], found [1]"),
        (set[int], {"a"}, "[0]  must be set[int], found {'a'}"),
        (Sequence[int], {1}, "[0]  must be Sequence[int], found {1}"),
        (Sequence[int], "abc", "[0]  must be Sequence[int], found 'abc'"),
        (Iterable[str], [1], "[0][0]  must be str, found 1"),
        (type[Layer], Data, "[0]  must be type[Layer], found Data"),
        (type[Layer], Layer(), "[0]  must be type[Layer], found <"),
        (type, 3, "[0]  must be type, found 3"),
        (Callable, 3, "[0]  must be Callable, found 3"),
        (Callable[[int], int], takes_two, "[0]  must be Callable[[int], int], found takes_two"),
        (Callable[..., Layer], Data, "[0]  must be Callable[..., Layer], found Data"),
        (Fits, Data(), "[0]  must be Fits, found <"),
        (Source, 3, "[0]  must be Source, found 3"),
        (Source, lazy(Data)(), "[0]  must be Source, found a call of Data"),
        (Named, Data(), "[0]  must be Named, found <"),
        (Seconds, "3", "[0]  must be Seconds, found '3'"),
        (B, 3, "[0]  must be Layer, found 3"),
        (C, 3.0, "[0]  must be int | str, found 3.0"),
        (Annotated[int, "rows"], "a", "[0]  must be int, found 'a'"),
        (Options, {"lr": "a"}, "[0].lr  must be float, found 'a'"),
        (Options, {"name": "x"}, "[0]  must be Options, found {'name': 'x'}"),
        (Options, {"lr": 1.0, "momentum": 2}, "[0]  must be Options, found {'lr': 1.0, 'momentum': 2}"),
        ("int | None", "a", "[0]  must be int | None, found 'a'"),
        ("list[Unknown]", 1, "[0]  must be list[Any], found 1"),
        ("Decimal | None", "a", "[0]  must be Decimal | None, found 'a'"),
        (Json, 1.5, "[0]  must be dict[str, Json] | list[Json] | str | int | None, found 1.5"),
        (Json, [1, {"a": 1.5}], "[0][1].a  must be Json, found 1.5"),
        (Layer, lazy(Data)(), "[0]  must be Layer, found a call of Data"),
        (Layer, lazy(f"{__name__}:Data")(), "[0]  must be Layer, found a call of Data"),
        (Layer | None, lazy(Data)(), "[0]  must be Layer | None, found a call of Data"),
        (Data, lazy(a_layer)(), "[0]  must be Data, found a call of a_layer"),
        (Layer, lazy(nothing)(), "[0]  must be Layer, found a call of nothing"),
        (int, lazy(a_list)(), "[0]  must be int, found a call of a_list"),
        (int, lazy(float)("3"), "[0]  must be int, found a call of float"),
        (list[Layer], [lazy(Dense)(), lazy(Data)()], "[0][1]  must be Layer, found a call of Data"),
        (list[Layer], lazy(Layer)(), "[0]  must be list[Layer], found a call of Layer"),
        (dict[str, Layer], {"a": lazy(Data)()}, "[0].a  must be Layer, found a call of Data"),
        (Literal["a"], lazy(Layer)(), "[0]  must be Literal['a'], found a call of Layer"),
        (Callable[[int], int], lazy(Data)(), "[0]  must be Callable[[int], int], found a call of Data"),
        (Fits, lazy(Data)(), "[0]  must be Fits, found a call of Data"),
        (Layer, partial(Layer)(), "[0]  must be Layer, found a partial of Layer"),
        (
            Callable[[int], int],
            partial(takes_one)(1),
            "[0]  must be Callable[[int], int], found a partial of takes_one",
        ),
        (Callable[..., Layer], partial(Data)(), "[0]  must be Callable[..., Layer], found a partial of Data"),
        (type[Layer], partial(Layer)(), "[0]  must be type[Layer], found a partial of Layer"),
        (type[Layer], lazy(Layer)(), "[0]  must be type[Layer], found a call of Layer"),
        (type[Layer], Name(__name__, "Data"), "[0]  must be type[Layer], found Data"),
        (int, Name(__name__, "Data"), "[0]  must be int, found Data"),
    ],
    ids=_id,
)
def test_what_does_not_fit_is_told_at_its_own_path(hint, value, problem):
    found = "\n".join(misfits(value, hint))
    assert found == problem or (problem.endswith("<") and found.startswith(problem))


@dataclasses.dataclass
class Optim:
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.999)
    seed: int = None
    made: int = dataclasses.field(default="later", init=False)
    names: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Child(Optim):
    layer: Layer | None = None


@attrs.define
class Shape:
    rows: int
    label: str = attrs.field(default="", converter=str)


SAID_OF_OPTIM = (
    "Optim(lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.999), seed: int = None, names: list[str] = <factory>)"
)


def test_the_fields_of_a_dataclass_anywhere_in_the_spec_are_judged():
    spec = {"a": [Optim(lr="x", names=["a", 3])], "b": lazy(dict)(optim=Child(layer=lazy(Data)()))}
    text = told(lambda: check(spec), SpecError)
    assert [line for line in text.splitlines() if not line.startswith(" " * 8)] == [
        "a[0].lr        must be float, found 'x'",
        "a[0].names[1]  must be str, found 3",
        f"{'b.optim.layer  must be Layer | None, found a call of Data':<72}here",
    ]


def test_the_fields_of_attrs_classes_and_named_tuples_are_judged():
    assert told(lambda: check([Shape(rows="3", label=3), Point(1, "2")]), SpecError) == "\n".join(
        [
            "[0].rows  must be int, found '3'",
            "          Shape(rows: int, label='')",
            "[1].y     must be int, found '2'",
            "          Point(x: int, y: int)",
        ]
    )


def test_a_default_fits_whatever_is_declared():
    assert check([Optim(), Optim(seed=None)]) is None

    def function(x: int = None, y: str = False): ...  # noqa: RUF013

    assert check(lazy(function)(x=None, y=False)) is None


def test_what_an_argument_of_the_variable_kind_must_be_is_told():
    def stack(*layers: Layer, **rates: float): ...

    assert check(lazy(stack)(lazy(Dense)(), lazy(Layer)(), a=1, b=2.0)) is None
    text = told(lambda: check(lazy(stack)(lazy(Dense)(), lazy(Data)(), a="x")), SpecError)
    assert text == "\n".join(
        [
            f"{'[1]  must be Layer, found a call of Data':<72}here",
            f"{'a    must be float, found ' + repr('x'):<72}here",
            "     stack(*layers: Layer, **rates: float)",
        ]
    )


def test_a_reference_is_judged_by_what_it_leads_to():
    spec = lazy(dict)(steps="many", layer=lazy(Data)(), use=lazy(Optim)(lr=ref("steps")), at=lazy(Child)())
    spec.at.layer = ref(spec.layer)
    faults = told(lambda: check(spec), SpecError).splitlines()
    assert faults[0].startswith("use.lr    must be float, found 'many' by ref(\"steps\")")
    assert faults[2].startswith("at.layer  must be Layer | None, found a call of Data by ref(lazy(Data)())")


@pytest.mark.parametrize(
    ("declared", "text", "problem"),
    [
        (str, "${run.dir}", ""),
        (str | pathlib.Path, "${where}", ""),
        (float, "${run.index}", ""),
        (int | None, "${run.attempt}", ""),
        (int, ref("run.index") + 1, ""),
        (pathlib.Path, "${run.dir}", 'must be Path, found a text by ref("run.dir")'),
        (pathlib.Path, "${where}/x", "must be Path, found a text by '${where}/x'"),
        (list[str], "${run.id}", 'must be list[str], found a text by ref("run.id")'),
        (str, "${run.attempt}", 'must be str, found a number by ref("run.attempt")'),
    ],
)
def test_what_only_a_run_knows_is_judged_by_what_it_will_be(declared, text, problem):
    def train(out): ...

    train.__annotations__ = {"out": declared}
    spec = attach({"where": "${run.dir}/a", "main": lazy(train)(out=text)})
    if not problem:
        assert check(spec) is None
        return
    assert told(lambda: check(spec), SpecError).startswith(f"main.out  {problem} ")


def test_a_typo_and_a_wrong_type_in_one_call_are_told_together():
    text = told(lambda: check(lazy(f"{__name__}:Optim")(lr="x", beta=1)), SpecError)
    assert [line.split("  ")[0] for line in text.splitlines()] == ["beta", "", "lr", ""]


def test_a_parameter_of_many_is_told_alone():
    def wide(alpha: int = 0, beta: str = "b", gamma: float = 1.0, delta: bool = False, epsilon: list[int] | None = None,
             zeta: dict[str, int] | None = None): ...  # fmt: skip

    text = told(lambda: check(lazy(wide)(beta=3)), SpecError)
    assert text.splitlines()[1].strip() == "wide(..., beta: str = 'b', ...)"


def test_defaults_are_shown_as_they_were_written():
    def make(kind: type = Dense, color: Color = Color.RED, path: pathlib.Path = pathlib.Path("a"), size: int = 1): ...

    text = told(lambda: check(lazy(make)(size="x")), SpecError)
    assert text.splitlines()[1].strip() == (
        "make(kind: type = Dense, color: Color = Color.RED, path: pathlib.Path = Path('a'), size: int = 1)"
    )


def test_names_for_type_checkers_are_known_where_they_are_near(project):
    project("shapes_near.py", "class Shape: pass\n")
    project(
        "net_near.py",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from pathlib import Path
            from far_away import Far
            from shapes_near import Shape
        def net(shape: Shape, path: Path, far: Far | None = None): ...
        """,
    )
    text = told(lambda: check(lazy("net_near.net")(1, "a", far=2)), SpecError)
    assert [line for line in text.splitlines() if "must" in line] == [
        f"{'[0]  must be Shape, found 1':<72}here",
        f"{'[1]  must be Path, found ' + repr('a'):<72}here",
    ]


def test_an_override_becomes_what_is_declared_inside_of_lists_and_dicts(project):
    project("shop.py", "def fit(rates: dict[str, list[float]] | None = None, depth: int = 1): return rates\n")
    project(
        "conf.py",
        """
        from callsheet import lazy
        from shop import fit
        main = lazy(fit)(rates={"a": [1.5, 2.5]})
        """,
    )
    from callsheet import build, load

    spec = load("conf.py", ["main.rates.a.0=3", "main.depth=1e2"])
    check(spec)
    assert (repr(spec.main.rates.a[0]), spec.main.depth) == ("3.0", 100)
    assert build(spec.main) == {"a": [3.0, 2.5]}
    wrong = load("conf.py", ["main.rates.a.0=x"])
    assert told(lambda: check(wrong), SpecError).splitlines()[0].startswith("main.rates.a[0]  must be float, found 'x'")


def test_an_override_of_a_field_becomes_what_is_declared():
    spec = {"a": Optim(), "b": Shape(rows=1), "c": Point(1, 2)}
    made = override(spec, ["a.betas=[1,2]", "a.lr=1", "b.rows=1e3", "c.y=4", "b.label=7"])
    assert [made["a"].betas, made["a"].lr, made["b"].rows, made["c"], made["b"].label] == [
        (1.0, 2.0), 1.0, 1000, Point(1, 4), "7",
    ]  # fmt: skip


def test_data_which_has_no_tuples_may_write_a_list_for_one():
    spec = from_data({"_target_": f"{__name__}:Optim", "betas": [0.9, 0.99]}, allow=[__name__])
    assert check(spec) is None
    written = lazy(f"{__name__}:Optim")(betas=[0.9, 0.99])
    assert told(lambda: check(written), SpecError).splitlines()[0] == (
        f"{'betas  must be tuple[float, float], found [0.9, 0.99]':<72}here"
    )


def test_an_annotation_is_judged_without_calling_anything():
    class Loud(Protocol):
        def __call__(self, x: int) -> int: ...

    judge = Judge(None, lambda target: known_of(resolve(target) if type(target) is Name else target))
    assert judge.misfits(takes_one, form_of(Loud)) == []
    assert judge.misfits(takes_two, form_of(Loud)) != []
    assert signature_of(a_layer).returned().text == "Layer"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came with Python 3.12")
def test_type_parameters_and_aliases_of_the_new_syntax_are_read(project):
    project(
        "modern.py",
        """
        from __future__ import annotations

        class Base: ...

        type Size = int | tuple[int, int]
        type Tree = int | list[Tree]

        def fit[T: Base](x: T, size: Size = 1, tree: Tree = 0): ...

        class Box[T: Base]:
            def __init__(self, held: T | None = None): ...
        """,
    )
    good = lazy("modern.fit")(lazy("modern.Base")(), size=(1, 2), tree=[1, [2]])
    assert check([good, lazy("modern.Box")(lazy("modern.Base")())]) is None
    text = told(lambda: check([lazy("modern.fit")(3, "x", tree=[1, ["y"]]), lazy("modern.Box")(3)]), SpecError)
    assert [line[:50].rstrip() for line in text.splitlines() if "must" in line] == [
        "[0][0]          must be Base, found 3",
        "[0][1]          must be int | tuple[int, int], fou",
        "[0].tree[1][0]  must be Tree, found 'y'",
        "[1][0]          must be Base | None, found 3",
    ]
