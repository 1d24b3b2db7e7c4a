"""Spaces as users write them: dicts of values, override texts, and the verbs that make larger ones of these."""

from __future__ import annotations

from ._alternatives import SWEEPS, Choice, Interval, Range, Refused
from ._equal import hash_of
from ._grammar import Override, parse
from ._items import CALLS, origin_of
from ._layout import layout
from ._lazy import arguments, locate_path, rewrite, walk
from ._leaf import MISSING
from ._origin import Origin
from ._path import parse_path
from ._points import Halton, Random
from ._said import parse_sweeping
from ._space import Axis, Branches, Chain, Grid, Space, Zipped
from ._spec import Mapping, delete_item, note_origin
from ._tree import kind_of
from ._word import Given, Word, write_value
from .errors import Fault, OverrideError, SaveError, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as AnyMapping
    from collections.abc import Sequence
    from typing import Any

    Part = Space | AnyMapping[str, Any] | Mapping | str
    """What a space is made of: another, a dict of values by path, or an override as text."""


def grid(*parts: Part) -> Space:
    """Every combination of what is given, the last varying fastest.

    Args:
        parts: Dicts from paths to values, override texts, and other spaces. Several values are a list, a tuple, a
            `range`, an array, `choice(…)` or `interval(…)`; whatever else is one value.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values.

    >>> from callsheet import sweep
    >>> [trial.spec for trial in sweep({"lr": 0, "width": 0}, grid({"lr": [0.1, 0.2]}, "width=32,64"))][1]
    {'lr': 0.1, 'width': 64}
    """
    return Grid(_parts(parts))


def zipped(*parts: Part) -> Space:
    """What is given, in step: the first values together, the second, and so on.

    Args:
        parts: As for `grid`; each axis of a dict is one of what is zipped.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values. That lengths differ is told when it is swept.

    >>> from callsheet import sweep
    >>> [trial.spec for trial in sweep({"lr": 0, "width": 0}, zipped({"lr": [0.1, 0.2], "width": [32, 64]}))]
    [{'lr': 0.1, 'width': 32}, {'lr': 0.2, 'width': 64}]
    """
    found = [axis for part in _parts(parts) for axis in (part.parts if type(part) is Grid else (part,))]
    if not found:
        raise SpaceError(Fault("", "nothing is zipped", advice=["zipped({path: values, path: values})"]))
    return Zipped(found)


def chain(*parts: Part) -> Space:
    """The trials of what is given, one after the other.

    Args:
        parts: As for `grid`.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values.

    >>> from callsheet import sweep
    >>> [trial.spec for trial in sweep({"lr": 0, "width": 0}, chain({"lr": [0.1, 0.2]}, {"width": [32]}))]
    [{'lr': 0.1, 'width': 0}, {'lr': 0.2, 'width': 0}, {'lr': 0, 'width': 32}]
    """
    return Chain(_parts(parts))


def random(n: int, *parts: Part, seed: int = 0) -> Space:
    """So many trials of a space, drawn at random: a finite space, whatever is drawn from.

    Args:
        n: How many; of a finite space each is drawn once at most, so that there are no more than that has.
        parts: As for `grid`.
        seed: Other trials for another. Trial `i` depends on the seed and on `i` alone.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values.

    >>> from callsheet import sweep
    >>> trials = sweep({"lr": 0.1}, random(20, {"lr": interval(1e-4, 1e-1, log=True)}, seed=1))
    >>> len(trials), 1e-4 <= trials[7].spec["lr"] < 1e-1
    (20, True)
    """
    return Random(_wanted(n), Grid(_parts(parts)), seed)


