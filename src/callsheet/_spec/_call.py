"""Calls that have not happened yet."""

from __future__ import annotations

from .._equal import equal
from .._items import CALLS, raw_item, slot_of
from .._layout import layout
from .._read import read
from .._ref import Ref
from .._unborne import refuse_use
from ._kinds import CALL, INSTANCE, PARTIAL, copied, register
from ._parts import CallParts, here, new_call, plain_class, portable, reading_attribute, settle_class
from ._put import delete_item, set_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_raw = object.__getattribute__
_set = object.__setattr__


class Call(CallParts):
    """A call that has not happened yet. Its attributes and items are its arguments, and nothing else.

    Made by `lazy(T)(...)`. Positional arguments are the items `0`, `1`, …;
    whatever else one does with a call is a function of this package: `target`,
    `arguments`, `get`, `build`, `copy`, ….
    """

    __slots__ = ()

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
            refuse_use(Call, layout(self, width=10_000))
        return NotImplemented

    compute.__name__ = name
    return compute


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _prefix in ("", "r"):
        setattr(Call, f"__{_prefix}{_name}__", _computed(f"__{_prefix}{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Call, f"__{_name}__", _computed(f"__{_name}__"))


def _converted(kind: str) -> Any:
    def convert(self: Call) -> Any:
        refuse_use(Call, layout(self, width=10_000))
        raise TypeError(f"{kind}() argument must be a number or a text that reads as one, not {type(self).__name__!r}")

    return convert


Call.__int__, Call.__float__ = _converted("int"), _converted("float")  # type: ignore[attr-defined]


class Partial(Call):
    """A call that leaves arguments open: built, it is a `functools.partial`. Made by `partial(T)(...)`."""

    __slots__ = ()


class Instance(Call):
    """A dataclass instance that a data file describes: its class is imported only when it is built."""

    __slots__ = ()


class _LiveCall(Call):
    __slots__ = ()
    __getattribute__ = reading_attribute


class _LivePartial(Partial):
    __slots__ = ()
    __getattribute__ = reading_attribute


class _LiveInstance(Instance):
    __slots__ = ()
    __getattribute__ = reading_attribute


register(Call, _LiveCall, CALL, CALLS)
register(Partial, _LivePartial, PARTIAL, CALLS)
register(Instance, _LiveInstance, INSTANCE, CALLS)

PARTIALS = frozenset((Partial, _LivePartial))
INSTANCES = frozenset((Instance, _LiveInstance))
