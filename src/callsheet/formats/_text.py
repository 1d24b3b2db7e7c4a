"""What all formats share: how much a data file may hold, and how what is wrong with one is told."""

from __future__ import annotations

from callsheet._configfile import show_file
from callsheet._tree import MAX_DEPTH
from callsheet.errors import DepthError, Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Lines = dict[int, dict[Any, int]]
    """For each container, by its `id`: the line of each of its keys or positions."""

MAX_VALUES = 1_000_000
"""Values that a data file may hold, those of a YAML alias counted wherever it stands."""

MAX_DIGITS = 4300
"""Digits of a whole number, which is as many as Python reads and writes."""

TOO_MANY = f"holds more than {MAX_VALUES:,} values, which is what a data file may hold"
SMALLER = ("keep large data in a file of its own, and give its path",)


class TooMuch(Exception):
    """What shall be written holds more values than a file may hold that is read."""


def broken(problem: str, path: str, line: int | None = None, *, advice: Iterable[str] = ()) -> LoadError:
    """The error of a file that cannot be read, at a line where that is known."""
    if line is None:
        return LoadError(Fault("", f"{show_file(path)} {problem}", advice=advice))
    return LoadError(Fault("", problem, origin=f"{show_file(path)}:{line}", advice=advice))


def too_deep(path: str, line: int | None = None) -> DepthError:
    """The error of a file whose containers are nested too deeply."""
    if line is None:
        return DepthError(Fault("", f"{show_file(path)} is nested too deeply"))
    return DepthError(Fault("", f"is nested more than {MAX_DEPTH} levels deep", origin=f"{show_file(path)}:{line}"))


def line_at(text: str, index: int) -> int:
    """The line, from 1, of a place in a text."""
    return text.count("\n", 0, index) + 1


def shown(line: str) -> list[str]:
    """A line of a file as advice: what stands there."""
    return [line.strip()[:72]] if line.strip() else []
