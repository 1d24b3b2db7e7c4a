"""The one traversal: what a tree is made of, walked (read) and folded (made anew), shared nodes once, cycles named."""

from __future__ import annotations

import sys

from ._fields import clone, construct, field_items, has_fields, owned_defaults
from ._path import format_path
from .errors import CycleError, DepthError, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    Steps = tuple[object, ...]
    Items = tuple[list[Any], list[Any]]
    Form = tuple[str, list[str], str]

MAX_DEPTH = 1000
"""Containers within containers that a verb follows before it gives up with a `DepthError`."""

TARGET = "(target)"
"""The step from a call to a target that is itself a spec."""

ATOMS: frozenset[type] = frozenset((int, float, str, bool, type(None), bytes, complex))
"""Types whose values hold nothing and are shared by nobody."""


ENTER = object()
"""What a `short` of `fold` answers where a container has to be entered."""


class Kind:
    """How one type of container is taken apart and put together.

    Attributes:
        node: Whether identity matters: reached twice, it is one thing.
        link: Whether it leads to something instead of holding it: entered once, it is no level of nesting.
        items: Gives the keys and the values of an instance, as two new lists.
        remake: Makes an instance like the first argument from keys and values.
        owned: Keys whose values are class defaults, which each owner has for itself.
        construct: `remake` from built values, where that is more; told whether any was `deferred`.
        call: Gives the call that building an instance comes to, where it is one.
        way: Of a link, the path of what it leads to, None where that is no place.
        by_hand: Whether its classes have a `build` of their own, which sees the values as they are.
    """

    __slots__ = (
        "by_hand", "call", "construct", "family", "form", "head",
        "items", "link", "node", "once", "owned", "remake", "way",
    )  # fmt: skip

    def __init__(
        self,
        items: Callable[[Any], Items],
        remake: Callable[[Any, list[Any], list[Any]], Any],
        *,
        node: bool = False,
        owned: Callable[[Any], Collection[Any]] | None = None,
        family: str = "",
        head: Callable[[Any], Any] = type,
        form: Callable[[Any, list[Any]], Form] | None = None,
        construct: Callable[..., Any] | None = None,
        call: Callable[[Any], Any] | None = None,
        by_hand: bool = False,
        way: Callable[[Any], tuple[object, ...] | None] | None = None,
    ) -> None:
        self.by_hand = by_hand
        self.call = call
        self.construct = construct
        self.family = family
        self.head = head
        self.form = form
        self.items = items
        self.remake = remake
        self.node = node
        self.owned = owned
        self.way = way
        self.link = family == "ref"
        self.once = node or self.link


def _sequence_items(x: Any) -> Items:
    return list(range(len(x))), list(x)


def _dict_items(x: Any) -> Items:
    return list(x), list(x.values())


def _nothing(x: Any) -> None:
    """The head of what is nothing beside its items."""


def dict_form(x: Any, keys: list[Any]) -> Form:
    """As in `{'a': 1}`."""
    return "{", [f"{key!r}: " for key in keys], "}"


def list_form(x: Any, keys: list[Any]) -> Form:
    """As in `[1, 2]`."""
    return "[", [""] * len(keys), "]"


def call_form(x: Any, keys: list[Any]) -> Form:
    return f"{type(x).__qualname__}(", [f"{key}=" for key in keys], ")"


FIELDS = Kind(
    field_items,
    clone,
    node=True,
    owned=owned_defaults,
    family="fields",
    form=call_form,
    construct=construct,
)
NAMED_TUPLE = Kind(
    lambda x: (list(x._fields), list(x)),
    lambda x, keys, values: type(x)._make(values),
    node=True,
    owned=owned_defaults,
    family="fields",
    form=call_form,
)

