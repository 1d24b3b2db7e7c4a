"""What differs between two specs: they are walked side by side, each node with the one that it became."""

from __future__ import annotations

from typing import Any

from ._align import align
from ._bind import loosen
from ._changes import Change, Changes, Same, Steps, written
from ._equal import Unnamed, default_keys, head_key, key_label, leaf_key, same_leaf
from ._items import origin_of
from ._leaf import write_leaf
from ._ref import Ref, moved
from ._spec import described, given
from ._tree import ATOMS, ENTER, KINDS, TARGET, Kind, fold, kind_of, walk, within_default

_raw = object.__getattribute__
_ABSENT = object()
_CONTAINED = {**KINDS, Ref: None}

Place = tuple[Any, Any] | None
"""A holder and a key, None for the root: what origins are asked of."""
Pair = tuple[Steps, Any, Any, Place, Place]
"""A place in the first spec, what stands there in both, and where to ask for the origins of the two."""


def diff(a: Any, b: Any) -> Changes:
    """What makes `b` of `a`.

    A changed argument is one change, a target that is swapped keeps the arguments that are the same, an element
    that is inserted in a list is one change. A node that is held at several places is told once. The order of a
    dict is no difference, and neither are origins.

    Args:
        a: Any spec.
        b: Another.

    Returns:
        The changes in the order of the spec: a list, empty where `equal(a, b)`; printed, it is a table. `patch(a,
        changes)` applies them, `save` and `to_data` write them. They are no part of `a` and `b`: later edits of
        those do not reach them.

    Raises:
        CycleError: One of them contains itself.
        DepthError: One of them is nested too deeply.

    >>> diff({"lr": 0.1, "layers": [1, 2, 3]}, {"lr": 0.2, "layers": [1, 9, 2, 3]})
    lr         0.1 → 0.2
    layers[1]  + 9
    """
    return _Difference(given(a), given(b)).changes()


