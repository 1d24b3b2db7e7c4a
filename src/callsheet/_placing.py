"""Values put where they shall stand: in one slot, or in every place that holds what they replace."""

from __future__ import annotations

from ._items import CALLS, LISTS, MAPPINGS
from ._path import format_path
from ._ref import Ref
from ._spec import note_origin, set_item, settle_class
from ._tree import KINDS, kind_of
from ._tree import walk as walk_steps
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._journal import Journal
    from ._origin import Origin


def put(root: Any, holder: Any, key: Any, value: Any, origin: Origin, journal: Journal) -> None:
    """Set an item, argument or field; a frozen holder is replaced by one that has it."""
    cls = type(holder)
    if cls in CALLS or cls in MAPPINGS or cls in LISTS:
        journal.note(holder, key)
        set_item(holder, key, value, None, origin=origin)
    elif cls is dict or cls is list:
        journal.note(holder, key)
        holder[key] = value
    elif _is_frozen(cls):
        kind = KINDS[cls]
        assert kind is not None
        keys, values = kind.items(holder)
        values[keys.index(key)] = value
        made = kind.remake(holder, keys, values)
        note_origin(made, key, origin)
        replace_everywhere(root, holder, made, None, journal)
    else:
        journal.note(holder, key)
        setattr(holder, key, value)
        note_origin(holder, key, origin)


def note_inside(value: Any, told: Origin) -> None:
    """Say who typed what a value holds; what has an origin of its own keeps it."""
    todo = [value]
    while todo:
        holder = todo.pop()
        cls = type(holder)
        if (cls in MAPPINGS or cls in LISTS) and object.__getattribute__(holder, "__site__") is None:
            known = object.__getattribute__(holder, "__origins__") or {}
            for key, item in zip(*KINDS[cls].items(holder), strict=True):  # type: ignore[union-attr]
                if key not in known:
                    note_origin(holder, key, told)
                todo.append(item)


def _is_frozen(cls: type) -> bool:
    parameters = getattr(cls, "__dataclass_params__", None)
    return bool(getattr(parameters, "frozen", False)) or "_fields" in dir(cls) or cls.__module__ == "functools"


def replace_everywhere(root: Any, old: Any, new: Any, origin: Origin | None, journal: Journal) -> None:
    """Put `new` where `old` stood, in every place that holds it and in every reference to it."""
    for _, x in list(walk_steps(root)):
        kind = kind_of(type(x))
        if kind is None:
            continue
        if type(x) is Ref:
            if x.__base__ is old:
                journal.note(x, None)
                object.__setattr__(x, "__base__", new)
            continue
        for key, value in zip(*kind.items(x), strict=True):
            if value is old:
                _place(x, key, new, origin, journal)


def _place(x: Any, key: Any, new: Any, origin: Origin | None, journal: Journal) -> None:
    cls = type(x)
    if cls is not tuple:
        journal.note(x, key)
    if cls in CALLS or cls in MAPPINGS or cls in LISTS:
        set_item(x, key, new, None, origin=origin)
        settle_class(x)
    elif cls in (dict, list):
        x[key] = new
    elif cls is not tuple:
        object.__setattr__(x, key, new)
    else:
        raise OverrideError(
            Fault(format_path([key]), "stands in a tuple, which cannot be edited", advice=["use a list in its place"])
        )
