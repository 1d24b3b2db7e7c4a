"""What stands for several values in the text of an override: choices, ranges, intervals, patterns; ends of lists."""

from __future__ import annotations

from _collections_abc import Sequence
from sys import maxsize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Refused(ValueError):
    """A function cannot be called so; `str()` of it says why."""


class Choice:
    """One of several values.

    Attributes:
        values: A sequence of values of the grammar.
        tags: What `tag` said of it.
        simple: Whether it was written by commas alone: `a,b`.
    """

    __slots__ = ("simple", "tags", "values")

    def __init__(self, values: Sequence[Any], tags: frozenset[str] = frozenset(), *, simple: bool = False) -> None:
        self.values = values
        self.tags = tags
        self.simple = simple


class Range(Sequence):  # type: ignore[type-arg]
    """Numbers at equal distances, made when they are asked for.

    Attributes:
        start: The first; an int, or a decimal where any of the three is a float.
        stop: Where it ends, not included.
        step: The distance.
        tags: What `tag` said of it.
    """

    __slots__ = ("_count", "start", "step", "stop", "tags")

    def __init__(self, start: Any, stop: Any, step: Any, tags: frozenset[str] = frozenset()) -> None:
        self.tags = tags
        self.start, self.stop, self.step = start, stop, step
        if not all(isinstance(x, int) for x in (start, stop, step)):
            from decimal import Decimal

            # What was typed: 0.1 is a tenth here, so that range(0,1,0.1) holds 0.3.
            self.start, self.stop, self.step = (
                Decimal(repr(x) if isinstance(x, float) else x) for x in (start, stop, step)
            )
            if not all(x.is_finite() for x in (self.start, self.stop, self.step)):
                raise Refused("range needs finite numbers")
        if not self.step:
            raise Refused("the step of a range cannot be 0")
        self._count = _count(self.start, self.stop, self.step)
        if not self._count:
            raise Refused(f"range holds nothing: from {start} to {stop} in steps of {step}")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return [self[i] for i in range(*n.indices(self._count))]
        if not -self._count <= n < self._count:
            raise IndexError(n)
        value = self.start + (n % self._count) * self.step
        return value if isinstance(value, int) else float(value)

    def reversed(self) -> Range:
        """The same numbers, the last first."""
        last = self.start + (self._count - 1) * self.step
        return Range(last, self.start - self.step, -self.step, self.tags)


def _count(start: Any, stop: Any, step: Any) -> int:
    if not (stop - start) * step > 0:
        return 0
    try:
        whole, rest = divmod(stop - start, step)
        count = int(whole) + (1 if rest else 0)
    except ArithmeticError:  # more than a decimal can tell
        count = maxsize + 1
    if count > maxsize:
        raise Refused("range holds too many numbers")
    return count


class Interval:
    """Any number from `start` up to `end`; whole ones where both are ints.

    Attributes:
        start: The least.
        end: What is not reached.
        tags: What `tag` said of it.
    """

    __slots__ = ("end", "start", "tags")

    def __init__(self, start: float, end: float, tags: frozenset[str] = frozenset()) -> None:
        self.start = start
        self.end = end
        self.tags = tags

    @property
    def whole(self) -> bool:
        """Whether it has whole numbers alone."""
        return isinstance(self.start, int) and isinstance(self.end, int)

    @property
    def log(self) -> bool:
        """Whether a factor counts as a distance does: `tag(log, interval(1e-4,1e-1))`."""
        return "log" in self.tags

    def number(self, value: Any) -> Any:
        """A number within it, as it is set.

        Raises:
            TypeError, ValueError: It is none, or lies outside.
        """
        if isinstance(value, bool) or not self.start <= value < self.end or (self.whole and value != int(value)):
            raise ValueError(value)
        return int(value) if self.whole else float(value)

    def __repr__(self) -> str:
        found = f"int(interval({self.start},{self.end}))" if self.whole else f"interval({self.start},{self.end})"
        return f"tag(log,{found})" if self.log else found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and repr(self) == repr(other) and self.tags == other.tags

    def __hash__(self) -> int:
        return hash(repr(self))


class Glob:
    """The candidates whose names fit patterns; what they are is known where the path is.

    Attributes:
        include: Patterns such as `resnet*`.
        exclude: Patterns of what is left out.
        tags: What `tag` said of it.
    """

    __slots__ = ("exclude", "include", "tags")

    def __init__(self, include: list[str], exclude: list[str], tags: frozenset[str] = frozenset()) -> None:
        self.include = include
        self.exclude = exclude
        self.tags = tags

    def chosen(self, names: Sequence[str]) -> list[str]:
        """The names that fit, in their order."""
        from fnmatch import fnmatchcase

        def fits(name: str, patterns: list[str]) -> bool:
            return any(fnmatchcase(name, pattern) for pattern in patterns)

        return [name for name in names if fits(name, self.include) and not fits(name, self.exclude)]


class Extension:
    """Values that are put at the end of a list."""

    __slots__ = ("values",)

    def __init__(self, values: list[Any]) -> None:
        self.values = values


SWEEPS = (Choice, Range, Interval, Glob)
