"""Instances of ordinary classes in a spec: which hold something that must be built first, and what would stop that."""

from __future__ import annotations

import sys

from ._fields import asked_beyond_fields, has_fields
from ._items import CALLS, DEFERRED
from ._secret import Secret
from ._tree import KINDS, Kind, kind_of
from .errors import Fault, ReferenceUseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any


_LATER = DEFERRED | {Secret}


class Deferring:
    """Tells which containers hold a call, a reference, a name or a secret, at any depth; each is looked through once.

    Args:
        kinds: Which types are containers.
    """

    __slots__ = ("_kinds", "_known")

    def __init__(self, kinds: dict[type, Kind | None] = KINDS) -> None:
        self._kinds = kinds
        self._known: dict[int, bool] = {}

    def __call__(self, x: Any) -> bool:
        known = self._known
        stack: list[Any] = []
        found, values = False, iter([x])
        while not found:
            for value in values:
                cls = type(value)
                kind = kind_of(cls, self._kinds)
                if cls in CALLS or cls in _LATER or (kind is not None and (kind.call or kind.by_hand)):
                    found = True
                    break
                if kind is None or known.get(id(value)) is False:
                    continue
                if known.get(id(value)):
                    found = True
                    break
                known[id(value)] = False  # also while it is open: a circle adds nothing to what it holds
                stack.append((value, values))
                values = iter(kind.items(value)[1])
                break
            else:
                if not stack:
                    break
                _, values = stack.pop()
        for container, _ in stack:
            known[id(container)] = True
        return found


def instance_fault(x: Any, path: str) -> Fault | None:
    """Why an instance that holds something deferred cannot be constructed when that is built, None where it can."""
    asked = asked_beyond_fields(type(x))
    if not asked or not Deferring()(x):
        return None
    name = type(x).__qualname__
    return Fault(
        path,
        f"holds what must be built first, and {name} cannot be made again from its fields: "
        f"its constructor asks for {', '.join(asked)}",
        advice=[f"write  lazy({name})(…)  in its place"],
    )


def note_unborne(error: BaseException) -> None:
    """Say of an exception from a `__post_init__` that was given what must be built first how to write that."""
    trace, frames = error.__traceback__, []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    cls = _computing(reversed(frames))
    if cls is not None and not any("must be built first" in note for note in getattr(error, "__notes__", ())):
        error.add_note(f"{cls.__name__} was given what must be built first: {_advice(cls)}")


def refuse_use(what: str) -> None:
    """Refuse that the `__post_init__` which runs computes with what must be built first; elsewhere nothing happens.

    Raises:
        ReferenceUseError: One does.
    """
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(frames) < _NEAR:
        frames.append(frame)
        frame = frame.f_back
    cls = _computing(iter(frames))
    if cls is not None:
        problem = f"{cls.__name__}.__post_init__ computes with {what}, which must be built first"
        raise ReferenceUseError(Fault("", problem, advice=[_advice(cls)]))


_NEAR = 20
"""Frames between a `__post_init__` and what it does with a field."""


def _advice(cls: type) -> str:
    made = f"lazy({cls.__name__})(…)"
    builds = hasattr(cls, "__callsheet_kind__")
    return f"write  ref({made}).build()  in its place" if builds else f"write  {made}  in its place"


def _computing(frames: Iterator[FrameType]) -> type | None:
    """The class whose `__post_init__` is the innermost of some frames, where it was given what must be built first."""
    for frame in frames:
        if frame.f_code.co_name in ("__post_init__", "__attrs_post_init__"):
            x = frame.f_locals.get(frame.f_code.co_varnames[0])
            return type(x) if has_fields(type(x)) and Deferring()(x) else None
    return None
