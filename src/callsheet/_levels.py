"""Where references stand: what a relative one starts in, and that it is the same wherever its holder is held."""

from __future__ import annotations

from ._items import CALLS, origin_of
from ._path import format_path
from ._ref import Positions, Ref
from ._steps import operands_of
from ._tree import ATOMS, kind_of
from ._written import WRITTEN, inside, written
from .errors import Fault, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Level = tuple[Any, Any, "Level | None"]
    """A container, the key in it, and the level that holds the container; the key None at what is no step of a path."""


class Places:
    """For each relative reference of a spec, the container in which its path starts.

    Args:
        *wholes: Specs, looked through one after the other when first asked.
    """

    def __init__(self, *wholes: Any) -> None:
        self.wholes = [whole for whole in wholes if whole is not None]
        self._starts: dict[int, Any] | None = None
        self._faults: dict[int, Fault] = {}

    def start_of(self, ref: Ref) -> Any:
        """Where the path of a relative reference starts.

        Raises:
            PathError: It leads above the spec, or would mean two things, since what it stands in is held twice.
        """
        if self._starts is None:
            self._starts = {}
            for whole in self.wholes:
                survey = Survey(whole)
                for part, level, _ in survey.relative:
                    self._starts.setdefault(id(part), container_of(level, part.__dots__))
                for fault, part in survey.clashes():
                    self._faults.setdefault(id(part), fault)
        if id(ref) in self._faults:
            fault = self._faults[id(ref)]
            raise PathError(Fault("", fault.problem, advice=fault.advice))
        start = self._starts.get(id(ref))
        if start is None:
            raise PathError(above(ref))
        return start


class Survey:
    """All references of a spec with the places where they stand; each container is entered once.

    Attributes:
        refs: Each reference that stands at a place, with that place.
        relative: Each relative reference, also those inside of texts: with its place, and what stands there.
    """

    def __init__(self, whole: Any) -> None:
        self.refs: list[tuple[Ref, Level | None]] = []
        self.relative: list[tuple[Ref, Level | None, Ref]] = []
        self._again: list[tuple[Any, Level | None]] = []  # what is held more than once, at its further places
        self._look(whole)

    def _look(self, whole: Any) -> None:
        todo: list[tuple[Any, Level | None]] = [(whole, None)] if _holds(whole) else []
        seen: set[int] = set()
        loose: list[Any] = []  # nodes that may be held by references only
        while todo or loose:
            if not todo:
                node = loose.pop()
                if id(node) not in seen:
                    todo.append((node, None))
                continue
            x, level = todo.pop()
            if id(x) in seen:
                self._again.append((x, level))
                continue
            seen.add(id(x))
            if type(x) is Ref:
                self._note(x, level)
                todo += [(operand, level) for operand in reversed(operands_of(x.__steps__)) if _holds(operand)]
                if type(x.__base__) not in WRITTEN and _holds(x.__base__):
                    loose.append(x.__base__)
                continue
            keys, values = kind_of(type(x)).items(x)  # type: ignore[union-attr]
            for key, value in zip(reversed(keys), reversed(values), strict=True):
                if type(value) not in ATOMS and _holds(value):
                    positional = type(key) is int and type(x) in CALLS
                    todo.append((value, (Positions(x), key, (x, None, level)) if positional else (x, key, level)))

    def _note(self, ref: Ref, level: Level | None) -> None:
        self.refs.append((ref, level))
        self.relative += [(part, level, ref) for part in inside(ref) if part.__dots__]

    def clashes(self) -> Iterator[tuple[Fault, Ref]]:
        """For each relative reference that would mean two things, the fault that names both."""
        if not self._again or not self.relative:
            return
        leaving: dict[int, list[tuple[Ref, int, Any, Ref]]] = {}  # by a container's id, what leads out, and how far
        for part, level, whole in self.relative:
            start, up = container_of(level, part.__dots__), level
            leaving.setdefault(id(whole), []).append((part, part.__dots__, start, whole))
            for above_it in range(part.__dots__ - 1, 0, -1):
                if up is None:
                    break
                leaving.setdefault(id(up[0]), []).append((part, above_it, start, whole))
                up = up[2]
        places = {id(ref): level for ref, level in self.refs}
        told: set[int] = set()
        for x, level in self._again:
            for part, far, start, whole in leaving.get(id(x), ()):
                other = container_of(level, far)
                if is_same(start, other) or id(part) in told:
                    continue
                told.add(id(part))
                first = path_of(places[id(whole)])
                below = first[len(path_of(_level_of(x, places[id(whole)]))) :] if x is not whole else ()
                yield _two_meanings(part, first, (*path_of(level), *below), origin_at(places[id(whole)])), part


def moved_faults(spec: Any) -> Iterator[Fault]:
    """Relative references that would lead elsewhere when they are read where they stand now."""
    survey = Survey(spec)
    yield from (fault for fault, _ in survey.clashes())
    for part, level, _ in survey.relative:
        start = container_of(level, part.__dots__)
        if part.__root__ is not None and start is not None and not is_same(start, part.__root__):
            text = written(part.__base__, part.__dots__)
            problem = f"{text} leads to where it was read, and would lead elsewhere when it is read here"
            yield Fault(format_path(path_of(level)), problem, advice=["write the path from the root"])


def container_of(level: Level | None, dots: int) -> Any:
    """The container that is so many levels up, None above the whole."""
    for _ in range(dots - 1):
        if level is None:
            return None
        level = level[2]
    return level[0] if level is not None else None


def path_of(level: Level | None) -> tuple[Any, ...]:
    """The steps to a place."""
    steps: list[Any] = []
    while level is not None:
        if level[1] is not None:
            steps.append(level[1])
        level = level[2]
    return tuple(reversed(steps))


def origin_at(level: Level | None) -> str:
    """Who set what stands at a place."""
    if level is None:
        return ""
    holder = level[0].call if type(level[0]) is Positions else level[0]
    return origin_of(holder, level[1]).where


def above(ref: Ref) -> Fault:
    """The fault of a relative reference that leads out of the spec."""
    text = written(ref.__base__, ref.__dots__)
    return Fault(
        "", f"refers to {text}, which leads above the spec", advice=["each dot after the first is one level up"]
    )


def _level_of(x: Any, level: Level | None) -> Level | None:
    """The level that holds `x`, from a place inside it."""
    while level is not None:
        if level[0] is x:
            return level[2]
        level = level[2]
    return None


def _holds(x: Any) -> bool:
    return kind_of(type(x)) is not None


def is_same(a: Any, b: Any) -> bool:
    """Whether two containers are the same level."""
    return a is b or (type(a) is Positions and type(b) is Positions and a.call is b.call)


def _two_meanings(part: Ref, first: tuple[Any, ...], second: tuple[Any, ...], origin: str) -> Fault:
    text = written(part.__base__, part.__dots__)
    return Fault(
        format_path(first),
        f"{text} would mean two things: one here, another at {format_path(second)}, where the same object stands",
        origin=origin,
        advice=["write the path from the root, or hold a copy(...) at one of the places"],
    )
