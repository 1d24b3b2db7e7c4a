"""Instances of ordinary classes in a spec: which hold something that must be built first, and what would stop that."""

from __future__ import annotations

from ._fields import asked_beyond_fields
from ._items import CALLS, DEFERRED
from ._leaf import Missing
from ._secret import Secret
from ._tree import KINDS, Kind, kind_of
from ._unborne import advice_for, computing
from .errors import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_LATER = DEFERRED | {Secret}


class Deferring:
    """Tells which containers hold a call, a reference, a name or a secret, at any depth; each is looked through once.

    Args:
        kinds: Which types are containers.
        later: The types of what is told beside calls.
    """

    __slots__ = ("_kinds", "_known", "_later")

    def __init__(self, kinds: dict[type, Kind | None] = KINDS, later: frozenset[type] = _LATER) -> None:
        self._kinds = kinds
        self._later = later
        self._known: dict[int, bool] = {}

    def __call__(self, x: Any) -> bool:
        known = self._known
        stack: list[Any] = []
        found, values = False, iter([x])
        while not found:
            for value in values:
                cls = type(value)
                kind = kind_of(cls, self._kinds)
                if cls in CALLS or cls in self._later or (kind is not None and (kind.call or kind.by_hand)):
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


def is_deferred(x: Any) -> bool:
    """Whether a value is, or holds, what must be built or given first."""
    return Deferring(later=_LATER | {Missing})(x)


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
    """Say of an exception from a constructor that was given what must be built first how to write that."""
    trace, frames = error.__traceback__, []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    found = computing(reversed(frames))
    if found is None or not is_deferred(found[1]):
        return
    cls, advice = found[0], advice_for(found[0])
    if not any(advice in text for text in (str(error), *getattr(error, "__notes__", ()))):
        error.add_note(f"{cls.__name__} was given what must be built first: {advice}")
