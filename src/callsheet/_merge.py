"""Specs laid over each other: what a later one says wins, and what it does not say stays."""

from __future__ import annotations

from _collections_abc import Iterator

from ._bind import bind_all, loosen
from ._equal import default_keys, equal, head_key
from ._items import CALLS, MAPPINGS, given_itself, origin_of
from ._lazy import through
from ._leaf import MISSING
from ._loose import leading_back
from ._origin import Origin
from ._ref import Ref, moved, operand_items, remake_operands
from ._signature import signature_of
from ._spec import attach, copy, new_call, plain_class
from ._tree import TARGET, Kind, fold, kind_of, walk, within_default
from .errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_raw = object.__getattribute__
_set = object.__setattr__


def merge(first: Any, /, *others: Any) -> Any:
    """Compose specs: the values of later ones on those of the first.

    Mappings and dicts are merged key by key, calls of the same target and dataclasses of the same class argument by
    argument, at any depth. Whatever else meets is replaced: another target, a list, a tuple, a leaf. What a later
    spec leaves out or has as `MISSING` stays as it was. A node that is merged or replaced is so for every place that
    holds it and every reference to it, in both.

    Args:
        first: Any spec.
        others: What is laid over it, in this order.

    Returns:
        A new spec; none of the given ones is changed. References in all of them start in it.

    Raises:
        CycleError: One of them contains itself, or the result would.
        SpecError: A relative reference would stand where it means two things.

    >>> merge({"optim": {"lr": 0.1, "steps": 5}}, {"optim": {"lr": 0.2}, "seed": 1})
    {'optim': {'lr': 0.2, 'steps': 5}, 'seed': 1}
    """
    made = attach(first)
    for other in others or ({},):
        made = _Merge(made, attach(other)).made()
    return made