class _Difference:
    def __init__(self, a: Any, b: Any) -> None:
        self.a = a
        self.b = b
        self.partner: dict[int, Any] = {}  # id of a node of `a` -> its node of `b`
        self.back: dict[int, Any] = {}
        self.place: dict[int, Steps] = {}  # id of a node of `a` that has a partner -> where it is
        self.found: list[tuple[int, bool, bool, Pair]] = []  # number, which of the two shares with nothing, what
        self.later: list[tuple[int, bool, bool, Pair]] = []
        self.todo: list[Pair] = []
        self.apart: set[tuple[int, int]] = set()
        self.held: dict[int, dict[int, int]] = {}
        self.keys = _Keys()

    def changes(self) -> Changes:
        for whole in (self.a, self.b):
            for _ in walk(whole):  # names a cycle, or a depth that no verb follows
                pass
        self.todo.append(((), self.a, self.b, None, None))
        number = 0
        while self.todo:
            number += 1
            self._compare(number, self.todo.pop())
        # What references lead to is told where it is contained: they wait until its nodes have found each other.
        for n, fresh, other, pair in self.later:
            if not self._agree(pair, fresh, other):
                self.found.append((n, fresh, other, pair))
        self.found.sort(key=lambda found: found[0])
        return self._told()

    def _compare(self, number: int, pair: Pair) -> None:
        steps, x, y, _, _ = pair
        kind = kind_of(type(x)) if x is not _ABSENT else None
        other = kind_of(type(y)) if y is not _ABSENT else None
        if kind is None or other is None:
            if kind is not other or x is _ABSENT or y is _ABSENT or not same_leaf(x, y):
                self.found.append((number, False, False, pair))
        elif kind.family == other.family == "ref":
            self.later.append((number, False, False, pair))
        elif kind.node and (id(x) in self.partner or id(y) in self.back):
            if self.partner.get(id(x)) is not y or self.back.get(id(y)) is not x:
                self.found.append((number, False, False, pair))
        elif kind.family != other.family or (kind.family == "fields" and not self._same_fields(x, y, kind, other)):
            self.found.append((number, False, False, pair))
        else:
            if kind.node:
                self._match(x, y, steps)
            before = len(self.todo)
            self._enter(number, pair, kind, other)
            self.todo[before:] = reversed(self.todo[before:])

    def _match(self, x: Any, y: Any, steps: Steps) -> None:
        self.partner[id(x)], self.back[id(y)] = y, x
        self.place[id(x)] = steps

    def _enter(self, number: int, pair: Pair, kind: Kind, other: Kind) -> None:
        steps, x, y, _, _ = pair
        if kind.family in ("call", "partial"):
            x, y = described(x), described(y)
            target, target_y = _raw(x, "__target__"), _raw(y, "__target__")
            spec = kind_of(type(target)) is not None or kind_of(type(target_y)) is not None
            if spec or not self.keys.same(target, target_y):
                self.todo.append(((*steps, TARGET), target, target_y, (x, TARGET), (y, TARGET)))
            self._sequence(steps, x, y, _raw(x, "__args__"), _raw(y, "__args__"))
            self._named(number, pair, (_raw(x, "__dict__"), _raw(y, "__dict__")))
            return
        (keys, values), (keys_y, values_y) = kind.items(x), other.items(y)
        if kind.family in ("list", "tuple"):
            self._sequence(steps, x, y, values, values_y)
            return
        items = dict(zip(map(key_label, keys), values, strict=True))
        items_y = dict(zip(map(key_label, keys_y), values_y, strict=True))
        own = {*default_keys(kind, x)}, {*default_keys(other, y)}
        self._named(number, pair, (items, items_y), (keys, keys_y), own)

    def _named(
        self,
        number: int,
        pair: Pair,
        items: tuple[dict[Any, Any], dict[Any, Any]],
        keys: tuple[list[Any], list[Any]] | None = None,
        own: tuple[set[Any], set[Any]] = (set(), set()),
    ) -> None:
        """Pair the items of two dicts by the labels of their keys."""
        steps, x, y, _, _ = pair
        mine, theirs = items
        told, told_y = keys or ([*mine], [*theirs])
        key_of = dict(zip(theirs, told_y, strict=True))
        for key, (label, value) in zip(told, mine.items(), strict=True):
            new = theirs.get(label, _ABSENT)
            if type(value) in ATOMS and type(value) is type(new) and value == new:
                continue
            inner: Pair = ((*steps, key), value, new, (x, key), (y, key_of.get(label)))
            fresh, other = label in own[0], label in own[1]
            if fresh or other:
                self.later.append((number, fresh, other, inner))
            else:
                self.todo.append(inner)
        for label, value in theirs.items():
            if label not in mine:
                self.todo.append(((*steps, key_of[label]), _ABSENT, value, None, (y, key_of[label])))

    def _sequence(self, steps: Steps, x: Any, y: Any, values: list[Any], values_y: list[Any]) -> None:
        types = [*map(type, values)]
        if ATOMS.issuperset(types) and types == [*map(type, values_y)] and values == values_y:
            return
        strict = self.keys.of(values), self.keys.of(values_y)
        loose = [*map(self.keys.loosely, values)], [*map(self.keys.loosely, values_y)]
        for i, j in align(strict, loose):
            if i is None:
                self.todo.append(((*steps, j), _ABSENT, values_y[j], None, (y, j)))  # type: ignore[index]
            else:
                new, there = (_ABSENT, None) if j is None else (values_y[j], (y, j))
                self.todo.append(((*steps, i), values[i], new, (x, i), there))

    def _agree(self, pair: Pair, fresh: bool, other: bool) -> bool:
        """Whether two values are equal when nodes count as the same that found each other; if so, theirs do too.

        Args:
            pair: The values.
            fresh: Whether the first is a default object, which shares with nothing.
            other: Whether the second is one.
        """
        steps, x, y, _, _ = pair
        ends = (id(x.__base__), id(y.__base__)) if type(x) is Ref else (id(x), id(y))
        if ends in self.apart:
            return False
        inside = (*steps, "ref") if type(x) is Ref else steps
        undo: list[tuple[dict[int, Any], int]] = []
        if fresh is not other and not self._is_alone(x, y, fresh):
            return False
        todo = [(steps, x, y, {}, {}) if fresh or other else (steps, x, y, self.partner, self.back)]
        while todo:
            at = todo.pop()
            if not self._agree_here(at, todo, undo):
                for known, key in undo:
                    del known[key]
                if at[0][: len(inside)] == inside:
                    self.apart.add(ends)
                return False
        return True

    def _agree_here(self, at: Any, todo: list[Any], undo: list[tuple[dict[int, Any], int]]) -> bool:
        steps, x, y, partner, back = at
        kind, other = kind_of(type(x)), kind_of(type(y))
        if kind is None or other is None:
            return kind is other and same_leaf(x, y)
        if kind.family != other.family:
            return False
        if kind.node:
            if id(x) in partner or id(y) in back:
                return partner.get(id(x)) is y and back.get(id(y)) is x
            partner[id(x)], back[id(y)] = y, x
            undo += [(partner, id(x)), (back, id(y))]
            if partner is self.partner:
                self.place[id(x)] = steps
        if kind.family not in ("dict", "list", "tuple"):
            head, head_y = kind.head(x), other.head(y)
            if kind_of(type(head)) is None and not self.keys.same(head, head_y):
                return False
        keys, values = kind.items(x)
        keys_y, values_y = other.items(y)
        items = dict(zip(map(key_label, keys_y), values_y, strict=True))
        if len(keys) != len(items) or any(key_label(key) not in items for key in keys):
            return False
        mine, theirs = default_keys(kind, x), default_keys(other, y)
        for key, value in zip(keys, values, strict=True):
            new, fresh, new_fresh = items[key_label(key)], key in mine, key in theirs
            if fresh is not new_fresh and not self._is_alone(value, new, fresh):
                return False
            scopes = ({}, {}) if fresh or new_fresh else (partner, back)
            todo.append(((*steps, key), value, new, *scopes))
        return True

    def _is_alone(self, x: Any, y: Any, fresh: bool) -> bool:
        """Whether the one of two values that is no default object shares with nothing either."""
        return self._alone(y, self.b) if fresh else self._alone(x, self.a)

    def _same_fields(self, x: Any, y: Any, kind: Kind, other: Kind) -> bool:
        """Whether two instances are of one class, by name, and have the same fields."""
        return self.keys.same(kind.head(x), other.head(y)) and {*kind.items(x)[0]} == {*other.items(y)[0]}

    def _alone(self, x: Any, whole: Any) -> bool:
        """Whether no node in a value is held outside of it too."""
        if id(whole) not in self.held:
            self.held[id(whole)] = _held(whole)
        inside = _held((x,))
        return all(self.held[id(whole)].get(key) == count for key, count in inside.items())

    # --- told ---------------------------------------------------------------------------------------------------------

    def _told(self) -> Changes:
        was = self._snapshots([(alone, pair[1]) for _, alone, _, pair in self.found], self.partner, self.a)
        now = self._snapshots([(alone, pair[2]) for _, _, alone, pair in self.found], self.back, self.b)
        return Changes([_change(found[3], x, y) for found, x, y in zip(self.found, was, now, strict=True)])

    def _snapshots(self, values: list[tuple[bool, Any]], matched: dict[int, Any], root: Any) -> list[Any]:
        """Copies of values in which nodes that found each other are a `Same`; other nodes stay one in all of them."""
        trail: list[Any] = []

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            if kind.node and id(x) in matched and not within_default(trail):
                node = x if matched is self.partner else matched[id(x)]
                return Same(**written(self.place[id(node)]))
            made = kind.remake(x, keys, values)
            if type(made) is Ref:
                moved(made, lambda bound: None if bound is root else bound)
                loosen(made)
            return made

        shared = fold([value for alone, value in values if not alone], make, trail=trail)
        rest = iter(shared)
        return [fold(value, make) if alone else next(rest) for alone, value in values]


