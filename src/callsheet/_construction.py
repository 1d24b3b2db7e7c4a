"""How an instance of a class with fields is made by code: what its constructor is given, what is set afterwards."""

from __future__ import annotations

import sys

from ._equal import equal
from ._fields import asked_beyond_fields, field_items, has_fields, taken_by
from ._items import CALLS
from ._literal import Unwritable
from ._target import Name, name_of
from ._tree import ATOMS, Kind, kind_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_raw = object.__getattribute__
_UNKNOWN = object()


class Constructions(dict[type, "Kind | None"]):
    """The kinds of containers, where an instance holds only what has to be said to make it anew."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, tuple[dict[str, str], list[str]]] = {}
        self.refused: dict[int, Unwritable] = {}
        """By id, instances that no code makes, and why."""

    def __missing__(self, cls: type) -> Kind | None:
        kind = kind_of(cls)
        if kind is not None and kind.family == "fields" and cls not in CALLS:
            kind = Kind(self._items, kind.remake, node=True, family="fields")
        self[cls] = kind
        return kind

    def of(self, x: Any) -> tuple[dict[str, str], list[str]]:
        """The fields that the constructor is given, each with its parameter, and those that are set afterwards."""
        if id(x) not in self._known:
            try:
                self._known[id(x)] = _described(x) if type(x) in CALLS else _instance(x)
            except Unwritable as why:
                self.refused[id(x)] = why
                self._known[id(x)] = {}, []
        return self._known[id(x)]

    def _items(self, x: Any) -> tuple[list[Any], list[Any]]:
        given, late = self.of(x)
        keys = [*given, *[key for key in late if key not in given]]
        return keys, [getattr(x, key) for key in keys]


def class_of(x: Any) -> Any:
    """The class of an instance: itself, or for one that data describes its name."""
    return _raw(x, "__target__") if type(x) in CALLS else type(x)


def _instance(x: Any) -> tuple[dict[str, str], list[str]]:
    cls = type(x)
    names, defaults = taken_by(cls), _defaults(cls)
    keys, values = field_items(x) if has_fields(cls) else (list(x._fields), list(x))
    fields = dict(zip(keys, values, strict=True))
    given = {
        key: names[key] for key in fields if key in names and not _is_left_out(fields[key], defaults.get(key, _UNKNOWN))
    }
    if len(names) == len(fields) and not _computes(cls):
        return given, []
    try:
        made = cls(**{parameter: fields[key] for key, parameter in given.items()})
    except Exception as error:  # noqa: BLE001  (whatever a class of the user's own raises, it cannot be made again)
        raise Unwritable(f"is an instance that its class does not make again from its fields: {error}") from None
    return given, [key for key in fields if not _same(getattr(made, key, _UNKNOWN), fields[key])]


def _described(x: Any) -> tuple[dict[str, str], list[str]]:
    """For an instance that data describes: as its class says where that is imported already, else as dataclasses do."""
    keys = list(_raw(x, "__dict__"))
    cls = found(_raw(x, "__target__"))
    names = taken_by(cls) if isinstance(cls, type) else {key: key for key in keys}
    return {key: names[key] for key in keys if key in names}, [key for key in keys if key not in names]


def reads_texts(x: Any) -> bool:
    """Whether the class of an instance reads a text with `${` as a reference."""
    cls = found(class_of(x))
    kind = kind_of(cls) if isinstance(cls, type) else None
    return kind is not None and kind.call is not None


def found(name: Any) -> Any:
    """The object of a name where it is there without any import, else None."""
    if type(name) is not Name:
        return name
    at: Any = sys.modules.get(name.module)
    for part in name.qualname.split("."):
        at = getattr(at, "__dict__", {}).get(part)
    return at


def is_importable(cls: Any) -> bool:
    """Whether a file can import a class by its name."""
    name = cls if type(cls) is Name else name_of(cls)
    return name is not None and not name.digest


def _defaults(cls: Any) -> dict[str, Any]:
    if not has_fields(cls):
        return dict(cls._field_defaults)
    fields = getattr(cls, "__dataclass_fields__", None)
    return {field.name: field.default for field in (fields.values() if fields is not None else cls.__attrs_attrs__)}


def _computes(cls: Any) -> bool:
    """Whether a constructor may do more than keep what it is given."""
    params = getattr(cls, "__dataclass_params__", None)
    return (
        hasattr(cls, "__attrs_attrs__")
        or hasattr(cls, "__post_init__")
        or bool(asked_beyond_fields(cls))
        or (params is not None and not params.init)
    )


def _is_left_out(x: Any, default: Any) -> bool:
    """Whether a constructor takes this value by itself."""
    return x is default or (type(x) in ATOMS and type(x) is type(default) and repr(x) == repr(default))


def _same(x: Any, y: Any) -> bool:
    """Whether two values are equal and hold the very same nodes."""
    if x is y:
        return True
    nodes = [
        [id(value) for _, value in walk(side) if (kind := kind_of(type(value))) is not None and kind.node]
        for side in (x, y)
    ]
    return nodes[0] == nodes[1] and equal(x, y)
