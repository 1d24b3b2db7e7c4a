"""What a spec's containers keep, how they are made from it, and the class of one that holds a reference."""

from __future__ import annotations

import sys

from .._configfile import PREFIX
from .._items import CALLS, DEFERRED, LISTS, MAPPINGS, field_origins, given_itself, raw_item, slot_of
from .._read import read
from .._target import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._origin import Origin, Site
    from ._list import List
    from ._mapping import Mapping

_raw = object.__getattribute__
_set = object.__setattr__


class CallParts:
    """What a call keeps; a dict of its named arguments beside."""

    __slots__ = ("__args__", "__dict__", "__held__", "__origins__", "__site__", "__target__", "__weakref__")

    __args__: list[Any]
    __held__: int
    __origins__: dict[Any, Origin] | None
    __site__: Site | None
    __target__: Any


class MappingParts:
    """What a mapping keeps: its items, and who set them."""

    __slots__ = ("__dict__", "__origins__", "__site__", "__weakref__")

    __origins__: dict[Any, Origin] | None
    __site__: Site | None


class ListParts(list):  # type: ignore[type-arg]
    """What a list keeps beside its elements: who set them."""

    __slots__ = ("__origins__", "__site__")

    __origins__: dict[Any, Origin] | None
    __site__: Site | None


# The classes themselves stand above, since their methods need what stands here; each enters these when it is defined.
CLASSES: dict[str, Any] = {}
"""The class of each family of kinds."""

LIVE: dict[type, type] = {}
"""For each class, the one that reads references."""

PLAIN: dict[type, type] = {}
"""And back."""


def plain_class(x: Any) -> Any:
    """The class of a container, whether or not it holds references now."""
    return PLAIN.get(type(x), type(x))


# As `object.__getattribute__` and `object.__setattr__` do it, at half the cost.
_new = object.__new__
items_of = vars(MappingParts)["__dict__"].__get__
_set_items = vars(MappingParts)["__dict__"].__set__
_set_site = vars(MappingParts)["__site__"].__set__
_set_origins = vars(MappingParts)["__origins__"].__set__


def here(up: int = 2) -> Site:
    """The place in the caller's code that sets something."""
    frame = sys._getframe(up)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


_BETWEEN = frozenset(("callsheet._spec._list", "callsheet._spec._mapping", "collections.abc", "callsheet._lazy"))
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
        _set(made, "__class__", LIVE[CLASSES["dict"]])
    return made


def mapping_of_atoms(items: dict[Any, Any], site: Site | None, origins: dict[Any, Any] | None = None) -> Mapping:
    """`new_mapping` for items that hold nothing: none of them can be a reference."""
    made: Mapping = _new(CLASSES["dict"])
    _set_items(made, items)
    _set_site(made, site)
    _set_origins(made, origins)
    return made


def new_list(items: list[Any], site: Site | None = None) -> List:
    """A list from items that are attached already."""
    made: List = list.__new__(CLASSES["list"])
    list.extend(made, items)
    made.__origins__ = None
    made.__site__ = site
    settle_class(made)
    return made


def settle_class(x: Any) -> None:
    """Give a container the class that reads references, or the fast one, by what it holds."""
    cls = plain_class(x)
    if cls in LISTS:
        live = not DEFERRED.isdisjoint(map(type, list.__iter__(x)))
    else:
        live = not DEFERRED.isdisjoint(map(type, _raw(x, "__dict__").values()))
        if not live and cls in CALLS and _raw(x, "__args__"):
            # A name may reach a positional slot, and a positional argument may be a reference.
            live = given_itself(x)
    wanted = LIVE[cls] if live else cls
    if type(x) is not wanted:
        _set(x, "__class__", wanted)


DISPLACED = 3
"""What a call says of itself, instead of how often it is held, when `cfg.a = x` has put something in its place."""


def reading_attribute(self: Any, name: str) -> Any:
    """Attribute access where a reference may stand: on the few containers that hold one."""
    if name.startswith("__"):
        return _raw(self, name)  # of Python's own, or of how a spec is kept
    try:
        value = _raw(self, name)
    except AttributeError:
        if type(self) in CALLS and slot_of(self, name) is not None:
            value = raw_item(self, name)
        else:
            raise
    return read(value) if type(value) in DEFERRED else value


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


def note_places(x: ListParts, places: list[int]) -> None:
    """Let the origins of a list go where its values have gone: for each, where it was before, -1 for a new one."""
    origins = x.__origins__
    if origins:
        x.__origins__ = {n: origins[was] for n, was in enumerate(places) if was in origins}
    settle_class(x)


def with_origins(made: Any, x: Any) -> Any:
    """What was made anew of a container, with notes of its own of who set what."""
    origins = _raw(x, "__origins__")
    if origins:
        _set(made, "__origins__", dict(origins))
    return made


def portable(value: Any) -> Any:
    """A value as it can be pickled: what a config file defines by its name."""
    module = getattr(value, "__module__", None)
    if isinstance(module, str) and module.startswith(PREFIX) and callable(value):
        return name_of(value) or value
    return value
