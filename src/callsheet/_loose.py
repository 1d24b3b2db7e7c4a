"""Nodes that only references reach: which of them come along when a spec is made anew."""

from __future__ import annotations

from ._ref import Positions, Ref
from ._steps import operands_of
from ._tree import kind_of
from ._written import WRITTEN, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from typing import Any


def leading_back(refs: Iterable[Ref], taken: Container[int], changed: Container[int] = ()) -> list[Any]:
    """The nodes that only references reach and that lead to what is made anew, through any number of references.

    What such a node holds is made anew with it; so whatever else leads there comes along too.

    Args:
        refs: The references of what is made anew.
        taken: The ids of what is made anew; that of None, if references get a root which have none.
        changed: The ids of what comes along wherever it leads.
    """
    todo: list[Any] = []
    bases: dict[int, Any] = {}
    for ref in refs:
        _follow(ref, taken, todo, bases)
    held: dict[int, list[Any]] = {}
    users: dict[int, list[Any]] = {}
    back: list[Any] = []
    while todo:
        x = todo.pop()
        if id(x) in held:
            continue
        inner = held[id(x)] = _held(x)
        todo += [value for value in inner if id(value) not in taken]
        if type(x) is Ref:
            _follow(x, taken, todo, bases)
            inner = [*inner, *_led_to(x)]
        for value in inner:
            users.setdefault(id(value), []).append(x)
        back += [value for value in inner if id(value) in taken]
        if id(x) in changed:
            back.append(x)
    found: set[int] = set()
    while back:
        x = back.pop()
        if id(x) not in found:
            found.add(id(x))
            back += users.get(id(x), ())
            back += held.get(id(x), ())
    return [base for base in bases.values() if id(base) in found]


def _follow(ref: Ref, taken: Container[int], todo: list[Any], bases: dict[int, Any]) -> None:
    """Note the node that a reference leads to, unless it is made anew already."""
    base = ref.__base__
    if type(base) not in WRITTEN and kind_of(type(base)) is not None and id(base) not in taken:
        todo.append(base)
        bases[id(base)] = base


def _held(x: Any) -> list[Any]:
    """The containers and references that one holds; a default object is its owner's alone."""
    if type(x) is Ref:
        return [value for value in operands_of(x.__steps__) if kind_of(type(value)) is not None]
    kind = kind_of(type(x))
    assert kind is not None
    own = kind.owned(x) if kind.owned is not None else ()
    return [v for key, v in zip(*kind.items(x), strict=True) if kind_of(type(v)) is not None and key not in own]


def _led_to(ref: Ref) -> Iterator[Any]:
    """The node that a reference leads to, or what the paths in its text start in."""
    if type(ref.__base__) not in WRITTEN:
        yield ref.__base__
        return
    for part in inside(ref):
        root = part.__root__
        yield root.call if type(root) is Positions else root
