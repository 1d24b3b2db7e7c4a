"""Faults and errors as text for a person, or as data for a program: imported when there are any."""

from __future__ import annotations

import errno
import os
import traceback

from callsheet import _spec
from callsheet._configfile import show_file
from callsheet._note import is_ours, is_place, place_noted, text_of
from callsheet._project import root_of
from callsheet._storage import unwritable
from callsheet._terminal import announce
from callsheet.cli._text import print_json
from callsheet.errors import CallsheetError, Fault, OverrideError, QueryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_OF_WRITING = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def tell_raised(error: Exception, *, as_json: bool, failure: int, outcome: str) -> int | None:
    """Tell an error that a verb ended with.

    Args:
        error: Callsheet's, the operating system's, or one of the user's config or of a module that it imports.
        as_json: Whether faults are data for a program.
        failure: The exit code of a failure that is no override which cannot be read.
        outcome: What the verb did not do because of it.

    Returns:
        The exit code; None, and nothing told, for what is a bug of Callsheet's.
    """
    if not isinstance(error, CallsheetError | OSError) and not _is_users_own(error):
        return None
    tell(faults_in(error), as_json=as_json, outcome=outcome)
    unread = isinstance(error, OverrideError | QueryError) and not any(fault.path for fault in error.faults)
    return 2 if unread else failure


def tell(faults: Sequence[Fault], *, as_json: bool, outcome: str = "") -> None:
    """Print faults: on standard error for a person, on standard output as data."""
    if as_json:
        print_json({"faults": [fault.as_data() for fault in faults]})
    else:
        announce(faults, name="callsheet", outcome=outcome, more=": --json tells all")


def faults_in(error: BaseException | None) -> Sequence[Fault]:
    """What an exception says, as faults."""
    if error is None:
        return ()
    if isinstance(error, CallsheetError):
        return _located(error)
    if isinstance(error, OSError) and _is_ours_by_library(error):  # a full disk, a folder that may not be read
        return [_refused(error)]
    return [_users_fault(error)]


_CONTAINERS = os.path.dirname(_spec.__file__)


def _is_users_own(error: BaseException) -> bool:
    """Whether an exception came out of code that is not Callsheet's, so that it is no bug of ours.

    What a container of a spec says of a key or name that it lacks is said to whoever has asked it.
    """
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    asked = next((n + 1 for n in reversed(range(len(files))) if not is_ours(files[n])), 0)
    if asked == len(files):
        return True
    said = isinstance(error, LookupError | AttributeError | TypeError)
    return said and asked > 0 and os.path.dirname(files[asked]) == _CONTAINERS


def _is_ours_by_library(error: OSError) -> bool:
    """Whether Callsheet has asked for what failed, of the system or through Python's own library."""
    library = os.path.join(os.path.dirname(os.__file__), "")
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    asking = [f for f in files if is_ours(f) or "site-packages" in f or not f.startswith((library, "<frozen"))]
    return is_ours(asking[-1])


def _refused(error: OSError) -> Fault:
    """What the file system does not do, as a sentence with the file."""
    if not isinstance(error.filename, str):
        return Fault("", str(error))
    shown = show_file(os.path.abspath(error.filename))
    if error.errno in _OF_WRITING:
        return unwritable(shown, error)
    return Fault("", f"{shown}: {error.strerror}")


def _located(error: CallsheetError) -> Sequence[Fault]:
    """The faults of an error; where a single one tells no place, the line of the project that asked for it is that."""
    own = _own_frames(error) if len(error.faults) == 1 else []
    (first, *_) = error.faults or (Fault("", ""),)
    if not own or first.path or first.origin:
        return error.faults
    lines = _shown(own) if len(own) > 1 else []
    return [Fault("", first.problem, origin=_line_of(own[0]), advice=[*_noted(error), *first.advice, *lines])]


def _users_fault(error: BaseException) -> Fault:
    """An exception of the user's code as a fault of what was being built, with the innermost lines of the project."""
    own = _own_frames(error) or [*_frames(error)]
    advice = [*_noted(error), *_shown(own)]
    if isinstance(error, ModuleNotFoundError):
        advice.append("imports start in the project's root; --path DIR adds another folder")
    where = _line_of(own[0]) if own else ""
    path, written = place_noted(error)
    return Fault(path, text_of(error), origin=written or where, advice=advice)


def _noted(error: BaseException) -> list[str]:
    """What notes of an exception say, but where it was built."""
    notes: list[str] = getattr(error, "__notes__", [])
    return [line for note in notes if not is_place(note) for line in note.splitlines()]


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Where code of the project was when it failed, the innermost first."""
    root = os.path.join(root_of(os.getcwd()), "")
    return [
        f for f in _frames(error) if os.path.abspath(f.filename).startswith(root) and "site-packages" not in f.filename
    ]


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Where the user's own code was when it failed, the innermost first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not is_ours(frame.filename) and not frame.filename.startswith("<") and os.path.exists(frame.filename):
            yield frame


def _shown(frames: Sequence[traceback.FrameSummary]) -> list[str]:
    return [f"{_line_of(frame)}  {frame.line}" for frame in frames[:4]]


def _line_of(frame: traceback.FrameSummary) -> str:
    return f"{show_file(os.path.abspath(frame.filename))}:{frame.lineno}"
