"""Building: the calls happen, each once, in the order in which they need each other."""

from __future__ import annotations

from ._layout import layout
from ._leaf import Datum, make_real
from ._path import format_path
from ._ready import References, faults_of, place_of
from ._ref import Ref
from ._running import RUNNING
from ._spec import CALLS, INSTANCES, PARTIALS, call_parts, origin_of
from ._signature import signature_of
from ._target import Name, resolve
from ._tree import TARGET, Kind, fold, kind_of
from .errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_raw = object.__getattribute__


def build(spec: T, *, root: Any = None) -> T:
    """Make the calls that a spec describes; the spec stays as it was.

    A node that is reached twice is built once. Dicts, lists and tuples become
    plain ones. Before the first call happens, everything that is wrong with the
    names, the missing values and the references is reported together.

    Args:
        spec: A call, or anything that holds calls.
        root: Where references by path (`${a.b}`) start that are bound to no
            loaded file; the spec itself by default.

    Returns:
        What the call returned; of a container, the same container of what its
        calls returned. A `Partial` becomes a `functools.partial`.

    Raises:
        SpecError: The spec cannot be built; `faults` has every reason.
        TrustError: It comes from data, and no policy allows its targets.
        Exception: Whatever a target raises, with a note of where in the spec it stands.

    >>> from callsheet import lazy
    >>> build(lazy(dict)(a=lazy(int)("11", base=2)))
    {'a': 3}
    """
    faults = faults_of(spec, root=root, running=RUNNING.get() is not None)
    if faults:
        raise SpecError(*faults)
    references = References(spec if root is None else root)
    trail: list[Any] = []
    current: list[Any] = []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) in CALLS:
            current[:] = [x]
            made = call_now(x, *call_parts(x, keys, values))
            current.clear()
            return made
        if kind.family == "dict":
            return dict(zip(keys, values, strict=True))
        if kind.family == "list":
            return values
        current[:] = [x]
        made = kind.remake(x, keys, values)
        current.clear()
        return made

    try:
        return fold(spec, make, leaf=_leaf, kinds=references.kinds, trail=trail)
    except Exception as error:
        if current:
            error.add_note(_note(current[0], trail))
        raise


def call_now(call: Any, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Make one call, its arguments built already."""
    named = type(target) is Name
    if named:
        target = resolve(target)
    if named and args and kwargs:
        args = _named_later(target, args, kwargs)
    if type(call) in PARTIALS:
        from functools import partial

        return partial(target, *args, **kwargs)
    if type(call) in INSTANCES:
        return _instance(target, kwargs)
    return target(*args, **kwargs)


def _named_later(target: Any, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    """A name that was set later wins over the position that it fills."""
    signature = signature_of(target)
    for n, parameter in enumerate(signature.slots[: len(args)] if signature is not None else ()):
        if parameter.name in kwargs and parameter.name in signature.named:  # type: ignore[union-attr]
            args[n] = kwargs.pop(parameter.name)
    return args


def _instance(cls: Any, fields: dict[str, Any]) -> Any:
    """A dataclass instance from its fields, also those that its constructor does not take."""
    known = getattr(cls, "__dataclass_fields__", {})
    late = {name: fields.pop(name) for name in list(fields) if name in known and not known[name].init}
    made = cls(**fields)
    for name, value in late.items():
        object.__setattr__(made, name, value)
    return made


def _leaf(x: Any) -> Any:
    if type(x) is Name:
        return resolve(x)
    if type(x) is Datum:
        return make_real(x)
    return x


def _note(x: Any, trail: list[Any]) -> str:
    steps = place_of(trail)
    text = layout(x, width=76) if kind_of(type(x)) is not None else repr(x)
    if len(text) > 300:
        text = text[:296] + " ..."
    origin = origin_of(x, TARGET).where if type(x) in CALLS and not isinstance(x, Ref) else ""
    place = format_path(steps) or "the spec"
    lines = [f"while building {place}" + (f", written at {origin}" if origin else "")]
    return "\n".join([*lines, *("    " + line for line in text.split("\n"))])