KINDS: dict[type, Kind | None] = {
    dict: Kind(
        _dict_items,
        lambda x, keys, values: dict(zip(keys, values, strict=True)),
        family="dict",
        head=_nothing,
        form=dict_form,
    ),
    list: Kind(_sequence_items, lambda x, keys, values: values, family="list", head=_nothing, form=list_form),
    tuple: Kind(
        _sequence_items,
        lambda x, keys, values: tuple(values),
        family="tuple",
        head=_nothing,
        form=lambda x, keys: ("(", [""] * len(keys), ",)" if len(keys) == 1 else ")"),
    ),
    **dict.fromkeys(ATOMS),
}
"""Type to kind; None for what holds nothing. Every verb takes another table as `kinds=`."""


STANDARD: dict[tuple[str, str], Kind | None] = {("collections", "OrderedDict"): KINDS[dict]}
"""Kinds of classes whose modules are not loaded for their sake."""


class Only(dict):  # type: ignore[type-arg]
    """A table of kinds in which every type that it does not name holds nothing."""

    def __missing__(self, cls: type) -> None:
        return None


def kind_of(cls: type, kinds: dict[type, Kind | None] = KINDS) -> Kind | None:
    """The kind of a type, None for a leaf; a dataclass, attrs class or NamedTuple is found out at its first use.

    Another class of Callsheet's own that is not there from the start brings its kind as `__callsheet_kind__`.
    """
    try:
        return kinds[cls]
    except KeyError:
        pass
    enum = sys.modules.get("enum")
    if hasattr(cls, "__callsheet_kind__"):
        kind: Kind | None = cls.__callsheet_kind__
    elif enum is not None and issubclass(cls, enum.Enum):
        kind = None  # also where it mixes in a dataclass: a member is one thing, and never another
    elif has_fields(cls):
        kind = FIELDS
    elif issubclass(cls, tuple) and hasattr(cls, "_fields"):
        kind = NAMED_TUPLE
    else:
        kind = STANDARD.get((cls.__module__, cls.__name__))
    kinds[cls] = kind
    return kind


def fold(  # noqa: C901  (one loop, which must call nothing for a leaf)
    root: Any,
    make: Callable[[Any, Kind, list[Any], list[Any]], Any],
    *,
    leaf: Callable[[Any], Any] | None = None,
    short: Callable[[Any, Kind], Any] | None = None,
    kinds: dict[type, Kind | None] = KINDS,
    trail: list[Any] | None = None,
) -> Any:
    """Make a tree anew from the bottom up; each node once, each dict and list once a place.

    Args:
        root: Any value.
        make: Called with a container, its kind, its keys and its values, already
            made; what it returns takes the container's place.
        leaf: Called with each leaf but atoms; what it returns takes its place.
        short: Asked of a container, before it is entered, for what takes its
            place; `ENTER` where it cannot tell. It sees no trail and must not raise.
        kinds: Which types are containers.
        trail: An empty list of the caller's, which holds the way to where the
            fold stands; `steps_of` reads it when `make` or `leaf` has raised.

    Returns:
        What became of the root.

    Raises:
        CycleError: A container holds itself.
        DepthError: More than `MAX_DEPTH` containers within each other.
    """
    stack: list[Any] = [] if trail is None else trail
    opened: set[int] = set()
    memo: dict[int, Any] = {}
    absent = stack  # a value that no memo can hold
    depth, outside = 0, []  # of containers since the last reference; the same outside of each reference
    x: Any = None
    kind: Kind | None = None
    keys, values, start = [None], [root], 0
    while True:
        for i in range(start, len(values)):
            value = values[i]
            cls = type(value)
            if cls in ATOMS:
                continue
            inner = kinds[cls] if cls in kinds else kind_of(cls, kinds)
            if inner is None:
                if leaf is not None:
                    stack.append((x, kind, keys, values, i, memo))
                    values[i] = leaf(value)
                    stack.pop()
                continue
            scope = memo
            if kind is not None and kind.owned is not None and keys[i] in kind.owned(x):
                scope = {}
            if inner.once:
                made = scope.get(id(value), absent)
                if made is not absent:
                    values[i] = made
                    continue
            if short is not None:
                made = short(value, inner)
                if made is not ENTER:
                    values[i] = made
                    if inner.once:
                        scope[id(value)] = made
                    continue
            stack.append((x, kind, keys, values, i, memo))
            if id(value) in opened:
                raise _cycle(stack, value)
            depth += 1
            if inner.link:
                outside.append(depth)
                depth = 0
            elif depth > MAX_DEPTH:
                raise _too_deep(stack)
            opened.add(id(value))
            x, kind, memo, start = value, inner, scope, 0
            keys, values = inner.items(value)
            break
        else:
            if not stack:
                return values[0]
            assert kind is not None
            made = make(x, kind, keys, values)
            opened.discard(id(x))
            if kind.once:
                memo[id(x)] = made
            if kind.link:
                depth = outside.pop()
            depth -= 1
            x, kind, keys, values, i, memo = stack.pop()
            values[i] = made
            start = i + 1


