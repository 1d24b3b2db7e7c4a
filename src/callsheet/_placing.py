"""Values put where they shall stand: in one slot, or in every place that holds what they replace."""

from __future__ import annotations

import sys

from ._fields import clone
from ._instances import is_deferred
from ._items import CALLS, LISTS, MAPPINGS
from ._levels import Survey
from ._ref import Ref, lead
from ._spec import SHARING, copy, note_origin, set_item, settle_class
from ._tree import ENTER, KINDS, Kind, fold, kind_of
from ._written import inside
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._journal import Journal
    from ._origin import Origin

_set = object.__setattr__


def put(root: Any, holder: Any, key: Any, value: Any, origin: Origin, journal: Journal, *, path: str) -> Any:
    """Set an item, argument or field; a frozen holder is replaced by one that has it.

    Returns:
        The root, which is another one where it is the holder, or is frozen and leads to it.

    Raises:
        OverrideError: The class of the holder refuses the value.
    """
    cls = type(holder)
    if cls in CALLS or cls in MAPPINGS or cls in LISTS:
        journal.note(holder, key)
        set_item(holder, key, value, None, origin=origin)
    elif cls is dict or cls is list:
        journal.note(holder, key)
        holder[key] = value
    elif _is_frozen(holder, key):
        value = _judged(holder, key, value, path, origin) if hasattr(cls, "__attrs_attrs__") else value
        made = _with_field(holder, key, value)
        note_origin(made, key, origin)
        return replace_everywhere(root, holder, made, None, journal)
    else:
        journal.note(holder, key)
        _set_field(holder, key, value, path, origin)
        note_origin(holder, key, origin)
    return root


def is_default(holder: Any, key: Any) -> bool:
    """Whether a container stands under a key which is the default of the holder's class."""
    kind = KINDS.get(type(holder))
    if kind is None or kind.owned is None or key not in kind.owned(holder):
        return False
    return kind_of(type(getattr(holder, key))) is not None


def own_default(root: Any, holder: Any, key: Any, journal: Journal) -> Any:
    """Give an instance a copy of what is the default of its class; what is returned is as of `put`."""
    own = copy(getattr(holder, key))
    if _is_frozen(holder, key):
        return replace_everywhere(root, holder, _with_field(holder, key, own), None, journal)
    _place(holder, key, own, None, journal)
    return root


def _with_field(holder: Any, key: Any, value: Any) -> Any:
    kind = KINDS[type(holder)]
    assert kind is not None
    keys, values = kind.items(holder)
    values[keys.index(key)] = value
    return kind.remake(holder, keys, values)


def _set_field(holder: Any, key: Any, value: Any, path: str, origin: Origin) -> None:
    """Set a field as its class does, but what must be built first: an attrs class judges that when it is built."""
    if hasattr(type(holder), "__attrs_attrs__") and is_deferred(value):
        _set(holder, key, value)
        return
    try:
        setattr(holder, key, value)
    except Exception as error:
        raise _refused(holder, error, path, origin) from error


def _judged(holder: Any, key: Any, value: Any, path: str, origin: Origin) -> Any:
    """What a frozen attrs class makes of a value for a field, by the converter and validators of that field.

    Raises:
        OverrideError: It refuses the value.
    """
    if is_deferred(value):
        return value
    setters = sys.modules["attr"].setters
    field = next(field for field in type(holder).__attrs_attrs__ if field.name == key)
    try:
        return setters.pipe(setters.convert, setters.validate)(holder, field, value)
    except Exception as error:
        raise _refused(holder, error, path, origin) from error


def _refused(holder: Any, error: Exception, path: str, origin: Origin) -> OverrideError:
    said = str(error.args[0]) if error.args else ""
    problem = f"is refused by {type(holder).__qualname__}: {type(error).__name__}{': ' if said else ''}{said}"
    return OverrideError(Fault(path, problem, origin=origin.where))


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


def _is_frozen(x: Any, key: Any) -> bool:
    """Whether a container is replaced where something under a key shall be another."""
    cls = type(x)
    if cls is tuple or "_fields" in dir(cls) or cls.__module__ == "functools":
        return True
    if hasattr(cls, "__attrs_attrs__"):
        try:
            setattr(clone(x, [], []), key, getattr(x, key))
        except AttributeError:  # of attrs, where a class or field is frozen: by a decorator, or by what it calls first
            return True
        except Exception:  # noqa: BLE001  (a validator of the user's own refuses what is not built yet)
            return False
    return bool(getattr(getattr(cls, "__dataclass_params__", None), "frozen", False))


def replace_everywhere(root: Any, old: Any, new: Any, origin: Origin | None, journal: Journal) -> Any:
    """Put `new` where `old` stood, in every place that holds it and in every reference to it.

    What is frozen and leads to it is made anew, and so are tuples.

    Returns:
        The root, which is another one where it is `old`, or is frozen and leads to it.
    """
    anew = {id(old): (old, new)}  # with what it was, or others would get its id
    refs: list[Ref] = []

    def short(x: Any, kind: Kind) -> Any:
        return new if x is old else ENTER

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        pairs = zip(keys, kind.items(x)[1], values, strict=True)
        changed = [(key, value) for key, before, value in pairs if value is not before]
        if type(x) is Ref:
            if x.__base__ is old and not x.__steps__ and kind_of(type(new)) is None:
                return new
            refs.append(x)
            if changed:
                journal.note(x, None)
                lead(x, values)
        elif changed and _is_frozen(x, changed[0][0]):
            made = kind.remake(x, keys, values)
            for key, _ in changed if origin is not None else ():
                note_origin(made, key, origin)
            anew[id(x)] = (x, made)
            return made
        else:
            for key, value in changed:
                _place(x, key, value, origin, journal)
        return x

    made = fold(root, make, short=short, kinds=_ONCE)
    if kind_of(type(new)) is not None:
        refs += [ref for ref, _ in Survey(new).refs]
    for part in (part for ref in refs for part in inside(ref)):
        start = part.__root__
        if id(start) in anew and kind_of(type(anew[id(start)][1])) is not None:
            journal.note(part, None)
            _set(part, "__root__", anew[id(start)][1])
    return made


_ONCE = {**SHARING, tuple: Kind(KINDS[tuple].items, KINDS[tuple].remake, node=True, family="tuple")}  # type: ignore[union-attr]
"""What two places hold stays one, also where it is made anew."""


def _place(x: Any, key: Any, new: Any, origin: Origin | None, journal: Journal) -> None:
    cls = type(x)
    journal.note(x, key)
    if cls in CALLS or cls in MAPPINGS or cls in LISTS:
        set_item(x, key, new, None, origin=origin)
        settle_class(x)
    elif cls in (dict, list):
        x[key] = new
    else:
        _set(x, key, new)
