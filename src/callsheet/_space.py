"""Spaces: what a sweep varies, as axes and what is made of them; each trial is a few overrides, found by its number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from itertools import product

from ._alternatives import Glob, Interval, Range
from ._grammar import Override
from .errors import Fault, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Dimension = Interval | Range | int
    """What is decided: a number within an interval, a position of a range, or one of so many choices."""
    Suggest = Callable[[str, Dimension], Any]
    """Decides for a name: a number within an interval, else a position."""
    Pick = tuple["Axis", Any]
    """An axis and what was decided for it, of which `Axis.override` makes an override."""


class Space(ABC):
    """What a sweep varies. Made by `grid`, `zipped`, `chain`, `random` and `halton`.

    Attributes:
        count: The number of its trials; None where an axis is continuous, so that they are drawn.
    """

    count: int | None

    @abstractmethod
    def at(self, n: int) -> list[Pick]:
        """What makes trial `n` of a finite space."""

    def probes(self, most: int) -> list[int]:
        """Numbers of trials of a finite space, in which each choice of each axis stands once.

        Args:
            most: Choices of an axis up to which all are taken; of more, so many from end to end.
        """
        count = self.count or 0
        return list(range(count)) if count <= most else [n * (count - 1) // (most - 1) for n in range(most)]

    def each(self) -> Iterator[Sequence[Pick]]:
        """What makes each trial of a finite space, in order."""
        n, count = 0, self.count or 0
        while n < count:  # which may be more than `range` can go through
            yield self.at(n)
            n += 1

    @abstractmethod
    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        """What makes the trial for which `suggest` decides: it is asked only for axes that this trial has."""

    @abstractmethod
    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        """All that can be decided, by the names that `decided` uses."""

    @abstractmethod
    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        """The overrides that vary, by the names of their axes."""

    @abstractmethod
    def resolved(self, change: Callable[[Override], Override]) -> Space:
        """The same space with each override as `change` gives it, ready to be drawn from.

        Raises:
            SpaceError: Its parts do not go together.
        """

    @property
    @abstractmethod
    def text(self) -> str:
        """How it reads, to the last value: two spaces of one text have the same trials."""

    def __repr__(self) -> str:
        return self.text


class Axis(Space):
    """One override: of one value, of several, or of any within an interval.

    Args:
        said: The override.
        common: Whether all trials have it, so that none of them chooses it.
    """

    def __init__(self, said: Override, *, common: bool = False) -> None:
        self.said = said
        self.common = common
        axis = said.sweep
        self.count = None if isinstance(axis, Interval) else 0 if isinstance(axis, Glob) else len(said.choices)
        if axis is None:
            self.count = 1
        elif isinstance(axis, Interval) and axis.log and not axis.start > 0:
            advice = ["a logarithmic interval starts above 0"]
            raise SpaceError(Fault(said.path, f"has no logarithm: {axis!r}", origin=said.where, advice=advice))

    def override(self, decided: Any) -> Override:
        """The override of one value: of a number within a continuous axis, else of the value at a position."""
        axis = self.said.sweep
        if axis is None:
            return self.said
        if not isinstance(axis, Interval):
            return self.said.chosen(decided)
        found = axis.number(decided)
        return self.said.decided(found, repr(found))

    def at(self, n: int) -> list[Pick]:
        return [(self, n)]

    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        return [(self, 0 if self.said.sweep is None else suggest(prefix + self.said.path, self._dimension()))]

    def _dimension(self) -> Dimension:
        axis = self.said.sweep
        return axis if isinstance(axis, Interval | Range) else len(self.said.choices)

    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        if self.said.sweep is not None:
            yield prefix + self.said.path, self._dimension()

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        if self.said.sweep is not None:
            yield prefix + self.said.path, self.said

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        return Axis(change(self.said), common=self.common)

    @property
    def text(self) -> str:
        return self.said.text


_FEW = 1000
"""Choices of an axis up to which all are held at once."""


class Grid(Space):
    """Every combination of what its parts have, the last varying fastest."""

    def __init__(self, parts: Sequence[Space]) -> None:
        self.parts: tuple[Space, ...] = tuple(
            inner for part in parts for inner in (part.parts if isinstance(part, Grid) else (part,))
        )
        self.count = 1
        for part in self.parts:
            self.count = None if self.count is None or part.count is None else self.count * part.count
        self._from_last = [(part, part.count or 1) for part in reversed(self.parts)]
        kinds = [type(part) for part in self.parts]
        self._prefixes = [
            f"{n}/" if kind not in (Axis, Branches) and kinds.count(kind) > 1 else "" for n, kind in enumerate(kinds)
        ]

    def at(self, n: int) -> list[Pick]:
        found: list[Pick] = []
        for part, count in self._from_last:
            n, own = divmod(n, count)
            if type(part) is Axis:
                found.append((part, own))
            else:
                found += reversed(part.at(own))
        found.reverse()
        return found

    def each(self) -> Iterator[Sequence[Pick]]:
        axes = [part for part in self.parts if type(part) is Axis and (part.count or 0) <= _FEW]
        if len(axes) < len(self.parts):
            return super().each()
        return product(*([(axis, n) for n in range(axis.count or 0)] for axis in axes))

    def probes(self, most: int) -> list[int]:
        own = [part.probes(most) for part in self.parts]
        if not all(own):
            return []
        found = []
        for k in range(max(map(len, own), default=1)):
            n = 0
            for part, probes in zip(self.parts, own, strict=True):
                n = n * (part.count or 1) + probes[k % len(probes)]
            found.append(n)
        return found

    def _named(self, prefix: str) -> Iterator[tuple[Space, str]]:
        return ((part, prefix + own) for part, own in zip(self.parts, self._prefixes, strict=True))

    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        return [pick for part, name in self._named(prefix) for pick in part.decided(suggest, name)]

    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        for part, name in self._named(prefix):
            yield from part.dimensions(name)

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        for part, name in self._named(prefix):
            yield from part.axes(name if type(part) is Chain else prefix)

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        made = Grid([part.resolved(change) for part in self.parts])
        seen: set[str] = set()
        for name, said in made.axes():
            if name in seen:
                advice = ["name all values in one place, or put the places into a chain"]
                raise SpaceError(Fault(name, "varies twice", origin=said.where, advice=advice))
            seen.add(name)
        made.refuse_defeated()
        return made

    def refuse_defeated(self) -> None:
        """Refuse an axis of which a later part leaves nothing.

        Raises:
            SpaceError: There is one.
        """
        varied: dict[tuple[Any, ...], Override] = {}
        for part in self.parts:
            said = part.said if type(part) is Axis and part.common else None
            if said is None:
                varied |= {axis.steps: axis for _, axis in part.axes() if not axis.below and axis.span is None}
            elif said.steps in varied and said.operation in ("set", "force") and not said.below and said.span is None:
                if said.texts[0].startswith(("@", "{")):  # of what stands there, these change a part
                    continue
                problem = f"{said.text} comes after {varied[said.steps].text}, of which it leaves nothing"
                raise SpaceError(Fault(said.path, problem, origin=said.where, advice=["leave one of them out"]))

    @property
    def text(self) -> str:
        return f"grid({', '.join(part.text for part in self.parts)})"


class Zipped(Space):
    """Its parts in step: their first trials together, their second, …."""

    def __init__(self, parts: Sequence[Space]) -> None:
        self.parts = tuple(parts)
        self.count = self.parts[0].count

    def at(self, n: int) -> list[Pick]:
        return [pick for part in self.parts for pick in part.at(n)]

    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        return self.at(suggest(f"{prefix}zipped", self.count or 0))

    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        yield f"{prefix}zipped", self.count or 0

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        for part in self.parts:
            yield from part.axes(prefix)

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        parts = [part.resolved(change) for part in self.parts]
        for part in parts:
            if part.count is None:
                advice = ["draw so many values of it first:  random(10, …)"]
                raise SpaceError(Fault("", f"a continuous axis cannot be zipped: {part.text}", advice=advice))
        if len({part.count for part in parts}) > 1:
            texts = [part.text if len(part.text) <= 60 else part.text[:57] + "..." for part in parts]
            found = [f"{part.count} in  {text}" for part, text in zip(parts, texts, strict=True)]
            raise SpaceError(Fault("", "what is zipped differs in length", advice=found))
        return Zipped(parts)

    @property
    def text(self) -> str:
        return f"zipped({', '.join(part.text for part in self.parts)})"


class Chain(Space):
    """The trials of its parts, one part after the other."""

    name = "chain"

    def __init__(self, parts: Sequence[Space]) -> None:
        self.parts = tuple(parts)
        self.count = 0
        self._ends: list[int] = []
        for part in self.parts:
            self.count = None if self.count is None or part.count is None else self.count + part.count
            self._ends.append(self.count or 0)

    def at(self, n: int) -> list[Pick]:
        k = bisect_right(self._ends, n)
        return self.parts[k].at(n - (self._ends[k - 1] if k else 0))

    def probes(self, most: int) -> list[int]:
        starts = [0, *self._ends]
        return [start + n for start, part in zip(starts, self.parts, strict=False) for n in part.probes(most)]

    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        k = suggest(prefix + self.name, len(self.parts))
        if not 0 <= k < len(self.parts):
            raise IndexError
        return self.parts[k].decided(suggest, f"{prefix}{self.name}={k}/")

    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        yield prefix + self.name, len(self.parts)
        for k, part in enumerate(self.parts):
            yield from part.dimensions(f"{prefix}{self.name}={k}/")

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        for k, part in enumerate(self.parts):
            yield from part.axes(f"{prefix}{self.name}={k}/")

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        return Chain([part.resolved(change) for part in self.parts])

    @property
    def text(self) -> str:
        return f"chain({', '.join(part.text for part in self.parts)})"


class Branches(Chain):
    """One of several values, each with axes inside of it that the others have not.

    Args:
        said: The override of all the values.
        parts: For each value, what is inside of it.
    """

    def __init__(self, said: Override, parts: Sequence[Space]) -> None:
        self.said = said
        self.name = said.path
        chosen = [Axis(said.chosen(n)) for n in range(len(parts))]
        super().__init__([Grid([axis, part]) for axis, part in zip(chosen, parts, strict=True)])
        self._inner = tuple(parts)

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        yield prefix + self.name, self.said
        yield from super().axes(prefix)

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        return Branches(self.said, [part.resolved(change) for part in self._inner])

    @property
    def text(self) -> str:
        found = ", ".join(part.text for part in self.parts)
        return f"choice({found})"