class _Merge:
    """Two specs, and what of the second lands where in the first."""

    def __init__(self, a: Any, b: Any) -> None:
        self.a = a
        self.b = b
        # By the id of a container of `a`, for each key what is said of it, and where `b` says it.
        self.over: dict[int, dict[Any, tuple[Any, tuple[Any, Any]]]] = {}
        self.image: dict[int, Any] = {}  # id of a node of `b` -> the node of `a` that it is merged into
        self.displaced: dict[int, Any] = {}  # id of a node of `a` -> what stands in its place
        self.merged: set[int] = set()
        self.nodes: dict[int, Any] = {}
        self.before: frozenset[int] = frozenset()  # ids of the nodes that are made already
        self.refs: list[Ref] = []

    def made(self) -> Any:
        for whole in (self.a, self.b):
            for _ in walk(whole):  # names a cycle, or a depth that no verb follows
                pass
        start = self.a if self._lay(self.a, self.b) else self.b
        trail: list[Any] = []

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            return self._remade(x, kind, keys, values, default=within_default(trail))

        found = fold(self._settled(start), make, kinds=_Table(self), trail=trail)
        taken = {*self.nodes, *self.displaced, *self.image, *map(id, (self.a, self.b, None))}
        around = leading_back(self.refs, taken, self.over)
        if around:
            self.before = frozenset(self.nodes)
            fold(around, make, kinds=_Table(self), trail=trail)
        for ref in self.refs:
            moved(ref, lambda old: self._moved(old, found))
            loosen(ref)
        bind_all(found, error=SpecError)
        return found

    def _moved(self, old: Any, root: Any) -> Any:
        if old is None or old is self.a or old is self.b:
            return root
        settled = self._settled(old)
        return self.nodes.get(id(settled), settled)

    # --- what lands where ---------------------------------------------------------------------------------------------

    def _lay(self, x: Any, y: Any) -> bool:
        """Lay `y` on `x`, and all that it holds on what that holds; whether they can be merged."""
        if y is MISSING or not _mergeable(x, y):
            return y is MISSING
        self._meet(x, y)
        todo = [(x, y)]
        while todo:
            at, new = todo.pop()
            if at is not new:
                todo += reversed([*self._slots(at, new)])
        return True

    def _meet(self, x: Any, y: Any) -> None:
        kind = kind_of(type(x))
        if kind is not None and kind.node:
            self.image[id(y)] = x
            self.merged.add(id(x))

    def _slots(self, x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
        """Note what `y` says for each key of `x`; give what has to be merged further."""
        over = self.over.setdefault(id(x), {})
        mine = _items(x)
        kind = kind_of(type(x))
        own = default_keys(kind, x) if kind is not None else ()
        for label, new in _items(y).items():
            key = _key_in(x, y, label)
            if key not in mine:
                over[key] = new, (y, label)
            if key not in mine or new is MISSING or key == TARGET:
                continue
            old = mine[key]
            met = self._behind(old) if type(old) is Ref and kind_of(type(new)) is not None else old
            if _mergeable(met, new) and id(met) not in self.displaced and id(new) not in self.image:
                if key in own:  # each owner has a default object for itself
                    met = copy(old)
                    over[key] = met, (y, label)
                self._meet(met, new)
                yield met, new
                continue
            over[key] = new, (y, label)
            inner = kind_of(type(old))
            if inner is not None and inner.node and key not in own and id(old) not in self.merged:
                self.displaced.setdefault(id(old), new)

    def _behind(self, ref: Any) -> Any:
        """What a path that leads through a reference goes on in."""
        try:
            return through(self.a, ref)
        except LookupError:
            return ref  # it leads nowhere, as `check` will say

    def _settled(self, x: Any) -> Any:
        """What stands in the place of a value: what came for it, or what it was merged into."""
        x = self.displaced.get(id(x), x)
        return self.image.get(id(x), x)

    # --- made anew ----------------------------------------------------------------------------------------------------

    def items(self, x: Any, kind: Kind) -> tuple[list[Any], list[Any]]:
        """What a container holds in the end."""
        keys, values = kind.items(x)
        over = self.over.get(id(x))
        if over:
            both = {**dict(zip(keys, values, strict=True)), **{key: value for key, (value, _) in over.items()}}
            keys = [*both]
            if type(x) in CALLS:  # its target, then what is positional
                keys.sort(key=lambda key: (key != TARGET, type(key) is not int))
            values = [both[key] for key in keys]
        return keys, [self._settled(value) for value in values]

    def owned(self, x: Any, kind: Kind) -> set[Any]:
        """The keys whose values are still default objects."""
        return {*default_keys(kind, x)} - {*self.over.get(id(x), ())}

    def _remade(self, x: Any, kind: Kind, keys: list[Any], values: list[Any], *, default: bool) -> Any:
        if id(x) in self.before and not default:
            return self.nodes[id(x)]
        if type(x) is Ref:
            made: Any = remake_operands(x, keys, values)
            self.refs.append(made)
            return made
        over = self.over.get(id(x))
        if over and type(x) in CALLS:
            start = keys[:1] == [TARGET]
            stop = sum(type(key) is int for key in keys) + start
            target = values[0] if start else _raw(x, "__target__")
            named = dict(zip(keys[stop:], values[stop:], strict=True))
            made = new_call(plain_class(x), target, values[start:stop], named, _raw(x, "__site__"))
            _set(made, "__held__", _OFTEN)
        else:
            made = kind.remake(x, keys, values)
        if over and (type(x) in CALLS or type(x) in MAPPINGS):
            _set(made, "__origins__", self._origins(x, over))
        if not default:
            self.nodes[id(x)] = made
        return made

    def _origins(self, x: Any, over: dict[Any, tuple[Any, tuple[Any, Any]]]) -> dict[Any, Any]:
        found = dict(_raw(x, "__origins__") or {})
        mine = _items(x)
        for key, (_, place) in over.items():
            told = origin_of(*place)
            replaced = (mine[key], origin_of(x, key)) if key in mine else None
            found[key] = Origin(told.kind, told.where, told.text, replaced)
        return found


_OFTEN = 2
"""What a call that may be held at several places says of itself."""


class _Table(dict):  # type: ignore[type-arg]
    """Kinds whose items are what a container holds in the end; one dict at two places stays one, as in `copy`."""

    def __init__(self, merging: _Merge) -> None:
        super().__init__()
        self.merging = merging
        self[Ref] = Kind(operand_items, remake_operands, family="ref")

    def __missing__(self, cls: type) -> Kind | None:
        kind = kind_of(cls)
        if kind is None:
            self[cls] = None
            return None
        items = lambda x: self.merging.items(x, kind)  # noqa: E731
        owned = None if kind.owned is None else lambda x: self.merging.owned(x, kind)
        node = kind.node or kind.family in ("dict", "list")
        made = self[cls] = Kind(items, kind.remake, node=node, owned=owned, family=kind.family)
        return made


def _mergeable(x: Any, y: Any) -> bool:
    """Whether two values are the same in all but what they hold by name."""
    kind, other = kind_of(type(x)), kind_of(type(y))
    if kind is None or other is None or kind.family != other.family or kind.family not in _MERGED:
        return False
    if kind.family == "dict":
        return True
    if type(x) in CALLS and type(y) in CALLS:
        target, target_y = _raw(x, "__target__"), _raw(y, "__target__")
        if kind_of(type(target)) is not None or kind_of(type(target_y)) is not None:
            return equal(target, target_y)
    same = head_key(kind.head(x)) == head_key(other.head(y))
    return bool(same) and (type(x) in CALLS or _items(y).keys() <= _items(x).keys())


_MERGED = ("dict", "call", "partial", "fields")


def _items(x: Any) -> dict[Any, Any]:
    kind = kind_of(type(x))
    assert kind is not None
    return dict(zip(*kind.items(x), strict=True))


def _key_in(x: Any, y: Any, key: Any) -> Any:
    """The key under which a call holds what another of the same target has under a key: a name, or its position."""
    if type(x) not in CALLS or not given_itself(x) or key == TARGET:
        return key
    signature = signature_of(_raw(x, "__target__"))
    if signature is None:
        return key
    positions = len(_raw(x, "__args__"))
    if type(key) is int:
        new = signature.slots[positions : len(_raw(y, "__args__"))]
        by_name = any(slot.name in _raw(x, "__dict__") for slot in new)
        return signature.slots[key].name if by_name and positions <= key < len(signature.slots) else key
    slot = signature.slot_of(key)
    return slot if slot is not None and slot < positions else key
