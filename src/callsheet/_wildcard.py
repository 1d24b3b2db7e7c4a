"""Wildcards: `model...dropout` names `dropout` wherever below `model` something takes it."""

from __future__ import annotations

from importlib import import_module

from ._items import CALLS, raw_item, settle_step
from ._known import known_of
from ._lazy import nothing_at, through
from ._path import format_path
from ._ref import Ref
from ._signature import signature_of
from ._target import Name, resolve
from ._tree import kind_of, walk
from ._word import plain_value, write_value
from .errors import Fault, OverrideError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._grammar import Override
    from ._known import Known
    from ._signature import Signature
    from ._signature_cache import SignatureCache

_raw = object.__getattribute__


class Takers:
    """Knows what targets take that are only named: as remembered while their files are the same, else by an import."""

    def __init__(self) -> None:
        self._cache: SignatureCache | None = None
        self._imported: list[tuple[Name, Known]] = []
        self._asked: set[Name] = set()
        self.guessed = False
        """Whether an answer was only remembered."""

    def takes(self, target: Any, key: Any, *, real: bool) -> bool:
        """Whether a target has a parameter of that name.

        Args:
            target: What a call calls.
            key: The name.
            real: Whether what is remembered does not count.

        Raises:
            TargetError, TrustError: It must be imported, and cannot be.
        """
        if kind_of(type(target)) is not None or type(target) is Ref:
            return False  # built first: nobody knows yet
        known = self._recall(target) if type(target) is Name and not real else None
        if known is not None:
            self.guessed = True
            return key in known.named
        signature = signature_of(self._real(target))
        return signature is not None and key in signature.named

    def signature(self, target: Any) -> Signature | None:
        """What a target takes; None where nobody can say.

        Raises:
            TargetError, TrustError: It must be imported, and cannot be.
        """
        if kind_of(type(target)) is not None or type(target) is Ref:
            return None  # built first: nobody knows yet
        known = self._recall(target) if type(target) is Name else None
        return known if known is not None else signature_of(self._real(target))

    def object_of(self, target: Any) -> Any:
        """What a name names; the name itself where that is remembered as something that can be called.

        Raises:
            TargetError, TrustError: It must be imported, and cannot be.
        """
        return target if type(target) is Name and self._recall(target) is not None else self._real(target)

    def _real(self, target: Any) -> Any:
        if type(target) is not Name:
            return target
        found = resolve(target)
        if target not in self._asked:
            self._asked.add(target)
            self._imported.append((target, known_of(found)))
        return found

    def remember(self) -> None:
        """Keep what had to be imported for the processes to come."""
        if self._cache is not None and self._imported:
            self._cache.remember(self._imported)
            self._imported = []

    def _recall(self, name: Name) -> Signature | None:
        if self._cache is None:
            # Only wildcards and swaps need it, and what edits a spec shall be quick to import.
            made: SignatureCache = import_module("callsheet._signature_cache").SignatureCache()
            self._cache = made
        known = self._cache.find(name)
        return known.signature if known is not None and known.kind != "value" else None


def places_below(
    root: Any,
    said: Override,
    where: str,
    takers: Takers,
    *,
    stands: Callable[[Any, Any], bool] | None = None,
    names: tuple[str, ...] | None = None,
    quiet: bool = False,
) -> list[tuple[Any, ...]]:
    """The paths that a wildcard means, those of what holds others first.

    Of what is set already; and to set a value, of what a target takes by that name. Targets that are only named are
    imported to know that, where it is not remembered; under the policy of a data file where one named them. What takes
    any name (`**kwargs`) is meant only where it has this one. A delete with a value means the places that have it.

    Args:
        root: What the path starts in.
        said: The override.
        where: Who said it.
        takers: What targets take.
        stands: Whether it stands already in a holder, under a key; such a place is left out.
        names: Below which names of the root to look, where the path starts there.
        quiet: Whether to find nothing is no fault.

    Raises:
        OverrideError: There is none, and that is a fault; or there is nothing to look below.
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
    start = through(root, start)
    found = [*_meant(root, start, said, takers, real=False, names=names)]
    if not found and takers.guessed and names is None:
        found = [*_meant(root, start, said, takers, real=True)]
    takers.remember()
    if not found and not quiet:
        raise _nowhere(root, start, said, where)
    left = found if stands is None else [(steps, x) for steps, x in found if not stands(x, said.below[-1])]
    return [(*said.steps, *steps, *said.below) for steps, _ in left]


def _meant(
    root: Any, start: Any, said: Override, takers: Takers, *, real: bool, names: tuple[str, ...] | None = None
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The ways from the start to what has the first of the names behind the dots, and the last's holder; each once."""
    seen: dict[int, Any] = {}
    for steps, value in _containers(start, names):
        holder = value
        try:
            for step in said.below[:-1]:
                holder = through(root, raw_item(holder, settle_step(holder, step)))
        except LookupError:
            continue
        if id(holder) not in seen and _is_meant(holder, said, takers, real=real):
            seen[id(holder)] = holder
            yield steps, holder


def _is_meant(holder: Any, said: Override, takers: Takers, *, real: bool) -> bool:
    if kind_of(type(holder)) is None or type(holder) is Ref:
        return False
    key = settle_step(holder, said.below[-1])
    try:
        found = raw_item(holder, key)
    except LookupError:
        is_set = said.operation == "set" and type(holder) in CALLS
        return is_set and takers.takes(_raw(holder, "__target__"), key, real=real)
    return said.operation != "delete" or not said.choices or bool(found == plain_value(said.choices[0]))


def _containers(start: Any, names: tuple[str, ...] | None = None) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What can take a name, each once; what a reference leads to stands at a place of its own."""
    parts: list[tuple[tuple[Any, ...], Any]] = [((), start)]
    if names is not None:
        yield (), start
        parts = [((name,), raw_item(start, name)) for name in names]
    for first, part in parts:
        for steps, value in walk(part, kinds=_Slots()):
            kind = kind_of(type(value))
            if kind is not None and type(value) is not Ref and kind.family not in ("list", "tuple"):
                yield (*first, *steps), value


class _Slots(dict):  # type: ignore[type-arg]
    """The kinds of a spec, but for references."""

    def __missing__(self, cls: type) -> Any:
        return None if cls is Ref else kind_of(cls)


def _names(holder: Any) -> set[Any]:
    """The names that a container has or takes."""
    kind = kind_of(type(holder))
    names = set(kind.items(holder)[0]) if kind is not None else set()
    target = _raw(holder, "__target__") if type(holder) in CALLS else None
    if target is not None and kind_of(type(target)) is None and type(target) is not Ref:
        signature = signature_of(resolve(target) if type(target) is Name else target)
        names |= signature.named.keys() if signature is not None else set()
    return names


def _nowhere(root: Any, start: Any, said: Override, where: str) -> OverrideError:
    name, above = said.below[-1], format_path(said.steps) or "the spec"
    known = {key for _, value in _containers(start) for key in _names(value) if isinstance(key, str)}
    advice = []
    for close in nearest(str(name), sorted(known - {name})):
        meant = said.like(below=(*said.below[:-1], close))
        if [*_meant(root, start, meant, Takers(), real=True)]:
            advice = [f"did you mean  {meant.path}?"]
            break
    verb = "takes it" if said.operation == "set" else "has it"
    if said.operation == "delete" and said.choices:
        verb = f"is {write_value(said.choices[0])}"
    return OverrideError(Fault(said.path, f"nothing below {above} {verb}", origin=where, advice=advice))
