"""What the constructor of an ordinary class cannot do with a field that must be built or given first."""

from __future__ import annotations

import sys

from ._fields import has_fields
from ._tree import kind_of
from .errors import Fault, ReferenceUseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType
    from typing import Any


def refuse_use(cls: type, text: str, *, done: str = "built") -> None:
    """Refuse that the constructor which runs computes with what it was given; elsewhere nothing happens.

    Args:
        cls: Of what is computed with; the constructor must have been given something of that.
        text: How that reads.
        done: What must be done to it first.

    Raises:
        ReferenceUseError: One does.
    """
    found = computing(_near(sys._getframe(2)))
    if found is not None and _holds(found[1], cls):
        made, _, name = found
        problem = f"{made.__name__}.{name} computes with {text}, which must be {done} first"
        raise ReferenceUseError(Fault("", problem, advice=[advice_for(made)]))


def computing(frames: Iterable[FrameType]) -> tuple[type, list[Any], str] | None:
    """Of the innermost constructor among frames that computes: its class, what it was given and the method's name.

    That is a `__post_init__`, or the `__init__` of an attrs class, which calls converters and validators.
    """
    for frame in frames:
        name = frame.f_code.co_name
        if name in ("__post_init__", "__attrs_post_init__"):
            given = [frame.f_locals.get(frame.f_code.co_varnames[0])]
        elif name in ("__init__", "__attrs_init__") and frame.f_code.co_filename.startswith("<attrs generated"):
            given = [frame.f_locals.get(name) for name in frame.f_code.co_varnames]
        else:
            continue
        cls = type(given[0])
        return (cls, given, name) if has_fields(cls) else None
    return None


def advice_for(cls: type) -> str:
    """What to write in place of an instance that its class cannot make before its fields are built."""
    made = f"lazy({cls.__name__})(…)"
    builds = hasattr(cls, "__callsheet_kind__")
    return f"write  ref({made}).build()  in its place" if builds else f"write  {made}  in its place"


_NEAR = 20
"""Frames between a constructor and what it does with a field."""


def _near(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(_NEAR):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _holds(given: list[Any], cls: type) -> bool:
    todo, seen = [*given], set()
    while todo:
        x = todo.pop()
        if issubclass(type(x), cls):
            return True
        kind = kind_of(type(x))
        if kind is not None and id(x) not in seen:
            seen.add(id(x))
            todo += kind.items(x)[1]
    return False
