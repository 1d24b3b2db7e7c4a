"""The dicts of a spec."""

from __future__ import annotations

from _collections_abc import MutableMapping

from .._equal import equal
from .._items import CALLS, MAPPINGS
from .._layout import layout, layout_names
from .._read import read
from ._attach import given
from ._kinds import MAPPING, copied, register
from ._parts import MappingParts, here, new_mapping, portable, reading_attribute, settle_class
from ._put import delete_item, set_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self

_raw = object.__getattribute__
_set = object.__setattr__


class Mapping(MappingParts):
    """A dict of a spec: `cfg.a.b` and `cfg["a"]["b"]`, with every method of `dict`.

    A key that `dict` has a method for (`items`) is reached as an item only.
    """

    __slots__ = ()

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
        return equal(self, given(other))

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


class _LiveMapping(Mapping):
    __slots__ = ()
    __getattribute__ = reading_attribute

    def __getitem__(self, key: Any) -> Any:
        return read(_raw(self, "__dict__")[key])


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

register(Mapping, _LiveMapping, MAPPING, MAPPINGS)
