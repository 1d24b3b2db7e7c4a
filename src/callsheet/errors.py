"""What can go wrong, as data: a fault has fields, an exception holds faults, one renderer writes them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Paint = Callable[[str, str], str]
    """Gives a text a style; `plain` gives it none."""

WIDTH = 76
"""Columns that a rendered fault uses, so that it reads well in a terminal of 80."""

LIMIT = 30
"""Faults that are written; an error holds all of them."""

_NARROW = 40
"""Columns that a problem needs to stand beside its path."""

_MEANT = "did you mean  "


class Fault:
    """One thing that is wrong with a spec, a file or an override.

    Attributes:
        path: Where in the spec, as text (`optim.lr`), or "" for the whole.
        problem: What is wrong and what was found, as one phrase.
        origin: Who set it: `conf.py:8`, `command line`, or "". What only gives that text is asked here and now.
        advice: What is allowed or what to do, a line each, nearest first.
    """

    __slots__ = ("advice", "origin", "path", "problem")

    def __init__(self, path: str, problem: str, *, origin: object = "", advice: Iterable[str] = ()) -> None:
        self.path = path
        self.problem = problem
        self.origin = str(origin)
        self.advice = tuple(advice)

    def __repr__(self) -> str:
        return f"Fault({self.path!r}, {self.problem!r}, origin={self.origin!r}, advice={self.advice!r})"

    def as_data(self) -> dict[str, object]:
        """The fault as plain data, for `--json`."""
        return {"path": self.path, "problem": self.problem, "origin": self.origin, "advice": list(self.advice)}


class CallsheetWarning(UserWarning):
    """What is worth knowing of a spec that can be built."""


def warn(text: str) -> None:
    """Warn at the line of the code outside of Callsheet that led here; a config file is such code."""
    import warnings

    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, CallsheetWarning, stacklevel=level)


_OWN = os.path.join(os.path.dirname(__file__), "")
"""What the path of each module of Callsheet begins with."""


class CallsheetError(Exception):
    """Whatever Callsheet itself refuses. An exception of the user's own code is never turned into one."""

    faults: tuple[Fault, ...] = ()

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return render(self.faults)


class SpecError(CallsheetError):
    """A spec cannot be built as it stands; `faults` names everything that is wrong with it."""


class ArgumentError(SpecError, TypeError):
    """A call was given an argument that it does not take."""


class OverrideError(CallsheetError, ValueError):
    """An override cannot be read, or does not fit the spec."""


class SpaceError(CallsheetError, TypeError):
    """A sweep over a space is used like a sequence, or a point lies outside of it."""


class PatchError(CallsheetError, ValueError):
    """Changes do not fit the spec that they shall be applied to."""


class LoadError(CallsheetError):
    """A file cannot be read as a spec."""


class SaveError(CallsheetError):
    """A spec holds something that is not data, so that it cannot be written."""


class CycleError(SpecError):
    """A spec contains itself, or a reference leads to itself."""


class DepthError(SpecError, RecursionError):
    """A spec is nested more deeply than any verb follows."""


class PathError(CallsheetError, KeyError):
    """A path leads to nothing."""


class ReferenceUseError(CallsheetError, TypeError):
    """A reference was used as if its value were known already."""


class TrustError(CallsheetError):
    """Data asks for an import that nobody allowed."""


class SecretError(SpecError):
    """A secret is not where it should be, or was given as itself."""


class RunError(CallsheetError):
    """A run, a plan or a record cannot be found, or cannot be used."""


class QueryError(CallsheetError, ValueError):
    """A filter of runs cannot be read, or names what no run has."""


class WeightsError(CallsheetError):
    """Weights cannot be read, cannot be written, or do not fit the model; `faults` names every tensor."""


class ZooError(CallsheetError):
    """A zoo has no such entry, a card is faulty, or a file is not what its card says."""


def plain(text: str, style: str) -> str:
    """Text without any style."""
    return text


def render(faults: Sequence[Fault], *, head: str = "", indent: str = "", width: int = 0, paint: Paint = plain) -> str:
    """Write faults for a person: paths in a column, origins at the right, advice below, for several in a row once.

    A fault that has no path but a line of a file stands behind that line. Of very many, the first `LIMIT` are written.

    Args:
        faults: What is wrong.
        head: What a single fault that is of no place starts with.
        indent: What each line starts with.
        width: Columns that lines keep to, where a terminal shows them; 0 breaks no line.
        paint: Gives a text one of the styles `bold`, `dim`, `red`, `green`.

    >>> print(render([Fault("a.b", "must be int", origin="conf.py:3", advice=["f(b: int)"])]))
    a.b  must be int                                                   conf.py:3
         f(b: int)
    """
    if len(faults) == 1 and not faults[0].path and not faults[0].origin:
        problem = (indent + line for line in _broken(head + faults[0].problem, width and width - len(indent)))
        return "\n".join((*problem, *_advice(faults[0], indent + "  ", width, paint)))
    shown = faults[:LIMIT]
    left = min(max((len(_lead(fault)) for fault in shown), default=0), 28)
    right = max((len(_setter(fault)) for fault in shown), default=0)
    start = (min(width, 100) - 4 if width else WIDTH) - right
    if left and width and width - len(indent) - left < _NARROW:
        left = start = 0
    lines: list[str] = []
    for n, fault in enumerate(shown, 1):
        margin = indent + " " * (left + 2 if left else 2 if _lead(fault) else 0)
        lines += _heading(fault, (indent, margin), (left, start, width), paint)
        if n == len(shown) or shown[n].advice != fault.advice:
            lines += _advice(fault, margin, width, paint)
    if len(faults) > LIMIT:
        lines.append(f"{indent}… and {len(faults) - LIMIT} more")
    return "\n".join(lines)


