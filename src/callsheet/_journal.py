"""What is done to containers, noted so that it can be undone."""

from __future__ import annotations

from ._items import CALLS, LISTS, MAPPINGS, field_origins
from ._ref import Ref
from ._spec import settle_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_raw = object.__getattribute__
_set = object.__setattr__
_ABSENT = object()
_PARTS = ("__target__", "__args__", "__dict__", "__origins__")
_OF_REFS = ("__base__", "__dots__", "__root__", "__steps__")


class Journal:
    """Notes of what stood where, each made before it is changed; a note costs nothing that grows with the spec."""

    def __init__(self) -> None:
        self._notes: list[tuple[Any, ...]] = []

    def note(self, holder: Any, key: Any, *, delete: bool = False) -> None:
        """Note what stands under a key that is about to be set or deleted.

        Args:
            holder: A call, mapping, dict, list or instance, or a reference, of which it is noted where it leads.
            key: Ignored for a reference; a call is noted whole, but where it has an argument of that name, which stays.
            delete: Whether the key goes: then its place among the others is noted too.
        """
        cls = type(holder)
        if cls in CALLS and not delete and key in (named := _raw(holder, "__dict__")):
            self._notes.append((holder, key, named[key], _origin_of(holder, key), None))
        elif cls in CALLS:
            parts = [_raw(holder, name) for name in _PARTS]
            self._notes.append((holder, [part.copy() if type(part) in (dict, list) else part for part in parts]))
        elif cls is Ref:
            self._notes.append((holder, [(name, getattr(holder, name)) for name in _OF_REFS]))
        elif cls in LISTS or cls is list:
            whole = (list(list.__iter__(holder)), _origins_of(holder)) if delete else None
            self._notes.append((holder, key, list.__getitem__(holder, key), _origin_of(holder, key), whole))
        elif cls in MAPPINGS or cls is dict:
            items = _raw(holder, "__dict__") if cls in MAPPINGS else holder
            order = [*items] if delete else None
            self._notes.append((holder, key, items.get(key, _ABSENT), _origin_of(holder, key), order))
        else:
            self._notes.append((holder, key, getattr(holder, key), field_origins(holder)))

    def undo(self) -> None:
        """Put everything back as it was noted, the latest first."""
        while self._notes:
            holder, *noted = self._notes.pop()
            cls = type(holder)
            if cls in CALLS and len(noted) == 1:
                for name, part in zip(_PARTS, noted[0], strict=True):
                    _set(holder, name, part)
            elif cls is Ref:
                for name, part in noted[0]:
                    _set(holder, name, part)
            elif cls in LISTS or cls is list:
                _undo_element(holder, *noted)
            elif cls in CALLS or cls in MAPPINGS or cls is dict:
                _undo_item(holder, *noted)
            else:
                _undo_field(holder, *noted)
            if cls in CALLS or cls in LISTS or cls in MAPPINGS:
                settle_class(holder)


def _undo_element(
    holder: Any, key: Any, value: Any, origin: Any, whole: tuple[list[Any], dict[Any, Any] | None] | None
) -> None:
    if whole is None:
        list.__setitem__(holder, key, value)
        _put_origin(holder, key, origin)
        return
    list.__setitem__(holder, slice(None), whole[0])
    if type(holder) is not list:
        _set(holder, "__origins__", whole[1])


def _undo_item(holder: Any, key: Any, value: Any, origin: Any, order: list[Any] | None) -> None:
    items = holder if type(holder) is dict else _raw(holder, "__dict__")
    if value is _ABSENT:
        items.pop(key, None)
    else:
        items[key] = value
    if order is not None:
        whole = {name: items[name] for name in order}
        items.clear()
        items.update(whole)
    _put_origin(holder, key, origin)


def _undo_field(holder: Any, key: Any, value: Any, origins: Any) -> None:
    _set(holder, key, value)
    if origins is not field_origins(holder):
        _set(holder, "__origins__", origins)


def _origins_of(holder: Any) -> dict[Any, Any] | None:
    origins = None if type(holder) is list else _raw(holder, "__origins__")
    return origins and dict(origins)


def _origin_of(holder: Any, key: Any) -> Any:
    if type(holder) in (dict, list):
        return _ABSENT
    return (_raw(holder, "__origins__") or {}).get(key, _ABSENT)


def _put_origin(holder: Any, key: Any, origin: Any) -> None:
    if type(holder) in (dict, list):
        return
    origins = _raw(holder, "__origins__")
    if origin is not _ABSENT:
        origins[key] = origin
    elif origins:
        origins.pop(key, None)