def _change(pair: Pair, was: Any, now: Any) -> Change:
    steps, _, _, was_at, now_at = pair
    if was is _ABSENT:
        return Change(kind="added", now=now, now_set_by=_set_by(now_at), **written(steps))
    if now is _ABSENT:
        return Change(kind="removed", was=was, was_set_by=_set_by(was_at), **written(steps))
    told = _set_by(was_at), _set_by(now_at)
    return Change(kind="changed", was=was, now=now, was_set_by=told[0], now_set_by=told[1], **written(steps))


def _set_by(place: Place) -> str:
    return origin_of(*place).where if place is not None else ""


def _held(whole: Any) -> dict[int, int]:
    """How many slots hold each node; default objects, which each owner has for itself, do not count."""
    found: dict[int, int] = {}
    for _, x in walk(whole):
        kind = kind_of(type(x))
        if kind is None:
            continue
        own = default_keys(kind, x)
        for key, value in zip(*kind.items(x), strict=True):
            inner = kind_of(type(value))
            if inner is not None and inner.node and key not in own:
                found[id(value)] = found.get(id(value), 0) + 1
    return found


class _Keys:
    """What tells values apart, looked up once for each: of a container a number that is the same for equal ones."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[int]] = {}
        self.heads: dict[int, Any] = {}
        self.alive: list[Any] = []  # an id is one thing only as long as that lives

    def head(self, head: Any) -> Any:
        """A target or class, so that `==` compares it by name."""
        if id(head) not in self.heads:
            self.alive.append(head)
            self.heads[id(head)] = head_key(head)
        return self.heads[id(head)]

    def same(self, head: Any, other: Any) -> bool:
        """Whether two targets or classes are the same by name."""
        return head is other or bool(self.head(head) == self.head(other))

    def loosely(self, x: Any) -> Any:
        """What values have in common of which one may have become the other."""
        kind = kind_of(type(x))
        if kind is None:
            return type(x)
        head = kind.head(x) if kind.family not in ("dict", "list", "tuple", "ref") else None
        return kind.family, None if kind_of(type(head)) is not None else repr(self.head(head))

    def of(self, values: list[Any]) -> list[Any]:
        """A number for each of some values, the same for equal ones; sharing does not count."""
        return [
            _leaf_hash(x)
            if type(x) in ATOMS
            else fold(x, self._make, leaf=_hashed, short=lambda x, kind: self.known.get(id(x), ENTER), kinds=_CONTAINED)
            for x in values
        ]

    def _make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> tuple[int]:
        hashes = [_leaf_hash(value) if type(value) in ATOMS else value for value in values]
        if kind.family in ("list", "tuple"):
            made = hash((kind.family, *hashes))
        else:
            items = frozenset(zip(map(key_label, keys), hashes, strict=True))
            made = hash((self.loosely(x), items))
        self.alive.append(x)
        known = self.known[id(x)] = (made,)
        return known


def _hashed(x: Any) -> tuple[int]:
    return (_leaf_hash(x),)


def _leaf_hash(x: Any) -> int:
    cls = type(x)
    if cls in ATOMS:
        return hash((cls, x if x == x else "nan"))
    if cls is Ref:
        return hash(KINDS[Ref].head(x))  # type: ignore[union-attr]
    told = write_leaf(x)
    if told is not None:
        return hash(repr(leaf_key(told)))
    key = head_key(x)
    return hash(key) if type(key) is Unnamed else id(x)
