"""`replace`: a spec with other values in it, in which only what leads to them is new."""

from __future__ import annotations

from ._fields import asked_beyond_fields, construct, has_fields, taken_by
from ._items import CALLS, LISTS, MAPPINGS, given_itself, raw_item, settle_step, slot_of, unknown_argument
from ._lazy import nothing_at, through
from ._path import format_path, parse_path
from ._ref import Positions, Ref, moved
from ._signature import signature_of
from ._spec import SHARING, copy, given, here, set_item
from ._tree import ENTER, Kind, fold, kind_of
from ._written import inside
from .errors import Fault, PathError, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeVar

    from ._origin import Site

    S = TypeVar("S")

_raw = object.__getattribute__


def replace(spec: S, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> S:
    """A spec like another, with other values in it; the other stays as it was.

    Only what leads to a change is new, whether it is frozen or not; all else is
    shared with the spec that was given. A node that stands at two places is
    replaced at both, and references to it lead to the new one. A dataclass on the
    way is made by its constructor, as `dataclasses.replace` does.

    Args:
        spec: A config, dataclass, call, mapping or list.
        changes: New values by path (`{"backbone.depth": 34}`), taken as they are.
            A change within what an earlier one has set is made there.
        **fields: New values of the spec's own fields or arguments.

    Raises:
        PathError: A path leads to nothing, or an argument is not taken; `faults` names each.
        SpecError: A class on the way cannot be made again from its fields.

    >>> from callsheet import lazy
    >>> replace(lazy(dict)(a=1, b=lazy(dict)(c=2)), {"b.c": 3}, a=0)
    lazy(dict)(a=0, b=lazy(dict)(c=3))
    """
    spec = given(spec)
    edits = _Edits(spec)
    faults: list[Fault] = []
    wanted: list[tuple[Any, Any]] = [(parse_path(path), value) for path, value in (changes or {}).items()]
    for steps, value in [*wanted, *(((name,), value) for name, value in fields.items())]:
        try:
            edits.add(steps, value)
        except PathError as error:
            faults += error.faults
    if faults:
        raise PathError(*faults)
    replaced: S = _Replacement(spec, edits.by_holder, here()).make()
    return replaced


class _Edits:
    """What shall stand where: by the id of a holder, by its key."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.by_holder: dict[int, dict[Any, Any]] = {}

    def add(self, steps: tuple[Any, ...], value: Any) -> None:
        holder: Any = self.spec
        for n in range(len(steps)):
            holder = through(self.spec, holder)
            key = self._key(holder, steps, n)
            if n == len(steps) - 1:
                self.by_holder.setdefault(id(holder), {})[key] = value
                return
            holder = self._below(holder, key, steps, n)

    def _below(self, holder: Any, key: Any, steps: tuple[Any, ...], n: int) -> Any:
        """What stands under a key, or shall stand there; of a class default, which others have too, a copy."""
        edited = self.by_holder.get(id(holder), {})
        if key in edited:
            return edited[key]
        try:
            found = raw_item(holder, key)
        except LookupError:
            raise PathError(nothing_at(holder, steps, n)) from None
        kind = kind_of(type(holder))
        if kind is not None and kind.owned is not None and key in kind.owned(holder):
            found = self.by_holder.setdefault(id(holder), {})[key] = copy(found)
        return found

    def _key(self, holder: Any, steps: tuple[Any, ...], n: int) -> Any:
        """The key that a step means; it must be there, or be an argument that a call takes."""
        key, cls = settle_step(holder, steps[n]), type(holder)
        kind = kind_of(cls)
        if cls in CALLS and not isinstance(key, int):
            signature = signature_of(_raw(holder, "__target__")) if given_itself(holder) else None
            if signature is not None and signature.unknown([key]):
                raise PathError(unknown_argument(key, holder, signature, "", path=format_path(steps[: n + 1])))
            slot = slot_of(holder, key)
            return key if slot is None else slot
        if isinstance(key, int) and key < 0 and (cls in LISTS or cls in (list, tuple)):
            key += len(holder)
        if kind is None or cls is Ref or key not in (keys := kind.items(holder)[0]):
            raise PathError(nothing_at(holder, steps, n))
        return keys[keys.index(key)]


class _Replacement:
    """One replacement.

    Args:
        spec: The spec as it was.
        edits: New values, by the id of the holder and by key.
        site: Who asked for it.
    """

    def __init__(self, spec: Any, edits: dict[int, dict[Any, Any]], site: Site) -> None:
        self.spec = spec
        self.edits = edits
        self.site = site
        self.memo: dict[int, Any] = {}
        self.refs: list[Ref] = []
        self.open: set[int] = set()
        self.stale = self._find_stale()

    def make(self) -> Any:
        made = self._made(self.spec)
        for ref in self.refs:
            moved(ref, lambda x: self.memo.get(id(x), x))
        return made

    def _find_stale(self) -> set[int]:
        """The ids of all containers that hold a change, or refer to what holds one."""
        stale = set(self.edits)

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            reached = values if kind.family != "ref" else [*values, *_led_to(x)]
            if any(id(value) in stale for value in reached if kind_of(type(value)) is not None):
                stale.add(id(x))
            return x

        everything = [self.spec, *(value for edit in self.edits.values() for value in edit.values())]
        known = -1
        while known < len(stale):  # a reference may stand before what it leads to
            known = len(stale)
            fold(everything, make, kinds=SHARING)
        return stale

    def _made(self, x: Any) -> Any:
        def short(x: Any, kind: Kind) -> Any:
            if id(x) not in self.stale or id(x) in self.open:
                return x
            return self.memo.get(id(x), ENTER)

        return fold(x, self._make, short=short, kinds=SHARING)

    def _make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        self.open.add(id(x))
        edit = {key: self._made(value) for key, value in self.edits.get(id(x), {}).items()}
        self.open.discard(id(x))
        cls = type(x)
        own = cls in CALLS or cls in MAPPINGS or cls in LISTS
        if not own:
            values = [edit.get(key, value) for key, value in zip(keys, values, strict=True)]
        made = self._constructed(x, keys, values) if has_fields(cls) else kind.remake(x, keys, values)
        for key, value in edit.items():
            if own:
                set_item(made, key, value, self.site)
            elif has_fields(cls) and key not in taken_by(cls):
                object.__setattr__(made, key, value)
        if kind.family == "ref":
            self.refs.append(made)
        self.memo[id(x)] = made
        return made

    def _constructed(self, x: Any, keys: list[Any], values: list[Any]) -> Any:
        asked = asked_beyond_fields(type(x))
        if asked:
            name = type(x).__qualname__
            problem = f"{name} cannot be made again from its fields: its constructor asks for {', '.join(asked)}"
            raise SpecError(Fault("", problem, advice=[f"describe it with  lazy({name})(…)"]))
        return construct(x, keys, values)


def _led_to(ref: Ref) -> Iterator[Any]:
    """What a reference starts from: a root, or the roots of those inside its text."""
    for part in inside(ref):
        root = part.__root__
        yield root.call if type(root) is Positions else root
