"""Arguments of calls, items of mappings, elements of lists: set and taken away."""

from __future__ import annotations

from .._items import CALLS, DEFERRED, LISTS, MAPPINGS, check_names, slot_of, target_text
from ._attach import attach
from ._parts import DISPLACED, PLAIN, note_origin, settle_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._origin import Origin, Site

_raw = object.__getattribute__
_set = object.__setattr__


def set_item(holder: Any, key: Any, value: Any, site: Site | None, *, origin: Origin | None = None) -> None:
    """Set an argument of a call, an item of a mapping or an element of a list, and note who did.

    Raises:
        ArgumentError: The callable was given itself and does not take this argument.
        IndexError: A list or the positional arguments of a call have no such position.
    """
    value = attach(value, site)
    cls = type(holder)
    if cls in LISTS:
        before = list.__getitem__(holder, key)
        list.__setitem__(holder, key, value)
    elif cls in MAPPINGS:
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
    if type(value) in DEFERRED or cls in PLAIN:
        settle_class(holder)


def delete_item(holder: Any, key: Any) -> None:
    """Take an argument or item away; raises as `del` does."""
    cls = type(holder)
    if cls in LISTS:
        del holder[key]
        return
    items = _raw(holder, "__dict__")
    if cls in CALLS:
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
