"""What docstrings say about a callable, in the styles that people write them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple

import attrs
import pytest

from callsheet._about import about, choices_of, read_docstring, typed_text
from callsheet._hint import form_of
from callsheet._said import parse_all
from callsheet._word import plain_value

GOOGLE = """Do it.

    On several
    lines.

    Args:
        a: What a is,
            on two lines.

            And a paragraph that is left out.
        b (dict[str, int], optional): What b is: this.
        *rest: The rest.
        bare
    Returns:
        c: Nothing.
    """
NUMPY = """
    Do it
    at once.

    Parameters
    ----------
    a : int, default: 3
        What a is,
        on two lines.
    b, c: float
        Both.
    bare
    Returns
    -------
    d : int
        Nothing.
    """
SPHINX = """Do it.

    :param int a: What a is,
        on two lines.
    :param b: What :class:`~x.B` is.
    :returns: Nothing.
    """


@pytest.mark.parametrize(
    ("text", "summary", "texts"),
    [
        (GOOGLE, "Do it.", {"a": "What a is, on two lines.", "b": "What b is: this.", "rest": "The rest."}),
        (NUMPY, "Do it at once.", {"a": "What a is, on two lines.", "b": "Both.", "c": "Both."}),
        (SPHINX, "Do it.", {"a": "What a is, on two lines.", "b": "What x.B is."}),
        ("", "", {}),
        (None, "", {}),
        (3, "", {}),
        ("Args:", "", {}),
        ("Args:\n", "", {}),
        ("Parameters\n---", "", {}),
        (":param", "", {}),
        (":param :", "", {}),
        ("A.\n\nArgs:\n  :\n  (:\n", "A.", {}),
        ("``x:`y`` and :`", "``x:`y`` and :`", {}),
    ],
)
def test_a_docstring_is_read(text, summary, texts):
    found = read_docstring(text)
    assert (found.summary, found.texts) == (summary, texts)


@dataclass
class Base:
    """What all have.

    Attributes:
        lr: Step.
        seed: Of the base.
    """

    lr: float = 0.1
    seed: int = 0


@dataclass
class Child(Base):
    seed: int = 1
    """Of the child.

    In detail.
    """
    width: int = 3
    "How wide."
    plain: int = 4


@attrs.define
class Made:
    x: int = 1
    """An x."""


class Pair(NamedTuple):
    left: int
    """The left one."""


def test_attributes_are_described_below_them_also_in_parents():
    assert about(Child).texts == {"lr": "Step.", "seed": "Of the child.", "width": "How wide."}
    assert about(Made).texts == {"x": "An x."}
    assert about(Pair).texts == {"left": "The left one."}


def test_what_a_machine_has_written_is_no_summary():
    assert [about(cls).summary for cls in (Base, Child, Made, Pair, int)][:4] == ["What all have.", "", "", ""]


def test_a_class_is_described_by_its_constructor_too():
    class Net:
        def __init__(self, width):
            """Make it.

            Args:
                width: Units.
            """

    assert (about(Net).summary, about(Net).texts) == ("Make it.", {"width": "Units."})
    assert about(dict).texts == {}


class Mode(Enum):
    fast = 1
    slow = 2


@pytest.mark.parametrize(
    ("hint", "choices"),
    [
        (bool, ["true", "false"]),
        (Mode | None, ["fast", "slow", "null"]),
        ((Literal["a b", 3] | None), ["'a b'", "3", "null"]),
        (int, []),
        (bool | int, []),
        (Any, []),
    ],
    ids=str,
)
def test_the_choices_of_a_type(hint, choices):
    assert choices_of(form_of(hint)) == choices


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -1.5, 1e-7, float("inf"), "a", "true", "3", "1e3", "", "a b", "it's", "x,y", "null", "a/b.c:d-e", [1, ["a b"]],
     {"k": [None]}, "inf", "nan", "-", "~", "[", "é"],
    ids=repr,
)  # fmt: skip
def test_a_value_is_shown_as_it_can_be_typed(value):
    (said,) = parse_all("x=" + typed_text(value))
    assert plain_value(said.choices[0]) == value
    assert type(plain_value(said.choices[0])) is type(value)


def test_an_enum_and_a_path_are_shown_as_they_are_typed():
    assert (typed_text(Mode.fast), typed_text(Path("a/b"))) == ("fast", "a/b")
