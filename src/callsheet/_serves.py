"""Whether what calling something gives may serve where a form is declared, told by classes alone."""

from __future__ import annotations

import sys

from ._annotation import EMPTY
from ._hint import Form
from ._known import Known, known_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def makes(known: Known, form: Form) -> bool:
    """Whether an instance of a class may fit."""
    if form.kind == "any":
        return True
    if form.kind == "union":
        return any(makes(known, part) for part in form.parts)
    if form.kind == "callable":
        return known.calls
    if form.kind == "type":
        return "builtins:type" in known.names
    made = known.found
    if form.kind == "named" or made is EMPTY:
        return is_named(known, form)
    if form.kind == "literal":
        return any(below(made, type(choice)) for choice in form.of)
    if form.kind == "protocol":
        return _has_methods(made, form.of)
    if form.kind == "other":
        return form.hint is not EMPTY
    wanted = dict if form.kind == "typed" else form.of
    return below(made, wanted) or is_number(made, wanted) or is_like(made, wanted)


def may_be(known: Known, returned: Form, form: Form) -> bool:
    """Whether what a function says it returns may fit: it may give a subclass of that."""
    if form.kind == "any" or returned.kind == "any":
        return True
    if returned.kind == "union":
        return any(
            may_be(known_of(part.of), part, form) if part.kind == "class" else part.hint is not EMPTY
            for part in returned.parts
        )
    if form.kind == "union":
        return any(may_be(known, returned, part) for part in form.parts)
    if form.kind == "other":
        return form.hint is not EMPTY
    if known.found is EMPTY or form.kind == "named":
        return is_named(known, form)
    if form.kind == "callable":
        return returned.kind != "class" or returned.of not in (type(None), int, float, str, bool)
    if form.kind == "type" and isinstance(returned.of, type):
        return below(returned.of, type)
    if form.kind == "literal" and returned.kind == "class":
        return any(below(type(choice), returned.of) for choice in form.of)
    if form.kind in ("class", "items", "mapping", "many", "tuple") and isinstance(returned.of, type):
        return below(returned.of, form.of) or below(form.of, returned.of) or is_number(returned.of, form.of)
    return True


def is_named(known: Known, form: Form) -> bool:
    """Whether a class is, or comes from, what a form names."""
    if form.kind == "union":
        return any(is_named(known, part) for part in form.parts)
    if form.kind == "named":
        return form.of in known.names
    return form.kind == "class" and f"{form.of.__module__}:{form.of.__qualname__}" in known.names


def below(cls: Any, wanted: Any) -> bool:
    try:
        return issubclass(cls, wanted)
    except Exception:  # noqa: BLE001  (a class that cannot be asked)
        return True


def is_number(cls: Any, wanted: Any) -> bool:
    """Whether one kind of number serves as another: an int as a float, as PEP 484 says, and those of NumPy likewise."""
    if wanted is bytes:
        return below(cls, bytearray | memoryview)
    if wanted is bool:
        return cls.__name__ in ("bool", "bool_") and cls.__module__ == "numpy"
    if wanted not in _TOWER:
        return False
    if below(cls, _TOWER[wanted]):
        return True
    if "numbers" not in sys.modules:
        return False
    numbers = sys.modules["numbers"]
    return below(cls, {int: numbers.Integral, float: numbers.Real, complex: numbers.Complex}[wanted])


_TOWER: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float), complex: (int, float, complex)}


def is_like(cls: Any, wanted: Any) -> bool:
    """Whether a class has what subclasses of a mere interface must have.

    A class that cannot be set up, and leaves methods open, is there to be
    imitated: what has those methods serves as well, as a list does for a
    `Dataset` of PyTorch.
    """
    if wanted.__module__.partition(".")[0] in sys.stdlib_module_names:
        return False
    bases = [base for base in wanted.__mro__ if base.__module__ not in ("builtins", "typing", "abc")]
    if any("__init__" in vars(base) or "__new__" in vars(base) for base in bases):
        return False
    open_methods = {
        name
        for base in bases
        for name, value in vars(base).items()
        if "NotImplementedError" in getattr(getattr(value, "__code__", None), "co_names", ())
    }
    open_methods |= getattr(wanted, "__abstractmethods__", frozenset())
    return bool(open_methods) and all(hasattr(cls, name) for name in open_methods)


def _has_methods(cls: type, protocol: Any) -> bool:
    """Whether a class has the methods of a protocol; attributes may come when it is made."""
    if hasattr(cls, "__getattr__"):
        return True
    wanted: Iterator[str] = (
        name
        for base in protocol.__mro__
        if getattr(base, "_is_protocol", False)
        for name, value in vars(base).items()
        if callable(value) and (not name.startswith("_") or name in ("__call__", "__len__", "__getitem__", "__iter__"))
    )
    return all(hasattr(cls, name) for name in wanted)
