"""Where references lead: each path walked once, other references on its way followed in any number."""

from __future__ import annotations

from ._items import MAPPINGS, step_into
from ._levels import Places
from ._path import format_path
from ._ref import Ref, base_of, dots_of, ref_text, root_of, steps_of
from ._tree import kind_of
from ._written import WRITTEN, depends_on_run, written
from .errors import CallsheetError, CycleError, Fault, PathError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Hop = tuple[Ref, Any]
    """A path, and the root in which it starts if it has none of its own."""

ABSENT = object()
_MANY = 200
"""Keys among which no look is taken for the nearest name."""
_raw = object.__getattribute__


class Ways:
    """What stands where references lead, raw; a snapshot of a spec. Abstract: what a path is, others may tell.

    Args:
        root: Where paths start that are bound to no root; without one, such references lead nowhere yet.
        spec: What the references stand in, where that is no part of the root.
        step: Gives the raw value under one step of a path; raises `LookupError`.
    """

    def __init__(self, root: Any, spec: Any, step: Callable[[Any, Any], Any]) -> None:
        self.root = root
        self.step = step
        self._kept: list[Ref] = []  # what is known by its id
        self._places = Places(root, spec) if root is not None else None
        self._own_ends: dict[int, Any] = {}
        self._ends = {id(root): self._own_ends}  # by the root that a path without one starts in
        self._last: dict[int, Hop] = {}  # by a reference's id, the last path on its way
        self._roots: dict[int, Any] = {}  # of references without one that were found by those with one

    def steps(self, ref: Ref) -> tuple[Any, ...]:
        """The steps of a path."""
        raise NotImplementedError

    def comes_to(self, ref: Ref) -> Any:
        """What a reference that is more than a path comes to, for a way that goes on from there."""
        raise NotImplementedError

    def end_of(self, ref: Ref) -> Any:
        """What stands where a path leads; another reference only where that is more than a path.

        Raises:
            PathError: Nothing stands there.
            CycleError: The way leads back to itself.
            UnboundError: It has no root, and none was given.
        """
        start, root, ends = root_of(ref), self.root, self._own_ends
        if start is not root or dots_of(ref):
            root = self.default_root(ref)
            if root is not self.root:
                ends = self._ends.setdefault(id(root), {})
        value = ends.get(id(ref), ABSENT)
        if value is ABSENT and self.step is step_into:
            value = straight(start if start is not None or dots_of(ref) else root, base_of(ref))
            if type(value) is Ref:
                value = ends.get(id(value), ABSENT)
            if value is not ABSENT and type(value) is not _Dead and not steps_of(ref):
                ends[id(ref)] = value
        return value if value is not ABSENT and type(value) is not _Dead else _Walk(self, ref).end()

    def stands_at(self, start: Any, steps: Iterable[Any]) -> Any:
        """What stands at a path from a container; raises as `end_of` does."""
        ref = Ref(tuple(steps), root=start)
        self._kept.append(ref)
        return self.end_of(ref)

    def place_of_end(self, ref: Ref) -> tuple[Any, tuple[Any, ...]]:
        """Where a path leads at last, other paths followed: the container in which the last of them starts, its steps.

        Raises:
            PathError: Nothing stands there.
            CycleError: The way leads back to itself.
        """
        if id(ref) not in self._last:
            _Walk(self, ref).end()
        last, root = self._last[id(ref)]
        return self.start_of(last, root), self.steps(last)

    def default_root(self, ref: Ref) -> Any:
        """Where a path without a root of its own starts that is found by this reference."""
        root = root_of(ref)
        return root if root is not None and not dots_of(ref) else self._roots.get(id(ref), self.root)

    def start_of(self, ref: Ref, root: Any) -> Any:
        """The container in which a path starts."""
        start = root_of(ref)
        if start is not None:
            return start
        if root is None or (dots_of(ref) and self._places is None):
            raise UnboundError
        return self._places.start_of(ref) if dots_of(ref) else root  # type: ignore[union-attr]


def straight(start: Any, base: Any) -> Any:
    """What stands at a path on whose way is no reference, as most are; ABSENT where that is not so."""
    if start is None or type(base) is not tuple:
        return ABSENT
    value = start
    try:
        for step in base:
            value = _raw(value, "__dict__")[step] if type(value) in MAPPINGS else step_into(value, step)
    except LookupError:
        return ABSENT
    return value


class UnboundError(Exception):
    """A reference has no root yet, and none was given."""


