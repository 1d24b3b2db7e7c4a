"""What is known of a callable, a class or a value that a spec names: imported, or only remembered."""

from __future__ import annotations

from ._annotation import EMPTY
from ._hint import ANY, Form
from ._signature import Signature, signature_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from ._about import About


class Known:
    """What is known of an object.

    Attributes:
        name: `module:qualname`, as the object says it itself; "" where it says none.
        kind: A "class", another "callable", or any other "value".
        names: Of the classes that it is: of a class those it comes from, of a
            function those of what it says it returns, of a value those of its class.
        exact: Of a class: whether calling it is sure to give an instance.
        calls: Of a class: whether its instances can be called.
        returned: Of a function: what it says it returns.
        signature: What it takes; None where Python cannot tell.
        found: The object; `EMPTY` where it is only remembered.
        said: What its docstrings say, where it is only remembered.
        choices: The values that a parameter may have, by its name, where it is only remembered.
    """

    __slots__ = ("calls", "choices", "exact", "found", "kind", "name", "names", "returned", "said", "signature")

    def __init__(
        self,
        name: str,
        kind: Literal["class", "callable", "value"],
        *,
        names: Iterable[str],
        exact: bool = False,
        calls: bool = False,
        returned: Form = ANY,
        signature: Signature | None = None,
        found: Any = EMPTY,
        said: About | None = None,
        choices: dict[str, list[str]] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.names = frozenset(names)
        self.exact = exact
        self.calls = calls
        self.returned = returned
        self.signature = signature
        self.found = found
        self.said = said
        self.choices = choices or {}


def known_of(found: Any) -> Known:
    """What is known of an object that is there."""
    name = own_name(found)
    if isinstance(found, type):
        names = class_names(found)
        calls = any("__call__" in vars(cls) for cls in found.__mro__)
        signature = signature_of(found)
        return Known(
            name, "class", names=names, exact=_makes_itself(found), calls=calls, signature=signature, found=found
        )
    if not callable(found):
        return Known(name, "value", names=class_names(type(found)), found=found)
    made = signature_of(found)
    # What a decorator made of a function, and what a coroutine gives, is not what its annotation says.
    told = made is not None and not hasattr(found, "__wrapped__") and not _is_coroutine(found)
    returned = made.returned() if told and made is not None else ANY
    names = class_names(returned.of) if isinstance(returned.of, type) else []
    return Known(name, "callable", names=names, returned=returned, signature=made, found=found)


def own_name(x: Any) -> str:
    """An object's name as it says it itself, `module:qualname`; "" where it says none."""
    module, qualname = getattr(x, "__module__", None), getattr(x, "__qualname__", None)
    return f"{module}:{qualname}" if isinstance(module, str) and isinstance(qualname, str) else ""


def class_names(cls: type) -> list[str]:
    """The names of a class and of those that it comes from, `object` left out."""
    return [f"{c.__module__}:{c.__qualname__}" for c in cls.__mro__[:-1]]


def _makes_itself(cls: Any) -> bool:
    """Whether calling a class gives an instance of it, and no `__new__` or metaclass can give something else."""
    maker = next((vars(c)["__call__"] for c in type(cls).__mro__ if "__call__" in vars(c)), None)
    if maker is not vars(type)["__call__"] or issubclass(cls, type):
        return False
    owner = next(c for c in cls.__mro__ if "__new__" in vars(c))
    new = vars(owner)["__new__"]
    made_by_python = hasattr(new, "__func__") or hasattr(new, "__code__")
    return not made_by_python or (issubclass(owner, tuple) and hasattr(owner, "_fields"))


def _is_coroutine(function: Any) -> bool:
    import inspect

    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