def halton(n: int, *parts: Part, seed: int = 0) -> Space:
    """So many trials of a space, spread more evenly than chance would have them: a randomised Halton sequence.

    Args:
        n: How many; the first ones of a longer sequence are those of a shorter one.
        parts: As for `grid`.
        seed: Another sequence for another.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values.

    >>> from callsheet import sweep
    >>> trials = sweep({"x": 0.0}, halton(8, {"x": interval(0, 1)}))
    >>> sorted(int(trial.spec["x"] * 8) for trial in trials)
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    return Halton(_wanted(n), Grid(_parts(parts)), seed)


def choice(*values: Any) -> Any:
    """One of several values: where a sweep has a path, and inside of a call that is one of such values.

    Args:
        values: Any: numbers, texts, whole calls. What a call holds by `choice` and `interval` varies where that call
            is chosen, and only there.

    Raises:
        SpaceError: There are none.

    >>> from callsheet import lazy, sweep
    >>> optim = choice(lazy(dict)(lr=choice(1, 2)), lazy(list)())
    >>> [trial.choices for trial in sweep({"optim": None}, {"optim": optim})]
    [{'optim': 'lazy(dict)()', 'optim.lr': '1'}, {'optim': 'lazy(dict)()', 'optim.lr': '2'}, {'optim': 'lazy(list)()'}]
    """
    if not values:
        raise SpaceError(Fault("", "choice needs a value"))
    return Choice(values)


def interval(start: float, end: float, *, log: bool = False, whole: bool = False, step: float | None = None) -> Any:
    """Any number from `start` up to `end`, which is not reached.

    Args:
        start: The least.
        end: Where it ends.
        log: Whether a factor counts as a distance does, so that 1e-4 to 1e-3 is as likely as 1e-3 to 1e-2.
        whole: Whether only whole numbers are meant.
        step: Only numbers at this distance, from `start` on: they are finitely many, so that a grid can hold them.

    Raises:
        SpaceError: There are none.

    >>> interval(1e-4, 1e-1, log=True), interval(16, 257, whole=True), [*interval(0, 1, step=0.25)]
    (tag(log,interval(0.0001,0.1)), int(interval(16,257)), [0.0, 0.25, 0.5, 0.75])
    """
    if step is not None:
        if log:
            raise SpaceError(Fault("", "an interval in steps is not logarithmic", advice=["name its values in a list"]))
        try:
            first, last, distance = ((int(x) if whole else float(x)) for x in (start, end, step))
            return Range(first, last, distance)
        except Refused as error:
            raise SpaceError(Fault("", str(error))) from None
    low, high = (int(start), int(end)) if whole else (float(start), float(end))
    if not low < high:
        raise SpaceError(Fault("", f"interval holds nothing: {low} is not below {high}"))
    return Interval(low, high, frozenset(["log"] if log else []))


def space_of(part: Part) -> Space:
    """What a user gives for a space, as one.

    Raises:
        OverrideError: A text or path cannot be read.
        SpaceError: An axis has no values.
        TypeError: It is no space.
    """
    if isinstance(part, Space):
        return part
    if isinstance(part, str):
        found: list[Space] = [Axis(said) for said in parse_sweeping(part)]
        return found[0] if len(found) == 1 else Grid(found)
    if isinstance(part, dict | Mapping):
        made = [_axis(path, values) for path, values in part.items()]
        return made[0] if len(made) == 1 else Grid(made)
    raise TypeError(f"a space is made of dicts, override texts and other spaces, found {layout(part)}")


def _parts(parts: Sequence[Part]) -> list[Space]:
    return [space_of(part) for part in parts]


def _wanted(n: int) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise SpaceError(Fault("", f"the number of trials comes first, found {layout(n)}", advice=["random(20, …)"]))
    return n


# --- from values to overrides -----------------------------------------------------------------------------------------


def _axis(path: str, values: Any) -> Space:
    """An axis of a dict: a path with the values that it may have."""
    said = parse(f"{path}=0")
    if type(values) is range and values:
        values = Range(values.start, values.stop, values.step)
    if isinstance(values, Interval | Range):
        return Axis(_spoken(said, values))
    found, several = _several(values)
    if not found:
        raise SpaceError(Fault(path, "has no values"))
    if not several and not _has_axes(found[0]):
        return Axis(said.decided(*_written(found[0])))
    if not any(_has_axes(value) for value in found):
        return Axis(_spoken(said, Choice([_written(value)[0] for value in found])))
    if said.below or said.happens_once:
        advice = ["name the place itself, as in  optim={choice(lazy(SGD)(lr=interval(0, 1)))}"]
        raise SpaceError(Fault(path, "cannot have calls with axes of their own", advice=advice))
    taken = [_taken_apart(said, value) for value in found]
    outer = _spoken(said, Choice([_template(value) if inner else _written(value)[0] for value, inner in taken]))
    return Branches(outer, [Grid(inner) for _, inner in taken])


def _several(values: Any) -> tuple[Sequence[Any], bool]:
    """The values that stand for an axis, and whether they were given as several."""
    if isinstance(values, Choice):
        return values.values, True
    if isinstance(values, list | tuple | range):
        return [*list.__iter__(values)] if isinstance(values, list) else values, True
    if hasattr(values, "tolist") and getattr(values, "ndim", None):
        return values.tolist(), True
    if hasattr(type(values), "__next__") or isinstance(values, set | frozenset):
        raise SpaceError(Fault("", f"values need an order, and are read more than once: {layout(values)}"))
    return [values], False


def _spoken(said: Override, sweep: Choice | Range | Interval) -> Override:
    """An override of several values, with the text that says so."""
    made = said.like(
        choices=sweep.values if isinstance(sweep, Choice) else sweep if isinstance(sweep, Range) else (),
        _texts=None,
        sweep=sweep,
    )
    if isinstance(sweep, Interval):
        text = repr(sweep)
    elif isinstance(sweep, Range):
        text = _ranged(sweep)
    else:
        text = f"choice({','.join(_identified(value) for value in sweep.values)})"
    return made.like(text=said.decided(None, text).text)


def _identified(value: Any) -> str:
    """A value as text that no other has."""
    if type(value) is not Given:
        return write_value(value)
    try:
        return f"{value.text}#{hash_of(value.value)[:12]}"
    except SaveError:
        return value.text  # it cannot be sent to another process anyway


def _written(value: Any) -> tuple[Any, str]:
    """A Python value as one of the grammar where it has one, so that it becomes the declared type; and its text."""
    plain = _plain(value)
    if plain is _NO_DATA:
        plain = Given(value, layout(value, width=10_000))
    return plain, write_value(plain)


_NO_DATA = object()


def _plain(value: Any) -> Any:
    cls = type(value)
    if value is None:
        return Word("null")
    if cls in (bool, int, float, str):
        return value
    if cls.__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "ndim", None):
        return _plain(value.item())
    if cls is list:
        items = [_plain(item) for item in value]
        return _NO_DATA if any(item is _NO_DATA for item in items) else items
    if cls is dict and all(type(key) is str for key in value):
        named = {key: _plain(item) for key, item in value.items()}
        return _NO_DATA if any(item is _NO_DATA for item in named.values()) else named
    return _NO_DATA


def _has_axes(value: Any) -> bool:
    return kind_of(type(value)) is not None and any(isinstance(x, SWEEPS) for _, x in walk(value))


def _taken_apart(said: Override, value: Any) -> tuple[Any, list[Space]]:
    """A value without its axes, and those, where they stand when the value does."""
    if not _has_axes(value):
        return value, []
    found: dict[str, Any] = {}

    def change(path: str, x: Any) -> Any:
        if not isinstance(x, SWEEPS):
            return x
        found[path] = x
        return MISSING

    made = rewrite(value, change)
    for path, axis in found.items():
        holder, key, _ = locate_path(made, path)
        note_origin(holder, key, Origin("space", origin_of(holder, key).where, _shown(axis)))
    return made, [_axis_at(said, path, axis) for path, axis in found.items()]


def _shown(axis: Any) -> str:
    """An axis as it is written in Python."""
    if isinstance(axis, Choice):
        return f"choice({', '.join(layout(value, width=1000) for value in axis.values)})"
    return _ranged(axis) if isinstance(axis, Range) else repr(axis)


def _ranged(sweep: Range) -> str:
    return f"range({sweep.start},{sweep.stop},{sweep.step})"


def _template(value: Any) -> Given:
    """A value that waits for its axes; it reads without them."""

    def change(path: str, x: Any) -> Any:
        if type(x) in CALLS:
            for key in [key for key, item in arguments(x).items() if item is MISSING and isinstance(key, str)]:
                delete_item(x, key)
        return x

    return Given(value, layout(rewrite(value, change), width=10_000))


def _axis_at(said: Override, path: str, values: Any) -> Space:
    start = "" if path.startswith("[") else "."
    whole = f"{said.path}{start}{path}"
    try:
        parse_path(whole)
        return _axis(whole, values)
    except OverrideError as error:
        raise SpaceError(*error.faults) from None