def _heading(fault: Fault, margins: tuple[str, str], columns: tuple[int, int, int], paint: Paint) -> Iterator[str]:
    """What is wrong where, and who set it: in columns if there is room, else each below the other."""
    (indent, margin), (left, start, width) = margins, columns
    lead, setter = _lead(fault), _setter(fault)
    head, shown = f"{indent}{lead:<{left}}  ", f"{indent}{paint(lead, 'bold')}{' ' * (left - len(lead))}  "
    if not left or (width and len(head) + _NARROW // 2 > width):
        if lead:
            yield shown.rstrip()
        head = shown = margin
    first, *more = fault.problem.split("\n")
    beside = setter and len(head) + len(first) + 2 <= start
    first, *rest = _broken(first, width and width - len(head))
    yield (shown + first + (" " * (start - len(head) - len(first)) + paint(setter, "dim") if beside else "")).rstrip()
    yield from (margin + line for line in rest)
    yield from (margin + part for line in more for part in _broken(line, width and width - len(margin)))
    if setter and not beside:
        yield margin + paint(f"set by {setter}", "dim")


def _advice(fault: Fault, margin: str, width: int, paint: Paint) -> Iterator[str]:
    """What is allowed and what to do; a line with a mark below it is cut around that, not broken."""
    room = width and width - len(margin)
    before = ""
    for line, after in zip(fault.advice, (*fault.advice[1:], ""), strict=False):
        if _is_mark(line) and before:
            mark = _cut(before, line, room)[1]
            yield margin + " " * mark.index("^") + paint(mark.lstrip(), "red")
        elif _is_mark(after):
            yield margin + _cut(line, after, room)[0]
        elif line.startswith(_MEANT):
            first, *rest = _broken(line, room)
            meant = first.removeprefix(_MEANT)
            yield margin + (_MEANT + paint(meant, "green") if meant != first else first)
            yield from (margin + paint(part, "green") for part in rest)
        else:
            yield from (margin + part for part in _broken(line, room))
        before = line


def _is_mark(line: str) -> bool:
    return "^" in line and not line.strip("^ ")


def _lead(fault: Fault) -> str:
    """What a fault is told of: its path, or else the line of a file."""
    return fault.path or (fault.origin if _is_line(fault.origin) else "")


def _setter(fault: Fault) -> str:
    """Who set what is wrong, where that is not what leads."""
    return "" if not fault.path and _is_line(fault.origin) else fault.origin


def _is_line(origin: str) -> bool:
    file, _, line = origin.rpartition(":")
    return bool(file) and line.isdecimal()


def _broken(text: str, room: int) -> list[str]:
    """Text in lines of `room` characters (0: as it is), broken between words and where it can between wider gaps."""
    if not room or len(text) <= room:
        return [text]
    lines, line = [], ""
    for segment in text.split("  "):
        for n, part in enumerate([segment] if len(segment) + 2 <= room else segment.split(" ")):
            longer = line + (" " if n else "  ") + part
            if line and len(longer) > room:
                lines.append(line.rstrip())
                line = "  " + part.lstrip()
            else:
                line = longer if line else part
    return [*lines, line]


def _cut(text: str, mark: str, room: int) -> tuple[str, str]:
    """The part of a text that is around the mark below it, and the mark in its place.

    >>> _cut("model.width=[1,2,3", "            ^", 12)
    ('…width=[1,2…', '       ^')
    """
    if not room or len(text) <= room:
        return text, mark
    at = mark.index("^")
    start = max(0, min(at - room // 2 - 1, len(text) - room))
    shown = text[start : start + room]
    shown = ("…" + shown[1:] if start else shown)[: room - 1] + ("…" if start + room < len(text) else shown[-1])
    return shown, (" " * (at - start) + mark[at:])[:room]


def nearest(name: str, allowed: Iterable[str]) -> list[str]:
    """The allowed names that `name` may have been meant for, most likely first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(allowed), n=3, cutoff=0.6)
