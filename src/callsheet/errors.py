"""What can go wrong, as data: a fault has fields, an exception holds faults, one renderer writes them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 76
"""Columns that a rendered fault uses, so that it reads well in a terminal of 80."""


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


def render(faults: Sequence[Fault], *, indent: str = "") -> str:
    """Write faults for a person: paths in a column, origins at the right, advice below, for several in a row once.

    >>> print(render([Fault("a.b", "must be int", origin="conf.py:3", advice=["f(b: int)"])]))
    a.b  must be int                                                   conf.py:3
         f(b: int)
    """
    if len(faults) == 1 and not faults[0].path and not faults[0].origin:
        return "\n".join((indent + faults[0].problem, *(f"{indent}  {line}" for line in faults[0].advice)))
    names = [fault.path for fault in faults]
    left = min(max(map(len, names), default=0), 28)
    right = max((len(fault.origin) for fault in faults), default=0)
    lines = []
    for n, (name, fault) in enumerate(zip(names, faults, strict=True), 1):
        margin = indent + " " * (left + 2 if left else 0)
        head = f"{indent}{name:<{left}}  " if left else indent
        first, *more = fault.problem.split("\n")
        row = f"{head}{first}"
        if fault.origin and len(row) + 2 + right <= WIDTH:
            row += " " * (WIDTH - right - len(row)) + fault.origin
        lines.append(row.rstrip())
        lines += [margin + line for line in more]
        if fault.origin and not lines[-1 - len(more)].endswith(fault.origin):
            lines.append(f"{margin}set by {fault.origin}")
        if n == len(faults) or faults[n].advice != fault.advice:
            lines += [margin + line for line in fault.advice]
    return "\n".join(lines)


def nearest(name: str, allowed: Iterable[str]) -> list[str]:
    """The allowed names that `name` may have been meant for, most likely first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(allowed), n=3, cutoff=0.6)
