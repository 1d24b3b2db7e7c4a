"""Specs, and dicts, lists and partials around them, made anew from the bottom up; all faults are told together."""

from __future__ import annotations

import copy
import functools

from callsheet._items import CALLS, DEFERRED, LISTS, MAPPINGS
from callsheet._path import format_path
from callsheet._tree import Kind, fold, steps_of
from callsheet.errors import CallsheetError, Fault

from ._form import SUBJECT, Form, is_form, read_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Make = Callable[[Any, Kind, list[Any], list[Any]], Any]


def made_anew(
    o: Any, make: Make, *, leaf: Callable[[Any], Any] | None = None, kinds: dict[type, Kind | None] | None = None
) -> Any:
    """`fold`, with every fault under the path where it was found.

    Args:
        o: Anything.
        make: Makes a container anew.
        leaf: Makes a leaf anew.
        kinds: Which types are containers.

    Raises:
        CallsheetError: Of the class of the first fault, with all of them.
    """
    trail: list[Any] = []
    found: list[CallsheetError] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            try:
                return function(*args)
            except CallsheetError as error:
                found.append(_placed(error, trail))
                return None

        return call

    made, table = None, ENTERED if kinds is None else kinds
    try:
        made = fold(o, noting(make), leaf=noting(leaf) if leaf else None, kinds=table, trail=trail)
    except CallsheetError as error:
        found.append(error if any(fault.path for fault in error.faults) else _placed(error, trail))
    if found:
        raise type(found[0])(*(fault for error in found for fault in error.faults)) from None
    return made


def _placed(error: CallsheetError, trail: list[Any]) -> CallsheetError:
    path = format_path(steps_of(trail))
    return type(error)(*(_at(path, fault) for fault in error.faults)) if path else error


def _at(path: str, fault: Fault) -> Fault:
    problem = fault.problem.removeprefix(SUBJECT)
    return Fault(fault.path or path, problem, origin=fault.origin, advice=fault.advice)


def remade(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    """A container of the same type with other values; a plain one where its type would not hold them as they are."""
    cls = type(x)
    plain = cls in MAPPINGS or cls in LISTS or cls.__module__.startswith("omegaconf.")
    if kind.family == "dict":
        items = dict(zip(keys, values, strict=True))
        if cls is dict or plain:
            return items
        if not isinstance(x, dict):
            return cls(items)
        made = copy.copy(x)
        made.update(items)
        return made
    if cls is list or plain:
        return values
    return cls._make(values) if hasattr(cls, "_make") else cls(values)


def is_native(x: Any) -> bool:
    """Whether something is a node of Callsheet's own."""
    return type(x) in CALLS or type(x) in DEFERRED


def flat_partial(x: Any) -> Form:
    """What partials within each other say; the target is the function itself."""
    args, kwargs, function = x.args, x.keywords, x.func
    while isinstance(function, functools.partial):
        args, kwargs, function = (*function.args, *args), {**function.keywords, **kwargs}, function.func
    return Form(function, args, kwargs)


def arguments_of(form: Form, keys: list[Any], values: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and the named arguments among the items of what a form was read from."""
    count = len(form.args)
    return tuple(values[:count]), dict(zip(keys[count:], values[count:], strict=True))


def form_items(form: Form) -> tuple[list[Any], list[Any]]:
    """The arguments of a form as the items of a container."""
    return [*range(len(form.args)), *form.kwargs], [*form.args, *form.kwargs.values()]


class Kinds(dict[type, "Kind | None"]):
    """Mappings, lists, tuples, specs, and partials where they count.

    Args:
        spec: Of the classes of specs; None where they are leaves.
        partials: Whether a `functools.partial` is a container.
        forms: Whether a mapping that is a spec holds that spec's arguments, or its keys.
    """

    def __init__(self, *, spec: Kind | None = None, partials: bool = False, forms: bool = True) -> None:
        super().__init__()
        self._spec = spec
        self._partials = partials
        self._mapping = _FORMS if forms else _MAPPING

    def __missing__(self, cls: type) -> Kind | None:
        kind: Kind | None = None
        if hasattr(cls, "__config_spec__"):
            kind = self._spec
        elif issubclass(cls, functools.partial):
            kind = _PARTIAL if self._partials else None
        elif issubclass(cls, list | tuple) or (cls.__module__, cls.__name__) == ("omegaconf.listconfig", "ListConfig"):
            kind = _SEQUENCE
        elif hasattr(cls, "items") and hasattr(cls, "keys"):
            kind = self._mapping
        self[cls] = kind
        return kind


def _mapping_items(x: Any) -> tuple[list[Any], list[Any]]:
    items = dict(x.items())
    return list(items), list(items.values())


def _form_or_mapping_items(x: Any) -> tuple[list[Any], list[Any]]:
    return form_items(read_form(x)) if is_form(x) else _mapping_items(x)


_MAPPING = Kind(_mapping_items, lambda x, keys, values: x, family="dict")
_FORMS = Kind(_form_or_mapping_items, lambda x, keys, values: x, family="dict")
_PARTIAL = Kind(lambda x: form_items(flat_partial(x)), lambda x, keys, values: x, node=True, family="partial")
_SEQUENCE = Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x, family="list")
ENTERED = Kinds()