def steps_of(trail: list[Any]) -> Steps:
    """The steps from the root to where a fold stands."""
    return tuple(frame[2][frame[4]] for frame in trail if frame[0] is not None)


def within_default(trail: list[Any]) -> bool:
    """Whether a fold stands inside a default object of a class, which each owner has for itself."""
    return any(kind and kind.owned is not None and keys[n] in kind.owned(x) for x, kind, keys, _, n, _ in trail)


def walk(root: Any, *, kinds: dict[type, Kind | None] = KINDS) -> Iterator[tuple[Steps, Any]]:
    """Give `(steps, value)` for all that a tree holds, the root first, each node once.

    Raises:
        CycleError: A container holds itself.
        DepthError: More than `MAX_DEPTH` containers within each other.
    """
    yield (), root
    kind = kind_of(type(root), kinds)
    if kind is None:
        return
    keys, values = kind.items(root)
    opened = {id(root)}
    stack: list[Any] = [(root, (), iter(zip(keys, values, strict=True)), kind, {id(root)}, 0 if kind.link else 1)]
    while stack:
        x, steps, items, kind, seen, depth = stack[-1]
        for key, value in items:
            path = (*steps, key)
            inner = kind_of(type(value), kinds)
            if inner is None:
                yield path, value
                continue
            if id(value) in opened:
                raise CycleError(_cycle_fault(path, next(frame[1] for frame in stack if frame[0] is value)))
            if kind.owned is not None and key in kind.owned(x):
                seen = set()
            if inner.once:
                if id(value) in seen:
                    if inner.link:
                        yield path, value
                    continue
                seen.add(id(value))
            if depth >= MAX_DEPTH and not inner.link:
                raise DepthError(_depth_fault(path))
            yield path, value
            opened.add(id(value))
            keys, values = inner.items(value)
            depth = 0 if inner.link else depth + 1
            stack.append((value, path, iter(zip(keys, values, strict=True)), inner, seen, depth))
            break
        else:
            opened.discard(id(x))
            stack.pop()


def is_enum(x: Any) -> bool:
    """Whether a value is a member of an Enum, without importing enum."""
    enum = sys.modules.get("enum")
    return enum is not None and isinstance(x, enum.Enum)


def _cycle(stack: list[Any], value: Any) -> CycleError:
    first = next(n for n, frame in enumerate(stack) if frame[3][frame[4]] is value or frame[0] is value)
    outer = stack[: first + (stack[first][0] is not value)]
    return CycleError(_cycle_fault(steps_of(stack), steps_of(outer)))


def _cycle_fault(inner: Steps, outer: Steps) -> Fault:
    holder = format_path(outer) or "the whole spec"
    return Fault(
        format_path(inner),
        f"leads back to {holder}, which holds it",
        advice=["a spec is a tree: hold a copy(...) or a reference to a value inside"],
    )


def _too_deep(stack: list[Any]) -> DepthError:
    return DepthError(_depth_fault(steps_of(stack)))


def _depth_fault(steps: Steps) -> Fault:
    text = format_path(steps)
    shown = text if len(text) <= 40 else text[:28] + "…" + text[-11:]
    return Fault(shown, f"is nested more than {MAX_DEPTH} levels deep")
