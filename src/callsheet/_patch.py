"""Changes applied: a spec as it is with them, made in one pass, where all of them fit."""

from __future__ import annotations

from _collections_abc import Iterable
from typing import Any, TypeVar

from ._bind import bind_all, loosen
from ._changes import Change, Changes, Same, Steps, label_of, steps_to, value_text
from ._equal import default_keys, equal, key_label
from ._items import CALLS, LISTS, MAPPINGS, check_names, given_itself, origin_of
from ._loose import leading_back
from ._origin import Origin
from ._ref import Ref, moved, operand_items, remake_operands
from ._spec import Partial, described, given, new_call, plain_class
from ._tree import ATOMS, ENTER, KINDS, TARGET, Kind, fold, kind_of, walk, within_default
from .errors import ArgumentError, Fault, PatchError

S = TypeVar("S")

_raw = object.__getattribute__
_set = object.__setattr__
_ABSENT = object()
_MARKED = {**KINDS, Same: None}
_SEQUENCES = ("list", "tuple")


def patch(spec: S, changes: Iterable[Change]) -> S:
    """A spec with changes applied: `patch(a, diff(a, b))` equals `b`.

    Args:
        spec: Any spec; it stays as it was. It may be another than the one that the changes were told of, where it
            holds what they change.
        changes: What `diff` gave, or what `load` read of it from a file.

    Returns:
        A new spec. Sharing is kept; what was changed has the origin that the change tells.

    Raises:
        PatchError: A change does not fit; `faults` has for each what it expected and what was found.
        CycleError: The spec would contain itself.

    >>> from callsheet import diff
    >>> changes = diff({"lr": 0.1, "seed": 0}, {"lr": 0.2, "seed": 0})
    >>> patch({"lr": 0.1, "seed": 7}, changes)
    {'lr': 0.2, 'seed': 7}
    """
    return _Patch(given(spec), Changes(changes)).made()  # type: ignore[no-any-return]


class _Edits:
    """What happens to one container."""

    __slots__ = ("added", "changed", "inner", "removed")

    def __init__(self) -> None:
        self.changed: dict[Any, Change] = {}  # by the label of the key
        self.removed: set[Any] = set()
        self.added: list[tuple[Any, Change]] = []
        self.inner: dict[Any, _Edits] = {}  # of dicts, lists and tuples in it, which are no nodes


class _Part:
    """A dict, list or tuple at a place where something happens to it; it may stand at other places too."""

    __slots__ = ("edits", "x")

    def __init__(self, x: Any, edits: _Edits) -> None:
        self.x = x
        self.edits = edits


class _Slot:
    """What stands under a key in the end: the value, the key that it had, and the change that set it."""

    __slots__ = ("change", "key", "old", "value")

    def __init__(self, key: Any, value: Any, old: Any, change: Change | None = None) -> None:
        self.key = key
        self.value = value
        self.old = old
        self.change = change


