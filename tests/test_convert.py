"""Promise 15, meaning: a text becomes the declared type, or an error shows both."""

import collections.abc as abc
import datetime
import decimal
import enum
import fractions
import pathlib
import typing
import uuid

import pytest

from callsheet._convert import Mismatch, convert
from callsheet._values import parse_value


class Color(enum.Enum):
    RED = 1
    BLUE = "azure"


class Level(enum.IntEnum):
    LOW = 1


Seconds = typing.NewType("Seconds", int)
T = typing.TypeVar("T")


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("8", int, 8),
        ("1e5", int, 100_000),
        ("1e23", int, 10**23),
        ("-1_234567890123456789.5e1", int, -12345678901234567895),
        ("int('8')", int, 8),
        ("int(8.5)", float, 8.0),
        ("str(8)", str, "8"),
        ("str(8)", int | str, "8"),
        ("int(1)", Color, Color.RED),
        ("str(azure)", Color, Color.BLUE),
        ("bool(1)", bool, True),
        ("8", float, 8.0),
        ("1e-3", float, 0.001),
        ("inf", float, float("inf")),
        ("8", str, "8"),
        ("007", str, "007"),
        ("true", str, "true"),
        ("null", str, "null"),
        ("'8'", str, "8"),
        ("true", bool, True),
        ("1+2j", complex, 1 + 2j),
        ("null", None, None),
        ("null", int | None, None),
        ("8", int | None, 8),
        ("8", typing.Optional[float], 8.0),  # noqa: UP045
        ("8", int | str, 8),
        ("8", float | str, 8.0),
        ("x8", int | str, "x8"),
        ("'8'", int | str, "8"),
        ("true", bool | int | str, True),
        ("1", bool | int, 1),
        ("null", str | None, None),
        ("'null'", str | None, "null"),
        ("None", str | None, None),
        ("None", float | None, None),
        ("'None'", str | None, "None"),
        ("None", str, "None"),
        ("[1,2]", list[float], [1.0, 2.0]),
        ("[1,2]", list[int] | None, [1, 2]),
        ("[1,x]", list, [1, "x"]),
        ("[1,x]", typing.List, [1, "x"]),  # noqa: UP006
        ("[1]", typing.Sequence, [1]),
        ("[1,x]", abc.Sequence[str], ["1", "x"]),
        ("[1]", abc.Iterable[float], [1.0]),
        ("[1,2]", tuple[int, float], (1, 2.0)),
        ("[1,2,3]", tuple[float, ...], (1.0, 2.0, 3.0)),
        ("[]", tuple[()], ()),
        ("[1,2,3]", tuple[int, *tuple[str, ...]], (1, "2", "3")),
        ("[1,x]", tuple, (1, "x")),
        ("[1,x]", typing.Tuple, (1, "x")),  # noqa: UP006
        ("[1,1]", set[int], {1}),
        ("[a]", set, {"a"}),
        ("[a]", frozenset, frozenset({"a"})),
        ("[a]", frozenset[str], frozenset({"a"})),
        ("{a: 1}", dict[str, float], {"a": 1.0}),
        ("{1: x}", dict[int, str], {1: "x"}),
        ("{a: 1}", dict, {"a": 1}),
        ("{a: 1}", typing.Dict, {"a": 1}),  # noqa: UP006
        ("{a: [1]}", abc.Mapping[str, list[float]], {"a": [1.0]}),
        ("RED", Color, Color.RED),
        ("1", Color, Color.RED),
        ("azure", Color, Color.BLUE),
        ("LOW", Level, Level.LOW),
        ("adam", typing.Literal["adam", "sgd"], "adam"),
        ("1", typing.Literal[1, "1"], 1),
        ("'1'", typing.Literal[1, "1"], "1"),
        ("1", typing.Literal["1"], "1"),
        ("true", typing.Literal[True, 1], True),
        ("1", typing.Literal[True, 1], 1),
        ("8", typing.Annotated[float, "unit"], 8.0),
        ("a/b", pathlib.Path, pathlib.Path("a/b")),
        ("a/b", pathlib.PurePosixPath, pathlib.PurePosixPath("a/b")),
        ("7", pathlib.Path | None, pathlib.Path("7")),
        ("2024-01-02", datetime.date, datetime.date(2024, 1, 2)),
        ("2024-01-02T03:04", datetime.datetime, datetime.datetime(2024, 1, 2, 3, 4)),
        ("1.10", decimal.Decimal, decimal.Decimal("1.10")),
        ("1/3", fractions.Fraction, fractions.Fraction(1, 3)),
        ("00000000-0000-0000-0000-000000000001", uuid.UUID, uuid.UUID(int=1)),
        ("8", typing.Any, 8),
        ("x", object, "x"),
        ("8", Seconds, 8),
        ("8", T, 8),
        ("x", abc.Callable[[int], int], "x"),
        ("x", type[int], "x"),
        ("[x]", list["Unknown"], ["x"]),  # noqa: F821
    ],
    ids=str,
)
def test_text_becomes_the_declared_type(text, hint, value):
    found = convert(parse_value(text), hint)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "hint", "message"),
    [
        ("64x", int, "must be int, found '64x'"),
        ("1.5", int, "must be int, found 1.5"),
        ("true", int, "must be int, found true"),
        ("inf", int, "must be int, found inf"),
        ("1" + "0" * 400, float, "must be float, found a whole number that is too large for one"),
        ("'8'", int, "must be int, found '8'"),
        ("true", float, "must be float, found true"),
        ("fast", float, "must be float, found 'fast'"),
        ("null", float, "must be float, found null"),
        ("1", bool, "must be bool, found 1"),
        ("yes", bool, "must be bool, found 'yes'"),
        ("[1]", str, "must be str, found [1]"),
        ("x", complex, "must be complex, found 'x'"),
        ("x", None, "must be None, found 'x'"),
        ("x", int | None, "must be int | None, found 'x'"),
        ("[x]", list[int], "must be int, found 'x'"),
        ("1", list[int], "must be list[int], found 1"),
        ("1", typing.List[int], "must be list[int], found 1"),  # noqa: UP006
        ("1.00000000000000000001", int, "must be int, found 1.00000000000000000001"),
        ("1e-400", int, "must be int, found 1e-400"),
        ("1e-9999999999999999999", int, "must be int, found 1e-9999999999999999999"),
        ("[1]", tuple[int, int], "must be tuple[int, int], found [1]"),
        ("[]", tuple[int, *tuple[str, ...]], "must be tuple[int, *tuple[str, ...]], found []"),
        ("[[1]]", set, "must be set, found [[1]]"),
        ("[[1]]", frozenset[list[int]], "must be frozenset[list[int]], found [[1]]"),
        ("[1]", dict[str, int], "must be dict[str, int], found [1]"),
        ("GREEN", Color, "must be one of RED, BLUE, found 'GREEN'"),
        ("rmsprop", typing.Literal["adam", "sgd"], "must be one of 'adam', 'sgd', found 'rmsprop'"),
        ("soon", datetime.date, "must be date, found 'soon'"),
        ("x", decimal.Decimal, "must be Decimal, found 'x'"),
        ("[1]", pathlib.Path, "must be Path, found [1]"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_showing_both(text, hint, message):
    with pytest.raises(Mismatch) as caught:
        convert(parse_value(text), hint)
    assert str(caught.value) == message


def test_a_reference_stands_for_any_type():
    for hint in (
        int,
        float,
        bool,
        str,
        int | None,
        list[int],
        tuple[int, ...],
        dict[str, int],
        pathlib.Path,
        Color,
        typing.Literal[1],
    ):
        assert convert(parse_value("${a.b}"), hint) == "${a.b}"
