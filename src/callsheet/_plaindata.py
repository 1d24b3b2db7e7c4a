"""A spec as plain data, one way: for programs that read values and ask nothing of what they belonged to."""

from __future__ import annotations

from ._items import given_itself
from ._leaf import Datum, not_data, write_leaf
from ._path import format_path
from ._read import LATER, Values
from ._ref import Ref, ref_text
from ._signature import signature_of
from ._spec import given
from ._tree import KINDS, TARGET, Kind, fold, is_enum, steps_of
from ._written import WRITTEN, written
from .errors import PathError, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_raw = object.__getattribute__


def plain_data(spec: Any) -> Any:
    """A spec as dicts, lists, texts, numbers, truth values and None.

    A dataclass is the dict of its fields, a call that of its arguments. A reference is what it leads to; what only a
    build, a run or the environment knows is a text. Tuples and sets are lists, an enum member is its value, a secret
    the place where it is kept, what else JSON lacks a text.

    Raises:
        SaveError: It holds something that is not data.
        CycleError: It contains itself.
    """
    spec = given(spec)
    values = Values(spec)
    trail: list[Any] = []

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        try:
            found = values.of(ref)
        except PathError:
            found = LATER
        return ([], []) if found is LATER else ([None], [found])

    def leaf(x: Any) -> Any:
        made = _leaf_data(x)
        if made is LATER:
            raise SaveError(not_data(format_path(steps_of(trail)), x, ""))
        return made

    return fold(
        spec, _made, leaf=leaf, kinds={**KINDS, Ref: Kind(items, lambda x, keys, made: x, family="ref")}, trail=trail
    )


def _made(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    if type(x) is Ref:
        return values[0] if values else _reference_text(x)
    values = [_leaf_data(value) if isinstance(value, bytes | complex) else value for value in values]
    if kind.family in ("list", "tuple"):
        return values
    names = _argument_names(x) if kind.family in ("call", "partial") else []
    named = [names[key] if isinstance(key, int) and key < len(names) else key for key in keys]
    return {str(name): value for name, value in zip(named, values, strict=True) if name != TARGET}


def _reference_text(ref: Ref) -> str:
    """A reference whose value nobody knows yet, as it is written."""
    return written(ref.__base__, ref.__dots__) if type(ref.__base__) in WRITTEN and not ref.__steps__ else ref_text(ref)


def _argument_names(call: Any) -> list[str]:
    """The names of a call's positions, as far as its callable is there and has some."""
    signature = signature_of(_raw(call, "__target__")) if given_itself(call) else None
    return [] if signature is None else [slot.name for slot in signature.slots]


def _leaf_data(x: Any) -> Any:
    if is_enum(x):
        return x.value if type(x.value) in (str, int, float, bool) else x.name
    if isinstance(x, set | frozenset | range):
        return [_leaf_data(item) for item in (x if isinstance(x, range) else sorted(x, key=repr))]
    if type(x) in (bool, int, float, str, type(None)):
        return x
    if getattr(x, "shape", None) == () and hasattr(x, "item"):  # a number of NumPy
        return x.item()
    found = write_leaf(x)
    if found is None:
        return LATER
    if type(x) is Datum and found[0] == "enum":
        return found[1][-1]
    return found[1] if isinstance(found[1], str) else "???" if found[0] == "missing" else str(x)
