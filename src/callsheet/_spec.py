"""The spec: calls that have not happened yet, the mappings and lists that hold them, and what is asked of them."""

from __future__ import annotations

import sys
from _collections_abc import Iterator, MutableMapping

from ._configfile import PREFIX
from ._equal import equal
from ._instances import refuse_use
from ._items import (
    CALLS,
    DEFERRED,
    LISTS,
    MAPPINGS,
    check_names,
    field_origins,
    given_itself,
    label_of,
    raw_item,
    slot_of,
    target_text,
)
from ._layout import layout, layout_names
from ._origin import Origin
from ._read import read
from ._ref import Ref, like, moved, operand_items, remake_operands
from ._reftext import parse_text
from ._target import name_of
from ._tree import ATOMS, ENTER, KINDS, STANDARD, TARGET, Kind, dict_form, fold, kind_of, list_form, within_default
from .errors import Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self, TypeVar

    from ._origin import Site

    S = TypeVar("S")

_raw = object.__getattribute__
_set = object.__setattr__


class Call:
    """A call that has not happened yet. Its attributes and items are its arguments, and nothing else.

    Made by `lazy(T)(...)`. Positional arguments are the items `0`, `1`, …;
    whatever else one does with a call is a function of this package: `target`,
    `arguments`, `get`, `build`, `copy`, ….
    """

    __slots__ = ("__args__", "__dict__", "__held__", "__origins__", "__site__", "__target__", "__weakref__")

    __args__: list[Any]
    __held__: int
    __origins__: dict[Any, Origin] | None
    __site__: Site | None
    __target__: Any

    def __setattr__(self, name: str, value: Any) -> None:
        set_item(self, name, value, here())

    def __setitem__(self, key: str | int, value: Any) -> None:
        set_item(self, key, value, here())

    def __getitem__(self, key: str | int) -> Any:
        return read(raw_item(self, key))

    def __delattr__(self, name: str) -> None:
        delete_item(self, name)

    def __delitem__(self, key: str | int) -> None:
        delete_item(self, key)

    def __contains__(self, key: object) -> bool:
        return slot_of(self, key) is not None or key in _raw(self, "__dict__")

    def __iter__(self) -> Iterator[str | int]:
        yield from range(len(_raw(self, "__args__")))
        yield from _raw(self, "__dict__")

    def __len__(self) -> int:
        return len(_raw(self, "__args__")) + len(_raw(self, "__dict__"))

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return layout(self)

    def __dir__(self) -> list[str]:
        return [key for key in _raw(self, "__dict__") if isinstance(key, str)]

    def __copy__(self) -> Any:
        args, kwargs = list(_raw(self, "__args__")), dict(_raw(self, "__dict__"))
        return new_call(plain_class(self), _raw(self, "__target__"), args, kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copied(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        args = [portable(value) for value in _raw(self, "__args__")]
        kwargs = {key: portable(value) for key, value in _raw(self, "__dict__").items()}
        # The parts are state, which is read after the object is there: references may lead back to it.
        return new_call, (plain_class(self), None, [], {}), (portable(_raw(self, "__target__")), args, kwargs)

    def __setstate__(self, state: tuple[Any, list[Any], dict[str, Any]]) -> None:
        target, args, kwargs = state
        _set(self, "__target__", target)
        _raw(self, "__args__").extend(args)
        _raw(self, "__dict__").update(kwargs)
        _set(self, "__held__", 2)  # who holds it is not known here
        settle_class(self)


def _computed(name: str) -> Any:
    def compute(self: Call, *others: Any) -> Any:
        if not any(type(other) is Ref for other in others):  # which can be computed with
            refuse_use(layout(self, width=10_000))
        return NotImplemented

    compute.__name__ = name
    return compute


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _prefix in ("", "r"):
        setattr(Call, f"__{_prefix}{_name}__", _computed(f"__{_prefix}{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Call, f"__{_name}__", _computed(f"__{_name}__"))


class Partial(Call):
    """A call that leaves arguments open: built, it is a `functools.partial`. Made by `partial(T)(...)`."""

    __slots__ = ()


class Instance(Call):
    """A dataclass instance that a data file describes: its class is imported only when it is built."""

    __slots__ = ()


class Mapping:
    """A dict of a spec: `cfg.a.b` and `cfg["a"]["b"]`, with every method of `dict`.

    A key that `dict` has a method for (`items`) is reached as an item only.
    """

    __slots__ = ("__dict__", "__origins__", "__site__", "__weakref__")

    __origins__: dict[Any, Origin] | None
    __site__: Site | None

    def __init__(self, items: Any = (), /, **more: Any) -> None:
        _set(self, "__dict__", {})
        _set(self, "__origins__", None)
        _set(self, "__site__", here())
        for key, value in dict(items, **more).items():
            set_item(self, key, value, None)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _DICT_METHODS:
            raise AttributeError(f"dict has a method of that name: write [{name!r}] = …")
        set_item(self, name, value, here())

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self, key, value, here())

    def __getitem__(self, key: Any) -> Any:
        return _raw(self, "__dict__")[key]

    def __delattr__(self, name: str) -> None:
        if name not in _raw(self, "__dict__"):
            raise AttributeError(name)
        delete_item(self, name)

    def __delitem__(self, key: Any) -> None:
        delete_item(self, key)

    def __contains__(self, key: object) -> bool:
        return key in _raw(self, "__dict__")

    def __iter__(self) -> Iterator[Any]:
        return iter(_raw(self, "__dict__"))

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(_raw(self, "__dict__"))

    def __len__(self) -> int:
        return len(_raw(self, "__dict__"))

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> Mapping:
        made = Mapping(self)
        made.update(other)
        return made

    def __ror__(self, other: Any) -> Mapping:
        made = Mapping(other)
        made.update(self)
        return made

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __repr__(self) -> str:
        return layout(self)

    def __str__(self) -> str:
        names = all(isinstance(key, str) and key.isidentifier() for key in self)
        calls = any(type(value) in CALLS for value in _raw(self, "__dict__").values())
        return layout_names(self) if names and calls else layout(self)

    def __dir__(self) -> list[str]:
        return [*_DICT_METHODS, *(key for key in _raw(self, "__dict__") if isinstance(key, str))]

    def __copy__(self) -> Mapping:
        made = new_mapping(dict(_raw(self, "__dict__")), _raw(self, "__site__"))
        _set(made, "__origins__", dict(_raw(self, "__origins__") or ()))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copied(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return new_mapping, ({},), {key: portable(value) for key, value in _raw(self, "__dict__").items()}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        _raw(self, "__dict__").update(state)
        settle_class(self)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def update(self, *args: Any, **kwargs: Any) -> None: ...


class List(list):  # type: ignore[type-arg]
    """A list of a spec: a list in every way, whose items are kept as a spec keeps them."""

    __slots__ = ("__origins__", "__site__")

    __origins__: dict[Any, Origin] | None
    __site__: Site | None

    def __init__(self, items: Any = ()) -> None:
        list.__init__(self, map(attach, items))
        self.__origins__ = None
        self.__site__ = here()
        settle_class(self)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, int):
            set_item(self, key, value, None)
        else:
            list.__setitem__(self, key, [attach(v) for v in value])
        settle_class(self)

    def append(self, value: Any) -> None:
        self[len(self) :] = [value]

    def insert(self, index: Any, value: Any) -> None:
        self[index:index] = [value]

    def extend(self, values: Any) -> None:
        self[len(self) :] = values

    def __iadd__(self, values: Any) -> Any:
        self.extend(values)
        return self

    def __add__(self, other: Any) -> Any:
        return list(self) + list(other) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return list(other) + list(self) if isinstance(other, list) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not equal(self, other)

    __hash__ = None

    def __repr__(self) -> str:
        return layout(self)

    def __copy__(self) -> Any:
        return new_list(list(list.__iter__(self)), self.__site__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copied(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return new_list, ([],), [portable(value) for value in list.__iter__(self)]

    def __setstate__(self, state: list[Any]) -> None:
        list.extend(self, state)
        settle_class(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def _reading_attribute(self: Any, name: str) -> Any:
    """Attribute access where a reference may stand: on the few containers that hold one."""
    if name.startswith("__"):
        return _raw(self, name)  # of Python's own, or of how a spec is kept
    try:
        value = _raw(self, name)
    except AttributeError:
        if isinstance(self, Call) and slot_of(self, name) is not None:
            value = raw_item(self, name)
        else:
            raise
    return read(value) if type(value) in DEFERRED else value


class _LiveCall(Call):
    __slots__ = ()
    __getattribute__ = _reading_attribute


class _LivePartial(Partial):
    __slots__ = ()
    __getattribute__ = _reading_attribute


class _LiveInstance(Instance):
    __slots__ = ()
    __getattribute__ = _reading_attribute


class _LiveMapping(Mapping):
    __slots__ = ()
    __getattribute__ = _reading_attribute

    def __getitem__(self, key: Any) -> Any:
        return read(_raw(self, "__dict__")[key])


class _LiveList(List):
    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        value = list.__getitem__(self, key)
        return [read(v) for v in value] if isinstance(key, slice) else read(value)

    def __iter__(self) -> Iterator[Any]:
        return map(read, list.__iter__(self))


_LIVE = {Call: _LiveCall, Partial: _LivePartial, Instance: _LiveInstance, Mapping: _LiveMapping, List: _LiveList}
_PLAIN = {live: plain for plain, live in _LIVE.items()}
for _plain_class, _live_class in _LIVE.items():
    _live_class.__name__, _live_class.__qualname__ = _plain_class.__name__, _plain_class.__qualname__

CALLS.update((Call, Partial, Instance, _LiveCall, _LivePartial, _LiveInstance))
INSTANCES = frozenset((Instance, _LiveInstance))
_SPECS = CALLS | {Ref}
PARTIALS = frozenset((Partial, _LivePartial))
MAPPINGS.update((Mapping, _LiveMapping))
LISTS.update((List, _LiveList))


def plain_class(x: Any) -> Any:
    """The class of a container, whether or not it holds references now."""
    return _PLAIN.get(type(x), type(x))


def _method(name: str) -> property:
    """A method of `dict`, as a data descriptor: a key of the same name cannot hide it."""

    def bound(self: Any) -> Any:
        function = getattr(_DictView, name)
        return lambda *args, **kwargs: function(_DictView(self), *args, **kwargs)

    return property(bound, doc=getattr(dict, name).__doc__)


class _DictView(MutableMapping):  # type: ignore[type-arg]
    """The methods of a mapping, told in terms of its items."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping

    def __getitem__(self, key: Any) -> Any:
        return self.mapping[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self.mapping, key, value, here(3))

    def __delitem__(self, key: Any) -> None:
        delete_item(self.mapping, key)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.mapping)

    def __len__(self) -> int:
        return len(self.mapping)

    def copy(self) -> Mapping:
        return self.mapping.__copy__()

    def fromkeys(self, keys: Iterable[Any], value: Any = None) -> Mapping:
        return Mapping(dict.fromkeys(keys, value))


_DICT_METHODS = (
    "clear",
    "copy",
    "fromkeys",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
)
for _name in _DICT_METHODS:
    type.__setattr__(Mapping, _name, _method(_name))
MutableMapping.register(Mapping)  # pyright: ignore[reportAttributeAccessIssue]  (typeshed hides ABCMeta here)


# As `object.__getattribute__` and `object.__setattr__` do it, at half the cost.
_new = object.__new__
_items_of = vars(Mapping)["__dict__"].__get__
_set_items = vars(Mapping)["__dict__"].__set__
_set_site = vars(Mapping)["__site__"].__set__
_set_origins = vars(Mapping)["__origins__"].__set__


def here(up: int = 2) -> Site:
    """The place in the caller's code that sets something."""
    frame = sys._getframe(up)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


_BETWEEN = frozenset((__name__, "collections.abc", "callsheet._lazy"))
"""Modules through whose methods a user's code sets items: `update` and its like."""


def new_call(cls: type, target: Any, args: list[Any], kwargs: dict[str, Any], site: Site | None = None) -> Any:
    """A call from parts that are attached already; `args` and `kwargs` become its own."""
    made: Any = object.__new__(cls)
    _set(made, "__target__", target)
    _set(made, "__args__", args)
    _set(made, "__dict__", kwargs)
    _set(made, "__site__", site)
    _set(made, "__origins__", None)
    _set(made, "__held__", 0)
    if args or not DEFERRED.isdisjoint(map(type, kwargs.values())):
        settle_class(made)
    return made


def new_mapping(items: dict[Any, Any], site: Site | None = None) -> Mapping:
    """A mapping from items that are attached already; the dict becomes its own."""
    made = mapping_of_atoms(items, site)
    if not DEFERRED.isdisjoint(map(type, items.values())):
        _set(made, "__class__", _LiveMapping)
    return made


def mapping_of_atoms(items: dict[Any, Any], site: Site | None, origins: dict[Any, Any] | None = None) -> Mapping:
    """`new_mapping` for items that hold nothing: none of them can be a reference."""
    made: Mapping = _new(Mapping)
    _set_items(made, items)
    _set_site(made, site)
    _set_origins(made, origins)
    return made


def new_list(items: list[Any], site: Site | None = None) -> List:
    """A list from items that are attached already."""
    made = List.__new__(List)
    list.extend(made, items)
    made.__origins__ = None
    made.__site__ = site
    settle_class(made)
    return made


def settle_class(x: Any) -> None:
    """Give a container the class that reads references, or the fast one, by what it holds."""
    cls = plain_class(x)
    if cls is List:
        live = not DEFERRED.isdisjoint(map(type, list.__iter__(x)))
    else:
        live = not DEFERRED.isdisjoint(map(type, _raw(x, "__dict__").values()))
        if not live and cls is not Mapping and _raw(x, "__args__"):
            # A name may reach a positional slot, and a positional argument may be a reference.
            live = given_itself(x)
    wanted = _LIVE[cls] if live else cls
    if type(x) is not wanted:
        _set(x, "__class__", wanted)


DISPLACED = 3
"""What a call says of itself, instead of how often it is held, when `cfg.a = x` has put something in its place."""


def attach(value: Any, site: Site | None = None) -> Any:
    """A value as a spec keeps it: dicts and lists as its own, texts with `${` as references, nodes as they are.

    Raises:
        SpecError: A one-shot iterator, or a `lazy(...)` that was not called.
        CycleError: A dict or list holds itself.
    """
    cls = type(value)
    if cls is str:
        return parse_text(value) if "${" in value else value
    if cls in ATOMS:
        return value
    if cls in CALLS:
        held = _raw(value, "__held__")
        if held < 2:
            _set(value, "__held__", held + 1)
        return value
    if cls is Ref:
        if value.__held__:
            value = like(value, value.__base__, value.__steps__)  # each place has its own, which is bound there
        _set(value, "__held__", True)
        return value
    if cls in MAPPINGS or cls in LISTS or cls in DEFERRED or (cls is tuple and _SIMPLE.issuperset(map(type, value))):
        return value
    if _RAW[cls] is not None:
        return fold(
            value,
            lambda x, kind, keys, values: _attached(x, keys, values, site),
            leaf=attach,
            short=lambda x, kind: _attached_atoms(x, site),
            kinds=_RAW,
        )
    if cls is tuple:
        kept = tuple([attach(v, site) for v in value])
        _hold_often(kept)
        return kept
    if cls.__name__ == "partial" and cls.__module__ == "functools":
        kwargs = {key: attach(v, site) for key, v in value.keywords.items()}
        return new_call(Partial, value.func, [attach(v, site) for v in value.args], kwargs, site)
    if hasattr(cls, "__callsheet_unfinished__"):
        raise SpecError(Fault("", f"{value!r} was not called", advice=[f"write  {value!r}()  with its arguments"]))
    if hasattr(cls, "__next__") and hasattr(cls, "__iter__"):
        raise SpecError(
            Fault(
                "",
                f"a one-shot iterator ({cls.__name__}) can be read only once",
                advice=["write  list(...)  around it"],
            )
        )
    if kind_of(cls) is not None:
        _hold_often(value)
    return value


class _RawKinds(dict):  # type: ignore[type-arg]
    """The dicts and lists of ordinary Python data; whatever else holds something (a dataclass) is kept as it is."""

    def __missing__(self, cls: type) -> Kind | None:
        ordered = cls.__name__ == "OrderedDict" and cls.__module__ == "collections"
        found: Kind | None = self[dict] if ordered else None
        return found


# A dict in ordinary Python data is one thing wherever it stands: it becomes one mapping.
_RAW: dict[type, Kind | None] = _RawKinds(
    {
        dict: Kind(lambda x: (list(x), list(x.values())), lambda x, keys, values: x, node=True),
        list: Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x, node=True),
    }
)


def _attached(x: Any, keys: list[Any], values: list[Any], site: Site | None) -> Any:
    values = [parse_text(v) if type(v) is str and "${" in v else v for v in values]
    return new_list(values, site) if type(x) is list else new_mapping(dict(zip(keys, values, strict=True)), site)


_SIMPLE = ATOMS - {str}
"""Types of values that stay as they are; a text may hold a reference."""


def _attached_atoms(x: Any, site: Site | None) -> Any:
    """A dict or list that holds atoms only and no reference, at once."""
    if type(x) is not dict:
        return new_list(list(x), site) if _SIMPLE.issuperset(map(type, x)) else ENTER
    for value in x.values():
        cls = type(value)
        if cls not in ATOMS or (cls is str and "${" in value):
            return ENTER
    return mapping_of_atoms(x.copy(), site)


def _hold_often(value: Any) -> None:
    """Mark the calls in a tuple or dataclass as held more than once: those are no slots that can be counted."""
    todo, seen = [value], set()
    while todo:
        x = todo.pop()
        kind = kind_of(type(x))
        if kind is None or id(x) in seen:
            continue
        seen.add(id(x))
        if type(x) in CALLS:
            _set(x, "__held__", 2)
        elif type(x) is not Ref:
            todo += kind.items(x)[1]


def portable(value: Any) -> Any:
    """A value as it can be pickled: what a config file defines by its name."""
    module = getattr(value, "__module__", None)
    if isinstance(module, str) and module.startswith(PREFIX) and callable(value):
        return name_of(value) or value
    return value


# --- arguments and items: set, read, delete ---------------------------------------------------------------------------


def set_item(holder: Any, key: Any, value: Any, site: Site | None, *, origin: Origin | None = None) -> None:
    """Set an argument of a call, an item of a mapping or an element of a list, and note who did.

    Raises:
        ArgumentError: The callable was given itself and does not take this argument.
        IndexError: A list or the positional arguments of a call have no such position.
    """
    value = attach(value, site)
    cls = plain_class(holder)
    if cls is List:
        before = list.__getitem__(holder, key)
        list.__setitem__(holder, key, value)
    elif cls is Mapping:
        items = _raw(holder, "__dict__")
        before = items.get(key)
        items[key] = value
    else:
        slot = slot_of(holder, key)
        if slot is not None:
            before = _raw(holder, "__args__")[slot]
            _raw(holder, "__args__")[slot] = value
            key = slot
        elif isinstance(key, int):
            raise IndexError(f"{target_text(holder)} has {len(_raw(holder, '__args__'))} positional arguments")
        else:
            named = _raw(holder, "__dict__")
            if key not in named:
                check_names(holder, [key], site)
            before = named.get(key)
            named[key] = value
    if type(before) in CALLS and before is not value and origin is None:
        _set(before, "__held__", DISPLACED)
    if origin is not None or site is not None:
        note_origin(holder, key, origin or site)
    if type(value) in DEFERRED or type(holder) in _PLAIN:
        settle_class(holder)


def note_origin(holder: Any, key: Any, origin: Origin | Site | None) -> None:
    """Note who set an argument, item, element or field of a `Config`; other holders keep no notes."""
    if type(holder) not in CALLS and type(holder) not in MAPPINGS and type(holder) not in LISTS:
        if hasattr(type(holder), "__origins__"):
            noted = {**(field_origins(holder) or {}), key: (origin, getattr(holder, key))}
            _set(holder, "__origins__", noted)  # anew, since a copy of the instance holds the same
        return
    origins = _raw(holder, "__origins__")
    if origins is None:
        origins = {}
        _set(holder, "__origins__", origins)
    origins[key] = origin


def delete_item(holder: Any, key: Any) -> None:
    """Take an argument or item away; raises as `del` does."""
    cls = plain_class(holder)
    if cls is List:
        del holder[key]
        return
    items = _raw(holder, "__dict__")
    if cls is not Mapping:
        slot = slot_of(holder, key)
        if slot is not None:
            del _raw(holder, "__args__")[slot]
            origins = _raw(holder, "__origins__") or {}
            for n in sorted(n for n in origins if isinstance(n, int) and n >= slot):
                moved = origins.pop(n)
                if n > slot:
                    origins[n - 1] = moved
            return
        if key not in items:
            raise AttributeError(f"{target_text(holder)} has no argument {key!r} set")
    del items[key]
    if _raw(holder, "__origins__"):
        _raw(holder, "__origins__").pop(key, None)


def copy(spec: S) -> S:
    """A copy of a spec: sharing inside is kept, references to nodes inside lead into the copy.

    A node that only a reference reaches is not inside: it stays the same node,
    unless it leads back inside.

    Raises:
        CycleError: The spec contains itself.

    >>> copy({"a": [1, 2]})
    {'a': [1, 2]}
    """
    return copied(spec, {})  # type: ignore[no-any-return]


def copied(spec: Any, memo: dict[int, Any]) -> Any:
    """A copy in which what `memo` holds already, by `id`, is not made again; it gets what is made."""
    bound: list[Ref] = []
    before = frozenset(memo)
    trail: list[Any] = []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if id(x) in before and not within_default(trail):
            return memo[id(x)]
        made = kind.remake(x, keys, values)
        if kind.family == "ref":
            bound.append(made)
        else:
            memo[id(x)] = made
        return made

    def short(x: Any, kind: Kind) -> Any:
        if type(x) is not Mapping or before or not ATOMS.issuperset(map(type, x.__dict__.values())):
            return ENTER
        origins = x.__origins__
        made = memo[id(x)] = mapping_of_atoms(x.__dict__.copy(), x.__site__, dict(origins) if origins else None)
        return made

    made = fold(spec, make, short=short, kinds=_CONTAINED, trail=trail)
    around = _leading_back(bound, memo)
    if around:
        before = frozenset(memo)
        fold(around, make, kinds=_CONTAINED, trail=trail)

    def own(x: Any) -> Any:
        return memo.get(id(x), x)

    for ref in bound:
        moved(ref, own)
    return made


def _leading_back(bound: list[Ref], memo: dict[int, Any]) -> list[Any]:
    """The nodes that only references reach and that hold, or refer to, what `memo` has by `id`."""
    bases = [ref.__base__ for ref in bound]
    loose = [x for x in bases if type(x) is not tuple and kind_of(type(x)) is not None and id(x) not in memo]
    todo, seen = list(loose), set()
    users: dict[int, list[Any]] = {}
    inside: list[int] = []
    while todo:
        x = todo.pop()
        kind = kind_of(type(x))
        if id(x) in seen or kind is None:
            continue
        seen.add(id(x))
        for value in kind.items(x)[1]:
            users.setdefault(id(value), []).append(x)
            if id(value) in memo:
                inside.append(id(value))
            else:
                todo.append(value)
    back = set()
    while inside:
        for user in users.get(inside.pop(), ()):
            if id(user) not in back:
                back.add(id(user))
                inside.append(id(user))
    return [x for x in loose if id(x) in back]


# --- kinds ------------------------------------------------------------------------------------------------------------


def _call_items(call: Any) -> tuple[list[Any], list[Any]]:
    kwargs, args, target = _raw(call, "__dict__"), _raw(call, "__args__"), _raw(call, "__target__")
    if type(target) in _SPECS:
        return [TARGET, *range(len(args)), *kwargs], [target, *args, *kwargs.values()]
    if args:
        return [*range(len(args)), *kwargs], [*args, *kwargs.values()]
    return list(kwargs), list(kwargs.values())


def _call_remake(call: Any, keys: list[Any], values: list[Any]) -> Any:
    target, args, kwargs = call_parts(call, keys, values)
    made = new_call(plain_class(call), target, args, kwargs, _raw(call, "__site__"))
    _set(made, "__held__", _raw(call, "__held__"))
    return _with_origins(made, call)


def call_parts(call: Any, keys: list[Any], values: list[Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    """What a kind's items say of a call: its target, positional arguments and named arguments."""
    start = 1 if keys[:1] == [TARGET] else 0
    stop = start + len(_raw(call, "__args__"))
    target = values[0] if start else _raw(call, "__target__")
    return target, values[start:stop], dict(zip(keys[stop:], values[stop:], strict=True))


def described(partial: Any) -> Any:
    """A `functools.partial` as the `Partial` that it stands for."""
    return new_call(Partial, partial.func, list(partial.args), dict(partial.keywords))


def _plain_partial(x: Any, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return type(x)(target, *args, **kwargs)


def _mapping_items(x: Any) -> tuple[list[Any], list[Any]]:
    items = _items_of(x)
    return list(items), list(items.values())


def _mapping_remake(x: Any, keys: list[Any], values: list[Any]) -> Any:
    return _with_origins(new_mapping(dict(zip(keys, values, strict=True)), _raw(x, "__site__")), x)


def _list_items(x: Any) -> tuple[list[Any], list[Any]]:
    return list(range(len(x))), list(list.__iter__(x))


def _list_remake(x: Any, keys: list[Any], values: list[Any]) -> Any:
    return _with_origins(new_list(values, x.__site__), x)


def _with_origins(made: Any, x: Any) -> Any:
    origins = _raw(x, "__origins__")
    if origins:
        _set(made, "__origins__", dict(origins))
    return made


def _call_form(call: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    word = "partial" if type(call) in PARTIALS else "lazy"
    labels = ["" if isinstance(key, int) else f"{key}=" for key in keys if key is not TARGET]
    return f"{word}({label_of(_raw(call, '__target__'))})(", labels, ")"


def _instance_form(x: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    return f"{label_of(_raw(x, '__target__'))}(", [f"{key}=" for key in keys], ")"


def _call_head(call: Any) -> Any:
    target = _raw(call, "__target__")
    return None if type(target) in _SPECS else target


def _no_head(x: Any) -> None:
    """What tells one dict from another is its items."""


_CALL = Kind(_call_items, _call_remake, node=True, family="call", head=_call_head, form=_call_form)
_PARTIAL = Kind(_call_items, _call_remake, node=True, family="partial", head=_call_head, form=_call_form)
_MAPPING = Kind(_mapping_items, _mapping_remake, family="dict", head=_no_head, form=dict_form)
_LIST = Kind(_list_items, _list_remake, family="list", head=_no_head, form=list_form)
_INSTANCE = Kind(_call_items, _call_remake, node=True, family="fields", head=_call_head, form=_instance_form)
KINDS.update({Call: _CALL, _LiveCall: _CALL, Partial: _PARTIAL, _LivePartial: _PARTIAL})
STANDARD["functools", "partial"] = Kind(
    lambda x: _call_items(described(x)),
    lambda x, keys, values: _plain_partial(x, *call_parts(described(x), keys, values)),
    node=True,
    family="partial",
    head=lambda x: _call_head(described(x)),
    form=lambda x, keys: _call_form(described(x), keys),
    call=lambda x: described(x),
)
KINDS.update({Instance: _INSTANCE, _LiveInstance: _INSTANCE})
KINDS.update({Mapping: _MAPPING, _LiveMapping: _MAPPING, List: _LIST, _LiveList: _LIST})

SHARING = {
    cls: Kind(kind.items, kind.remake, node=True, family=kind.family)
    if kind and kind.family in ("dict", "list")
    else kind
    for cls, kind in KINDS.items()
}
"""As `rewrite` sees it: a dict that two places hold is one dict in the copy as well."""

_CONTAINED = {**SHARING, Ref: Kind(operand_items, remake_operands, family="ref")}
"""As `copy` sees it: what only a reference leads to is not contained."""
