"""References read: where they lead in the spec, and what they come to where nothing must be built for it."""

from __future__ import annotations

import os

from ._items import step_into
from ._leaf import MISSING, Datum
from ._path import parse_path
from ._ref import Ref, base_of, ref_text, root_of, steps_of
from ._running import RUNNING
from ._secret import Secret
from ._steps import apply_steps, operands_of, with_operands
from ._target import Name, resolve
from ._tree import ATOMS, Kind, fold, kind_of
from ._ways import ABSENT, UnboundError, Ways, circle, straight
from ._written import WRITTEN, Asked, Route, Template, depends_on_run, given_args, parts_of, written
from .errors import Fault, PathError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LATER: Any = object()
"""What a reference comes to for which something must be built first, or that only a run knows."""

_LATER = (Datum, Secret)
"""Types of values that are another one when they are built."""
_WAITING = (Ref, Name, *_LATER)
_FAMILIES = ("dict", "list", "tuple")


def read(value: Any) -> Any:
    """A stored value as Python sees it: references followed where nothing must be built for it, names imported.

    Raises:
        PathError: A reference leads to nothing, or an environment variable is not set.
        CycleError: It leads back to itself.
    """
    cls = type(value)
    if cls is Name:
        return resolve(value)
    if cls is not Ref:
        return value
    base = base_of(value)
    if type(base) is tuple and not steps_of(value) and base[0] != "run":
        found = straight(root_of(value), base)
        if found is not ABSENT and type(found) is not Ref:
            return resolve(found) if type(found) is Name else found
    found = Values().of(value)
    return value if found is LATER else found


