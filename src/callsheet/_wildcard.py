"""Wildcards: `model...dropout` names `dropout` wherever below `model` something takes it."""

from __future__ import annotations

from ._items import CALLS, raw_item, settle_step
from ._lazy import nothing_at, through
from ._path import format_path
from ._ref import Ref
from ._signature import signature_of
from ._target import Name, resolve
from ._tree import kind_of, walk
from .errors import Fault, OverrideError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._grammar import Override

_raw = object.__getattribute__


def places_below(root: Any, said: Override, where: str) -> list[tuple[Any, ...]]:
    """The paths that a wildcard means: of what is set already, or what a target takes by that name.

    Targets that are only named are imported, to know what they take; under the policy of a data file where one named
    them. What takes any name (`**kwargs`) is meant only where it has this one.

    Raises:
        OverrideError: There is none, or nothing to look below.
        TargetError, TrustError: A target cannot be imported.
    """
    start = root
    for n, step in enumerate(said.steps):
        holder = through(root, start)
        try:
            start = raw_item(holder, settle_step(holder, step))
        except LookupError:
            fault = nothing_at(holder, said.steps, n)
            raise OverrideError(Fault(fault.path, fault.problem, origin=where, advice=fault.advice)) from None
    found = [(*said.steps, *steps, *said.below) for steps, _ in _takers(root, through(root, start), said.below)]
    if not found:
        raise _nowhere(root, through(root, start), said, where)
    return found


def _takers(root: Any, start: Any, below: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for steps, value in _containers(start):
        holder = value
        try:
            for step in below[:-1]:
                holder = through(root, raw_item(holder, settle_step(holder, step)))
        except LookupError:
            continue
        if below[-1] in _taken(holder):
            yield steps, holder


def _containers(start: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What can take a name, each once; what a reference leads to stands at a place of its own."""
    for steps, value in walk(start, kinds=_Slots()):
        kind = kind_of(type(value))
        if kind is not None and type(value) is not Ref and kind.family not in ("list", "tuple"):
            yield steps, value


class _Slots(dict):  # type: ignore[type-arg]
    """The kinds of a spec, but for references."""

    def __missing__(self, cls: type) -> Any:
        return None if cls is Ref else kind_of(cls)


def _taken(holder: Any) -> set[Any]:
    """The names that a container has or takes."""
    kind = kind_of(type(holder))
    if kind is None or type(holder) is Ref:
        return set()
    names = set(kind.items(holder)[0])
    if type(holder) in CALLS:
        target = _raw(holder, "__target__")
        if kind_of(type(target)) is None and type(target) is not Ref:
            signature = signature_of(resolve(target) if type(target) is Name else target)
            names |= signature.named.keys() if signature is not None else set()
    return names


def _nowhere(root: Any, start: Any, said: Override, where: str) -> OverrideError:
    name, above = said.below[-1], format_path(said.steps) or "the spec"
    known = {key for _, value in _containers(start) for key in _taken(value) if isinstance(key, str)}
    close = [key for key in nearest(str(name), sorted(known)) if [*_takers(root, start, (*said.below[:-1], key))]]
    advice = (
        [f"did you mean  {format_path(said.steps)}...{format_path((*said.below[:-1], close[0]))}?"] if close else []
    )
    return OverrideError(Fault(said.path, f"nothing below {above} takes it", origin=where, advice=advice))