class _Patch:
    def __init__(self, spec: Any, changes: Changes) -> None:
        self.spec = spec
        self.changes = changes
        self.faults: list[Fault] = []
        self.of_node: dict[int, _Edits] = {}
        self.of_root = _Edits()
        self.whole: Change | None = None
        self.known: dict[int, dict[Any, Any]] = {}  # by the id of a container, its values by the labels of their keys
        self.fresh = {id(x) for c in changes for _, x in walk(c.now) if kind_of(type(x)) is not None}
        self.nodes: dict[int, Any] = {}  # by the id of a node, what became of it
        self.before: frozenset[int] = frozenset()  # ids of the nodes that are made already
        self.slots: dict[int, list[_Slot]] = {}
        self.refs: list[tuple[Ref, bool]] = []

    def made(self) -> Any:
        self._plan()
        if self.faults:
            raise PatchError(*self.faults)
        trail: list[Any] = []
        start = self.spec if self.whole is None else self.whole.now
        kind = kind_of(type(start))
        if self.whole is None and kind is not None and not kind.node:
            start = _Part(start, self.of_root)

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            return self._remade(x, kind, keys, values, noted=not within_default(trail))

        found = fold(start, make, kinds=_Table(self), trail=trail)
        if self.faults:
            raise PatchError(*self.faults)
        taken = {*self.nodes, *map(id, self.nodes.values()), *map(id, (self.spec, None))}
        around = leading_back([ref for ref, _ in self.refs], taken)
        if around:
            self.before = frozenset(self.nodes)
            fold(around, make, kinds=_Table(self), trail=trail)
        for ref, fresh in self.refs:
            moved(ref, lambda old, fresh=fresh: self._moved(old, found, fresh))  # type: ignore[misc]
            loosen(ref)
        bind_all(found, error=PatchError)
        return found

    def _moved(self, old: Any, root: Any, fresh: bool) -> Any:
        return root if old is self.spec or (old is None and fresh) else self.nodes.get(id(old), old)

    # --- where each change belongs, and whether it fits ---------------------------------------------------------------

    def _plan(self) -> None:
        sequences: dict[int, tuple[Any, _Edits, Change]] = {}
        for change in self.changes:
            steps = steps_to(change)
            if not steps:
                self.whole = change
                self._fits(change, self.spec)
                continue
            place = self._place(steps[:-1])
            if place is None:
                self._fault(change, _ABSENT)
                continue
            x, edits = place
            label = _label(x, steps[-1])
            if change.kind == "added" and _is_position(x, label):
                edits.added.append((steps[-1], change))
                sequences.setdefault(id(edits), (x, edits, change))
                continue
            found = self._values(x).get(label, _ABSENT)
            if not self._fits(change, found):
                continue
            if change.kind == "added":
                edits.added.append((steps[-1], change))
            elif change.kind == "removed":
                edits.removed.add(label)
            else:
                edits.changed[label] = change
        for x, edits, change in sequences.values():
            self._check_length(x, edits, change)

    def _meant(self, same: Same) -> Any:
        """The node of the spec that a `Same` stands for; a text that no spec holds where there is none."""
        x = self.spec
        for step in steps_to(same):
            x = self._values(x).get(_label(x, step), _ABSENT) if x is not _ABSENT else x
        if x is _ABSENT:
            self.faults.append(Fault(label_of(steps_to(same)), "is not there, and a change refers to it"))
        return x

    def _place(self, steps: Steps) -> tuple[Any, _Edits] | None:
        """The container at a place, with what happens to it there."""
        x, edits = self.spec, self.of_root
        label: Any = None
        for n in range(len(steps) + 1):
            if n:
                label = _label(x, steps[n - 1])
                x = self._values(x).get(label, _ABSENT)
            kind = kind_of(type(x)) if x is not _ABSENT else None
            if kind is None or kind.family == "ref":
                return None
            if kind.node:
                edits = self.of_node.setdefault(id(x), _Edits())
            elif n:
                edits = edits.inner.setdefault(label, _Edits())
        return x, edits

    def _values(self, x: Any) -> dict[Any, Any]:
        if id(x) not in self.known:
            kind = kind_of(type(x))
            keys, values = kind.items(x) if kind is not None else ([], [])
            found = {_label(x, key): value for key, value in zip(keys, values, strict=True)}
            if _is_call(x):
                found[TARGET] = _raw(described(x), "__target__")
            self.known[id(x)] = found
        return self.known[id(x)]

    def _fits(self, change: Change, found: Any) -> bool:
        if change.kind == "added":
            fits = found is _ABSENT
        else:
            fits = found is not _ABSENT and self._is(change.was, found)
        if not fits:
            self._fault(change, found)
        return fits

    def _is(self, was: Any, found: Any) -> bool:
        """Whether a value is what a change tells: equal, with the very nodes that a `Same` stands for."""
        if type(was) in ATOMS:
            return equal(was, found)
        meant: dict[int, Same] = {}

        def leaf(x: Any) -> Any:
            return meant.setdefault(id(self._meant(x)), x) if type(x) is Same else x

        expected = fold(was, _remade_alike, leaf=leaf, kinds=_MARKED)
        if meant:
            found = fold(found, _remade_alike, short=lambda x, kind: meant.get(id(x), ENTER))
        return equal(expected, found)

    def _fault(self, change: Change, found: Any) -> None:
        steps = steps_to(change)
        if change.kind != "added":
            shown = "nothing is there" if found is _ABSENT else f"found {value_text(found, steps)}"
            text = f"must be {value_text(change.was, steps)}, {shown}"
        elif found is _ABSENT:
            text = f"cannot be added: {value_text(change.now, steps)}, nothing holds it"
        else:
            text = f"nothing should be there yet, found {value_text(found, steps)}"
        self.faults.append(Fault(label_of(steps), text))

    def _check_length(self, x: Any, edits: _Edits, change: Change) -> None:
        kept = sum(type(label) is int and label not in edits.removed for label in self._values(x))
        for position, added in edits.added:
            if type(position) is int and position >= kept + len(edits.added):
                text = f"cannot be added: {value_text(added.now)}, there are only {kept} elements"
                self.faults.append(Fault(label_of(steps_to(added)), text))

    # --- made anew ----------------------------------------------------------------------------------------------------

    def items(self, x: Any, kind: Kind) -> tuple[list[Any], list[Any]]:
        """What a container holds in the end, of what is there and what the changes bring."""
        if type(x) is Same:
            return [0], [self._meant(x)]
        if type(x) is Ref:
            keys, values = operand_items(x)
            base = x.__base__
            return (["ref", *keys], [base, *values]) if id(base) in self.fresh else (keys, values)
        edits = x.edits if type(x) is _Part else self.of_node.get(id(x))
        if edits is None:
            return kind.items(x)
        slots = _edited(x.x if type(x) is _Part else x, edits)
        self.slots[id(x)] = slots
        return [slot.key for slot in slots], [slot.value for slot in slots]

    def owned(self, x: Any, kind: Kind) -> set[Any]:
        """The keys whose values are still default objects."""
        edits = self.of_node.get(id(x))
        return {*default_keys(kind, x)} - {*(edits.changed if edits is not None else ())}

    def _remade(self, x: Any, kind: Kind, keys: list[Any], values: list[Any], *, noted: bool) -> Any:
        if type(x) is Same:
            return values[0]
        if type(x) is Ref:
            follows = keys[:1] == ["ref"]
            made: Any = remake_operands(x, [], values[follows:])
            if follows:
                _set(made, "__base__", values[0])
            self.refs.append((made, id(x) in self.fresh))
            return made
        slots = self.slots.get(id(x))
        whole = x.x if type(x) is _Part else x
        if noted and id(whole) in self.before:
            return self.nodes[id(whole)]
        if slots is None:
            made = kind.remake(x, keys, values)
        elif _is_call(whole):
            made = self._call(whole, keys, values)
        else:
            known = kind_of(type(whole))
            assert known is not None
            made = known.remake(whole, keys, values)
        if slots is not None and (type(whole) in CALLS or type(whole) in MAPPINGS or type(whole) in LISTS):
            _set(made, "__origins__", _origins(whole, slots))
        if noted:
            self.nodes[id(whole)] = made
        return made

    def _call(self, call: Any, keys: list[Any], values: list[Any]) -> Any:
        args = [value for key, value in zip(keys, values, strict=True) if type(key) is int]
        named = {key: value for key, value in zip(keys, values, strict=True) if type(key) is str and key != TARGET}
        if type(call) not in CALLS:
            plain = callable(values[0]) and kind_of(type(values[0])) is None
            return type(call)(values[0], *args, **named) if plain else new_call(Partial, values[0], args, named)
        made = new_call(plain_class(call), values[0], args, named, _raw(call, "__site__"))
        _set(made, "__held__", _raw(call, "__held__"))
        if given_itself(made):
            try:
                check_names(made, named, None)
            except ArgumentError as error:
                self.faults += error.faults
        return made


