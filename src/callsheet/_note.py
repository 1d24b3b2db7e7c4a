"""The note on an exception of a user's own code: where in the spec it happened, and what was called there."""

from __future__ import annotations

import os

from ._items import CALLS, origin_of
from ._layout import layout
from ._leaf import Datum
from ._path import format_path
from ._ready import References, place_of
from ._ref import Ref
from ._target import Name
from ._tree import TARGET, Kind, fold, kind_of, walk
from .errors import CallsheetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_WHILE = "while building "
_WHOLE = "the spec"
_WRITTEN = ", written at "


def add_note(error: BaseException, x: Any, spec: Any, *, root: Any, references: References) -> None:
    """Say where an exception happened.

    Args:
        error: What was raised.
        x: The part of the spec that was built then; a name that could not be imported tells its own place.
        spec: What was to be built.
        root: Where paths start.
        references: How references were followed.
    """
    if type(x) not in (Name, Datum):
        _note(error, x, place_of(_way_to(x, spec, references)), root)


def note_place(error: BaseException, path: str, where: str = "", text: str = "") -> None:
    """Say of an exception at which path of a spec it happened, who wrote that, and what stands there."""
    lines = [_WHILE + (path or _WHOLE) + (_WRITTEN + where if where else "")]
    error.add_note("\n".join([*lines, *("    " + line for line in text.splitlines())]))


def place_noted(error: BaseException) -> tuple[str, str]:
    """The path and the origin that `add_note` said of an exception; empty where it said nothing."""
    notes: list[str] = getattr(error, "__notes__", [])
    for note in filter(is_place, notes):
        path, _, where = note.partition("\n")[0].removeprefix(_WHILE).partition(_WRITTEN)
        return ("" if path == _WHOLE else path), where
    return "", ""


def text_of(error: BaseException) -> str:
    """The type of an exception and what it says; that may be nothing that can be had, or be written."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  (whatever the user's own `__str__` raises)
        text = f"{type(error).__name__}: <exception str() failed>"  # as in a traceback
    return text.encode("utf-8", "backslashreplace").decode()


def is_place(note: str) -> bool:
    """Whether a note is one of `add_note`."""
    return note.startswith(_WHILE)


def is_ours(file: str) -> bool:
    """Whether a file is part of Callsheet: what a user's exception passes through. The examples are like a user's."""
    path = os.path.abspath(file)
    return path.startswith(_PACKAGE) and not path.startswith(os.path.join(_PACKAGE, "examples", ""))


def _way_to(x: Any, spec: Any, references: References) -> list[Any]:
    """The trail of a fold that stands at `x`."""
    trail: list[Any] = []

    def make(found: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if found is x:
            raise _FoundError
        return found

    try:
        fold(spec, make, kinds=references.kinds, trail=trail)
    except (_FoundError, CallsheetError):
        pass
    return trail


class _FoundError(Exception):
    """The fold stands where it should."""


def _note(error: BaseException, x: Any, place: tuple[Any, ...], root: Any) -> None:
    steps = next((steps for steps, value in walk(root) if value is x), place)
    text = layout(x, width=76) if kind_of(type(x)) is not None else repr(x)
    if len(text) > 300:
        text = text[:296] + " ..."
    origin = origin_of(x, TARGET).where if type(x) in CALLS and not isinstance(x, Ref) else ""
    note_place(error, format_path(steps), origin, text)