class Values(Ways):
    """What references come to, each asked once: a snapshot of a spec.

    Args:
        root: Where paths start that are bound to no root; without one, such references come to nothing yet.
        spec: What the references stand in, where that is no part of the root.
        step: Gives the raw value under one step of a path.
        environment: Whether environment variables are read; if not, they are known later.
    """

    def __init__(
        self,
        root: Any = None,
        *,
        spec: Any = None,
        step: Callable[[Any, Any], Any] = step_into,
        environment: bool = True,
    ) -> None:
        super().__init__(root, spec, step)
        self.environment = environment
        self.known: dict[int, Any] = {}
        self.plain: dict[int, Any] = {}

    def of(self, ref: Ref) -> Any:
        """What a reference comes to: a value, a node, or `LATER`.

        Raises:
            PathError: It leads to nothing.
            CycleError: It leads back to itself.
        """
        return self._settle(ref, self.known)

    def plain_of(self, ref: Ref) -> Any:
        """The same as ordinary Python data; `LATER` too where it holds what must be built."""
        return self._settle(ref, self.plain)

    def reached_by(self, ref: Ref) -> Any:
        """What stands where a path leads, raw, whatever must be known for the path; see `end_of`."""
        while True:
            try:
                return self.end_of(ref)
            except WaitsError as error:
                for inner, known in error.refs:
                    self._settle(inner, known)

    def parts(self, ref: Ref) -> list[Ref]:
        """The references inside of what is written, which start where that does."""
        parts = parts_of(ref.__base__)
        for part in parts:
            if part.__root__ is None:
                self._roots.setdefault(id(part), self.default_root(ref))
        return parts

    def _settle(self, ref: Ref, known: dict[int, Any]) -> Any:
        if id(ref) in known:
            return known[id(ref)]
        todo: list[tuple[Ref, dict[int, Any]]] = [(ref, known)]
        waiting: dict[tuple[int, int], Ref] = {}
        while todo:
            x, table = todo[-1]
            if id(x) not in table:
                try:
                    table[id(x)] = self._compute(x, table)
                except WaitsError as error:
                    waiting[id(x), id(table)] = x
                    for inner, other in error.refs:
                        if (id(inner), id(other)) in waiting:
                            way = [*waiting.values()]
                            raise circle(way[next(n for n, y in enumerate(way) if y is inner) :]) from None
                    todo += error.refs
                    continue
            waiting.pop((id(x), id(table)), None)
            todo.pop()
        return known[id(ref)]

    def _compute(self, ref: Ref, table: dict[int, Any]) -> Any:
        if table is self.plain:
            return self._plain(self._wait(ref))
        value = self._start_value(ref)
        steps = ref.__steps__
        if type(value) is Name:
            value = resolve(value)
        if not steps or value is LATER or value is MISSING:
            return value
        if type(value) in _LATER:
            return LATER
        while steps and steps[0][0] == "item" and _is_plain_kind(value):  # an item, whatever is beside it
            key = steps[0][1][0]
            if type(key) not in ATOMS:
                break
            value, steps = self._item(ref, value, key), steps[1:]
            if value is LATER or value is MISSING:
                return value
        operands = [self._plain(operand) for operand in operands_of(steps)]
        value = self._plain(value) if steps else value
        if value is LATER or any(operand is LATER for operand in operands):
            return LATER
        if any(operand is MISSING for operand in operands):
            return MISSING
        return apply_steps(value, with_operands(steps, operands), ref.__policy__)

    def _item(self, ref: Ref, value: Any, key: Any) -> Any:
        found = item_of(value, key)
        if type(found) is Ref:
            self._roots.setdefault(id(found), self.default_root(ref))
            found = self._wait(found)
        return resolve(found) if type(found) is Name else found

    def _wait(self, ref: Ref) -> Any:
        if id(ref) not in self.known:
            raise WaitsError([(ref, self.known)])
        return self.known[id(ref)]

    def _start_value(self, ref: Ref) -> Any:
        base = ref.__base__
        if type(base) not in WRITTEN:
            return base
        if type(base) is tuple and depends_on_run(ref):
            return (RUNNING.get() or {}).get(base[1], LATER)
        if type(base) is Asked and base.name == "env" and not self.environment:
            return LATER
        if type(base) in (Template, Asked):
            values = self._parts(ref)
            if any(value is LATER for value in values):
                return LATER
            if any(value is MISSING for value in values):
                return MISSING
            asked: Any = base
            return filled(asked, values) if type(base) is Template else answer(asked, values)
        if type(base) is Route and any(value is MISSING for value in self._parts(ref)):
            return MISSING
        try:
            found = self.end_of(ref)
        except UnboundError:
            return LATER
        return self._wait(found) if type(found) is Ref else found

    def _parts(self, ref: Ref) -> list[Any]:
        """The values of the references inside of what is written."""
        parts = self.parts(ref)
        unknown = [(part, self.plain) for part in parts if id(part) not in self.plain]
        if unknown:
            raise WaitsError(unknown)
        return [self.plain[id(part)] for part in parts]

    def _plain(self, x: Any) -> Any:
        """A value as what would be built of it; `LATER` where something must be built."""
        if type(x) in ATOMS or x is LATER or x is MISSING:
            return x
        if type(x) is Ref:
            if id(x) not in self.plain:
                raise WaitsError([(x, self.plain)])
            return self.plain[id(x)]
        if kind_of(type(x)) is None:
            return LATER if type(x) in _LATER else resolve(x) if type(x) is Name else x
        if not _is_plain_kind(x):
            return LATER
        waits: list[tuple[Ref, dict[int, Any]]] = []
        found: list[Any] = []

        def leaf(value: Any) -> Any:
            if type(value) is Ref and id(value) not in self.plain:
                waits.append((value, self.plain))
                return value
            made = self._plain(value)
            found.append(made)
            return made

        made = fold(x, _remade, leaf=leaf, kinds=_PLAIN)
        if any(value is LATER for value in found):
            return LATER
        if waits:
            raise WaitsError(waits)
        return MISSING if any(value is MISSING for value in found) else made

    def steps(self, ref: Ref) -> tuple[Any, ...]:
        """The steps of a path, also of one that references inside tell."""
        base = ref.__base__
        if type(base) is tuple:
            return base
        values = self._parts(ref)
        if any(value is LATER or value is MISSING for value in values):
            problem = f"refers to {written(base, ref.__dots__)}, a path that is known only when something is built"
            raise LaterError(Fault("", problem, advice=["let a value that nothing must be built for tell the path"]))
        text = filled(base, values)
        try:
            return parse_path(text)
        except PathError as error:
            problem = f"refers to {written(base, ref.__dots__)}, and {error.faults[0].problem}"
            raise PathError(Fault("", problem)) from None

    def comes_to(self, ref: Ref) -> Any:
        """What a way goes on in at a reference that is more than a path."""
        value = self._wait(ref)
        if value is LATER:
            problem = f"leads into {ref_text(ref)}, which must be built first"
            raise LaterError(Fault("", problem, advice=['write what follows as Python on the reference: ref("a").b']))
        return value