class _Table(dict[type, Kind | None]):
    """Kinds whose items are what a container holds in the end."""

    def __init__(self, patch: _Patch) -> None:
        super().__init__()
        self.patch = patch
        for cls in (_Part, Same):
            self[cls] = Kind(lambda x: patch.items(x, _NO_KIND), lambda x, keys, values: x)

    def __missing__(self, cls: type) -> Kind | None:
        kind = kind_of(cls)
        if kind is None:
            self[cls] = None
            return None
        owned = None if kind.owned is None else lambda x: self.patch.owned(x, kind)
        items = lambda x: self.patch.items(x, kind)  # noqa: E731
        made = self[cls] = Kind(items, kind.remake, node=kind.node, owned=owned, family=kind.family)
        return made


_NO_KIND = Kind(lambda x: ([], []), lambda x, keys, values: x)


def _remade_alike(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    return kind.remake(x, keys, values)


def _label(x: Any, key: Any) -> Any:
    """A key as it is told apart in a container: by type and value in a dict, by itself elsewhere."""
    kind = kind_of(type(x))
    return key_label(key) if kind is not None and kind.family == "dict" else key


def _is_position(x: Any, label: Any) -> bool:
    kind = kind_of(type(x))
    return type(label) is int and kind is not None and (kind.family in _SEQUENCES or _is_call(x))


def _is_call(x: Any) -> bool:
    """Whether a value is a call, or the `functools.partial` that one stands for."""
    kind = kind_of(type(x))
    return type(x) in CALLS or (kind is not None and kind.family == "partial")


def _edited(x: Any, edits: _Edits) -> list[_Slot]:
    """The slots of a container after its edits, elements and positional arguments by their new positions."""
    kind = kind_of(type(x))
    assert kind is not None
    first: list[_Slot] = []
    kept: list[_Slot] = []
    last: list[_Slot] = []
    if _is_call(x):
        change = edits.changed.get(TARGET)
        first = [_Slot(TARGET, _raw(described(x), "__target__") if change is None else change.now, TARGET, change)]
    for key, value in zip(*kind.items(x), strict=True):
        label = _label(x, key)
        if (key == TARGET and first) or label in edits.removed:
            continue
        change = edits.changed.get(label)
        inner = edits.inner.get(label)
        new = change.now if change is not None else value if inner is None else _Part(value, inner)
        (kept if _is_position(x, key) else last).append(_Slot(key, new, key, change))
    added = sorted((added for added in edits.added if _is_position(x, added[0])), key=lambda added: added[0])
    rest, new_ones = iter(kept), iter(added)
    following = next(new_ones, None)
    placed = []
    for position in range(len(kept) + len(added)):
        if following is not None and following[0] == position:
            placed.append(_Slot(position, following[1].now, None, following[1]))
            following = next(new_ones, None)
        else:
            slot = next(rest)
            slot.key = position
            placed.append(slot)
    last += [_Slot(key, change.now, None, change) for key, change in edits.added if not _is_position(x, key)]
    return [*first, *placed, *last]


def _origins(x: Any, slots: list[_Slot]) -> dict[Any, Any]:
    before = _raw(x, "__origins__") or {}
    found: dict[Any, Any] = {}
    for slot in slots:
        change = slot.change
        if change is not None:
            replaced = (change.was, origin_of(x, slot.old)) if change.kind == "changed" else None
            found[slot.key] = Origin("python", change.now_set_by, replaced=replaced)
        elif slot.key != slot.old:
            found[slot.key] = origin_of(x, slot.old)
        elif slot.key in before:
            found[slot.key] = before[slot.key]
    return found
