"""Faults and errors as text for a person, or as data for a program: imported when there are any."""

from __future__ import annotations

import os
import sys
import traceback

import callsheet
from callsheet._configfile import show_file
from callsheet._project import root_of
from callsheet.cli._text import json_text, say
from callsheet.errors import CallsheetError, Fault, OverrideError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE = os.path.dirname(os.path.abspath(callsheet.__file__))


def tell_error(error: Exception, *, as_json: bool, failure: int, outcome: str) -> int | None:
    """Tell an error that a verb ended with.

    Args:
        error: Callsheet's, the operating system's, or one of the user's config or of a module that it imports.
        as_json: Whether faults are data for a program.
        failure: The exit code of a failure that is no misuse.
        outcome: What the verb did not do because of it.

    Returns:
        The exit code; None, and nothing told, for what is a bug of Callsheet's.
    """
    if isinstance(error, CallsheetError):
        tell(error.faults, as_json=as_json, outcome=outcome)
        misuse = isinstance(error, OverrideError) and not any(fault.path for fault in error.faults)
        return 2 if misuse else failure
    if _users_own(error):
        fault = users_fault(error)
    elif isinstance(error, OSError):  # no bug either: a full disk, a folder that may not be read
        fault = Fault("", str(error))
    else:
        return None
    tell([fault], as_json=as_json, outcome=outcome)
    return failure


def tell(faults: Sequence[Fault], *, as_json: bool, outcome: str = "") -> None:
    """Print faults: on standard error for a person, on standard output as data."""
    if as_json:
        say(json_text({"faults": [fault.as_data() for fault in faults]}))
    elif len(faults) == 1 and not faults[0].path and not faults[0].origin:
        print("callsheet: " + render(faults), file=sys.stderr)
    else:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
        print(f"callsheet: {count}{outcome and ', '}{outcome}", file=sys.stderr)
        print(render(faults, indent="  "), file=sys.stderr)


def _users_own(error: BaseException) -> bool:
    """Whether an exception came out of code that is not Callsheet's, so that it is no bug of ours."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return not os.path.abspath(last).startswith(_PACKAGE + os.sep)


def users_fault(error: BaseException) -> Fault:
    """An exception of the user's config as a fault: the innermost line of the project first."""
    root = root_of(os.getcwd())
    frames = list(_frames(error))
    own = [
        f for f in frames if os.path.abspath(f.filename).startswith(root) and "site-packages" not in f.filename
    ] or frames
    advice = [f"{show_file(os.path.abspath(f.filename))}:{f.lineno}  {f.line}" for f in own[:4]]
    if isinstance(error, ModuleNotFoundError):
        advice.append("imports start in the project's root; --path DIR adds another folder")
    where = f"{show_file(os.path.abspath(own[0].filename))}:{own[0].lineno}" if own else ""
    return Fault("", f"{type(error).__name__}: {error}", origin=where, advice=advice)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Where the user's own code was when it failed, the innermost first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        own = os.path.abspath(frame.filename)
        inside = own.startswith(_PACKAGE + os.sep) and not own.startswith(os.path.join(_PACKAGE, "examples"))
        if not inside and not frame.filename.startswith("<") and os.path.exists(frame.filename):
            yield frame