class _Walk:
    """One way, from a reference to its end."""

    def __init__(self, ways: Ways, ref: Ref) -> None:
        self.ways = ways
        self.ref = ref
        self.root = ways.default_root(ref)
        self.ends = ways._ends.setdefault(id(self.root), {})
        self.wanted: list[Any] = []  # the steps that are left, the next one last
        self.passed: dict[int, tuple[Ref, int, dict[int, Any], Any]] = {}  # references that are not at their end yet
        self.last: Hop | None = None
        self.dead: Ref | None = None  # the path that leads nowhere

    def end(self) -> Any:
        first, wanted, passed, step_to = (self.ref, self.root), self.wanted, self.passed, self.ways.step
        value = self.ways.start_of(*first)
        wanted += reversed(self.ways.steps(self.ref))
        try:
            while True:
                more = True
                while more and type(value) is Ref:
                    value, more = self.through(value)
                if passed and next(reversed(passed.values()))[1] >= len(wanted):
                    self.settle(value)
                if not wanted:
                    self.ways._last[id(self.ref)] = self.last or first
                    return value
                step, self.last = wanted.pop(), None
                try:
                    value = step_to(value, step)
                except LookupError:
                    raise self.nothing(value, step) from None
        except CallsheetError as error:
            for known, _, ends, _ in passed.values():
                ends[id(known)] = _Dead(error, self.dead)
            raise

    def through(self, ref: Ref) -> tuple[Any, bool]:
        """What the way goes on in at a reference, and whether it has to go through that as well."""
        base = base_of(ref)
        if type(base) is tuple and not steps_of(ref) and (base[0] != "run" or not depends_on_run(ref)):
            return self.along(ref)
        self.ways._roots.setdefault(id(ref), self.root)
        if type(base) not in WRITTEN and not steps_of(ref):
            return base, True
        return (self.ways.comes_to(ref), False) if self.wanted else (ref, False)

    def along(self, ref: Ref) -> tuple[Any, bool]:
        """The same for one that is a path: its end where that is known, else where it starts."""
        root = root_of(ref)
        if root is not None and root is not self.root and not dots_of(ref):
            self.root = root
            self.ends = self.ways._ends.setdefault(id(root), {})
        end = self.ends.get(id(ref), ABSENT)
        if type(end) is _Dead:
            if end.last is None:
                raise end.error.with_traceback(None)
            raise self.nowhere(end.last, end.error.faults[0].advice)
        if end is not ABSENT and id(ref) in self.ways._last:
            self.last = self.ways._last[id(ref)]
            return end, bool(self.wanted)
        if id(ref) in self.passed:
            way = [entry[0] for entry in self.passed.values()]
            raise circle(way[list(self.passed).index(id(ref)) :])
        self.passed[id(ref)] = ref, len(self.wanted), self.ends, self.root
        self.wanted += reversed(base_of(ref))
        self.last = None
        return self.ways.start_of(ref, self.root), True

    def settle(self, value: Any) -> None:
        """Note the end of those references of whose paths no step is left."""
        while self.passed:
            known, level, ends, root = next(reversed(self.passed.values()))
            if level < len(self.wanted):
                break
            self.passed.popitem()
            ends[id(known)] = value
            self.last = self.ways._last[id(known)] = self.last or (known, root)

    def nothing(self, holder: Any, step: Any) -> PathError:
        """The error of a step that leads nowhere."""
        last = next(reversed(self.passed.values()))[0] if self.passed else self.ref
        kind = kind_of(type(holder))
        keys = [key for key in kind.items(holder)[0] if isinstance(key, str)] if kind is not None else []
        close = nearest(str(step), keys) if len(keys) <= _MANY else []
        base = base_of(last)
        if close and type(base) is tuple:  # all of the path, as it can be written in the place of the other
            meant = "." * int(dots_of(last)) + format_path(tuple(close[0] if each == step else each for each in base))
        else:
            meant = close[0] if close else ""
        return self.nowhere(last, [f"did you mean  {meant}?"] if close else [])

    def nowhere(self, last: Ref, advice: Iterable[str]) -> PathError:
        self.dead = last
        problem = f"refers to {path_text(self.ref)}, where nothing is"
        if last is not self.ref:
            problem = f"refers to {path_text(self.ref)}, which leads to {path_text(last)}, where nothing is"
        return PathError(Fault("", problem, advice=advice))


class _Dead:
    """What a reference leads to that leads to nothing: the error, and the last path on the way where that fails."""

    __slots__ = ("error", "last")

    def __init__(self, error: CallsheetError, last: Ref | None) -> None:
        self.error = error
        self.last = last


def circle(way: list[Ref]) -> CycleError:
    """The error of references of which each leads to the next, and the last to the first."""
    names = [path_text(ref) for ref in (way[-1], *way)]
    if len(names) > 8:
        names[4:-3] = ["…"]
    return CycleError(Fault("", f"is a reference that leads back to itself: {' → '.join(names)}"))


def path_text(ref: Ref) -> str:
    """What a reference refers to."""
    base, dots = base_of(ref), int(dots_of(ref))
    if type(base) is tuple:
        return "." * dots + format_path(base)
    return written(base, dots) if type(base) in WRITTEN else ref_text(ref)
