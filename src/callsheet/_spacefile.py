"""Spaces that Python files define: `@space.py` and `@space.py:name`, where an override can stand."""

from __future__ import annotations

import os

from ._axes import space_of
from ._configfile import show_file
from ._files import names_in
from ._space import Space
from ._spec import Mapping
from .errors import CallsheetError, Fault, OverrideError, SpaceError, nearest

_NAME = "space"


def names_python(text: str) -> bool:
    """Whether a text names a Python file rather than being an override, or a file of overrides."""
    return text.startswith("@") and _parts_of(text)[0].endswith(".py")


def _parts_of(text: str) -> tuple[str, str]:
    file, colon, name = text[1:].rpartition(":")
    return (file, name) if colon and file.endswith(".py") else (text[1:], _NAME)


def space_in(text: str) -> Space:
    """The space that `@file.py:name` means; the file is run as a config is. Without a name it is `space`.

    Raises:
        OverrideError: The file defines no such space.
        LoadError: It cannot be read.
        SpaceError: What it defines is no good space.
    """
    file, name = _parts_of(text)
    path = os.path.abspath(os.path.expanduser(file))
    try:
        names = names_in(path)
    except (SpaceError, OverrideError) as error:
        raise _placed(error, _line_in(path, error)) from None
    found = names.get(name)
    if isinstance(found, Space | Mapping | dict | str):
        try:
            return space_of(found)
        except (SpaceError, OverrideError) as error:
            raise _placed(error, f"{show_file(path)}:{name}") from None
    known = [key for key, value in names.items() if isinstance(value, Space)]
    advice = [f"did you mean  @{file}:{close}?" for close in nearest(name, known)[:1]]
    advice.append(f"it defines  {', '.join(known)}" if known else f"write  {name} = grid(...)  there")
    raise OverrideError(Fault("", f"{show_file(path)} defines no space {name!r}", origin=text, advice=advice))


def _placed(error: CallsheetError, where: str) -> CallsheetError:
    """An error whose faults say where they are made; what knows that already keeps it."""
    faults = (Fault(f.path, f.problem, origin=f.origin or where, advice=f.advice) for f in error.faults)
    return type(error)(*faults)


def _line_in(path: str, error: BaseException) -> str:
    """The innermost line of a file that an exception came through; the file where it came through none."""
    line = 0
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    return f"{show_file(path)}:{line}" if line else show_file(path)