class LaterError(PathError):
    """Where a path leads is known later."""


def item_of(container: Any, key: Any) -> Any:
    """An item of a dict, list or tuple as Python gives it, references unread."""
    kind = kind_of(type(container))
    assert kind is not None
    keys, values = kind.items(container)
    return dict(zip(keys, values, strict=True))[key] if kind.family == "dict" else values[key]


def as_plain(x: Any) -> Any:
    """A value as what would be built of it; `LATER` where it holds a reference or what must be built."""
    found: list[Any] = [x]

    def leaf(value: Any) -> Any:
        found.append(value)
        return value

    made = fold(x, _remade, leaf=leaf, kinds=_PLAIN) if _is_plain_kind(x) else x
    nodes = (v for v in found if type(v) in _WAITING or (kind_of(type(v)) is not None and not _is_plain_kind(v)))
    return made if next(nodes, None) is None else LATER


class WaitsError(Exception):
    """References that must be known before another can be."""

    def __init__(self, refs: list[tuple[Ref, dict[int, Any]]]) -> None:
        self.refs = refs


def filled(base: Template, values: list[Any]) -> str:
    """A text with the values of its references."""
    at = iter(values)
    return "".join([part if isinstance(part, str) else str(next(at)) for part in base.parts])


def answer(asked: Asked, values: list[Any]) -> Any:
    """What a resolver gives for arguments of which the values of the references are known.

    Raises:
        PathError: Nobody gave such a resolver, or an environment variable is not set and has no default.
        Exception: Whatever the resolver raises.
    """
    args = given_args(asked, iter(values))
    if asked.name == "env":
        return _environment(asked, args)
    if asked.function is None:
        raise PathError(unknown_resolver(asked.name, ()))
    return asked.function(*args)


def _environment(asked: Asked, args: list[Any]) -> str | None:
    if len(args) not in (1, 2):
        problem = f"asks for {written(asked)}, which is no name and at most one default"
        raise PathError(Fault("", problem, advice=["write  ${env:NAME}  or  ${env:NAME,default}"]))
    found = os.environ.get(str(args[0]))
    if found is not None:
        return found
    if len(args) == 1:
        problem = f"asks for the environment variable {args[0]}, which is not set"
        raise PathError(Fault("", problem, advice=[f"set it, or give a default:  ${{env:{args[0]},default}}"]))
    return None if args[1] is None else str(args[1])


def unknown_resolver(name: str, known: Any) -> Fault:
    """The fault of a resolver that nobody gave; the nearest that is known comes first."""
    close = nearest(name, ["env", *known])
    advice = [f"did you mean  {close[0]}?"] if close else []
    advice.append(f'to give it:  load(..., resolvers={{"{name}": function}})')
    return Fault("", f"asks for the resolver {name}, which nobody gave", advice=advice)


def _is_plain_kind(x: Any) -> bool:
    kind = kind_of(type(x))
    return kind is not None and kind.family in _FAMILIES


class _PlainKinds(dict):  # type: ignore[type-arg]
    """The containers of plain data; whatever else holds something is a leaf."""

    def __missing__(self, cls: type) -> Kind | None:
        kind = kind_of(cls)
        found = self[cls] = kind if kind is not None and kind.family in _FAMILIES else None
        return found


_PLAIN: dict[type, Kind | None] = _PlainKinds()


def _remade(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    if kind.family == "dict":
        return dict(zip(keys, values, strict=True))
    return tuple(values) if kind.family == "tuple" else values
