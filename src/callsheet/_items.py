"""What stands where in a spec, and what is said of it: raw items, names, origins, faults of arguments."""

from __future__ import annotations

from ._equal import equal
from ._layout import layout
from ._leaf import Datum
from ._origin import UNKNOWN, Origin, locate
from ._ref import Positions, Ref
from ._signature import EMPTY, Parameter, Signature, signature_of
from ._target import Name, name_of
from ._tree import TARGET, kind_of
from ._word import write_value
from .errors import ArgumentError, Fault, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._origin import Site

_raw = object.__getattribute__  # past the hook that reads references

DEFERRED = frozenset((Ref, Name, Datum))
"""Types whose instances stand for another value when they are read as an attribute or an item."""

# The node-kind registry: the classes of a spec's own containers enter it where they are defined, one floor up.
CALLS: set[type] = set()
MAPPINGS: set[type] = set()
LISTS: set[type] = set()


def slot_of(call: Any, key: object) -> int | None:
    """The positional argument that a key means: by its number, or by its name where the callable was given itself."""
    args = _raw(call, "__args__")
    if not args:
        return None
    if isinstance(key, int):
        return key if 0 <= key < len(args) else None
    if isinstance(key, str) and given_itself(call):
        signature = signature_of(_raw(call, "__target__"))
        slot = signature.slot_of(key) if signature is not None else None
        return slot if slot is not None and slot < len(args) else None
    return None


def given_itself(call: Any) -> bool:
    """Whether a call was given its callable itself, and so knows its signature."""
    target = type(_raw(call, "__target__"))
    return target is not Name and target is not Ref and target not in CALLS


def raw_item(holder: Any, key: Any) -> Any:
    """What stands under a key, references unread.

    Raises:
        LookupError: Nothing does.
    """
    cls = type(holder)
    if cls in MAPPINGS:
        return _raw(holder, "__dict__")[key]
    if cls in LISTS or cls is list or cls is tuple:
        if not isinstance(key, int):
            raise KeyError(key)
        return list.__getitem__(holder, key) if cls is not tuple else holder[key]
    if cls in CALLS:
        if key == TARGET:
            return _raw(holder, "__target__")
        slot = slot_of(holder, key)
        if slot is not None:
            return _raw(holder, "__args__")[slot]
        if isinstance(key, int):
            raise IndexError(f"{target_text(holder)} has {len(_raw(holder, '__args__'))} positional arguments")
        return _raw(holder, "__dict__")[key]
    if cls is dict:
        return holder[key]
    kind = kind_of(cls)
    if kind is not None and cls is not Ref:
        keys, values = kind.items(holder)
        if key in keys:
            return values[keys.index(key)]
    if cls is Positions and isinstance(key, int):
        return _raw(holder.call, "__args__")[key]
    raise KeyError(key)


def settle_step(holder: Any, step: Any) -> Any:
    """A step as the key that its holder knows.

    A number between dots is a position where there are positions. A constant in brackets is the text that it reads as
    where there is a key of that text only, or no key but texts.
    """
    if type(step) is not str and (type(step) is bool or not isinstance(step, str | int)):
        return _settle_constant(holder, step)
    if isinstance(step, str) and step.lstrip("-").isdigit():
        cls = type(holder)
        if cls in LISTS or cls in (list, tuple, Positions) or (cls in CALLS and step not in _raw(holder, "__dict__")):
            return int(step)
        if (cls in MAPPINGS or cls is dict) and step not in holder and int(step) in holder:
            return int(step)
    return step


def _settle_constant(holder: Any, step: Any) -> Any:
    text = repr(step)
    if type(holder) not in MAPPINGS and not isinstance(holder, dict):
        return text
    return step if step in holder else next((each for each in (text, write_value(step)) if each in holder), step)


def step_into(holder: Any, step: Any) -> Any:
    """The raw value one step down a path.

    Raises:
        LookupError: There is nothing under this step.
    """
    return raw_item(holder, settle_step(holder, step))


def origin_of(holder: Any, key: Any) -> Origin:
    """Who set an argument or item."""
    cls = type(holder)
    if cls not in CALLS and cls not in MAPPINGS and cls not in LISTS:
        return _origin_of_field(holder, key)
    known = noted_origin(holder, key)
    return known if type(known) is Origin else locate(known, key)


def noted_origin(holder: Any, key: Any) -> Any:
    """What a call, mapping or list has noted of who set an argument or item: an origin, or a site in some code."""
    return (_raw(holder, "__origins__") or {}).get(key) or _raw(holder, "__site__")


def _origin_of_field(x: Any, key: Any) -> Origin:
    """Who has overridden a field of a `Config`, while its value is the one that was set then."""
    origin, value = (field_origins(x) or {}).get(key, (UNKNOWN, None))
    if origin is UNKNOWN:
        return UNKNOWN
    found = getattr(x, key)
    return origin if found is value or equal(found, value) else UNKNOWN


def field_origins(x: Any) -> dict[Any, tuple[Origin, Any]] | None:
    """Who has overridden fields of an instance, and what was set then; None where nothing is noted."""
    return getattr(x, "__origins__", None) if hasattr(type(x), "__callsheet_kind__") else None


def check_names(call: Any, names: Iterable[str], site: Site | None) -> None:
    """Refuse names that a callable which was given itself does not take.

    Raises:
        ArgumentError: With a fault for each.
    """
    signature = signature_of(_raw(call, "__target__")) if given_itself(call) else None
    unknown = signature.unknown(names) if signature is not None else []
    if signature is not None and unknown:
        origin = locate(site, unknown[0]).where
        raise ArgumentError(*(unknown_argument(name, call, signature, origin) for name in unknown))


def unknown_argument(name: str, call: Any, signature: Signature, origin: str, *, path: str = "") -> Fault:
    """The fault of an argument that a target does not take; the nearest that it takes comes first."""
    close = nearest(name, signature.named)
    label = target_text(call)
    if not close:
        return Fault(
            path or name, f"no such argument of {label}", origin=origin, advice=[signature_text(call, signature)]
        )
    holder = path.removesuffix(name)
    given, where = _raw(call, "__dict__").get(close[0], EMPTY), ""
    if given is not EMPTY:
        where = origin_of(call, close[0]).where
    else:
        given = signature.named[close[0]].default
    shown = f" = {layout(given)}" if given is not EMPTY else ""
    return Fault(
        path or name,
        f"no such argument of {label}",
        origin=origin,
        advice=[f"did you mean  {holder}{close[0]}{shown}{f'  ({where})' if where else ''}?"],
    )


def signature_text(holder: Any, signature: Signature, parameter: Parameter | None = None) -> str:
    """A target or dataclass with its parameters: `Net(width: int = 32, classes: int = 10)`.

    Args:
        holder: A call or an instance.
        signature: Of its target or class.
        parameter: The only one that is told with its type where there are too many to read.
    """
    label = target_text(holder).rpartition(".")[2] if type(holder) in CALLS else type(holder).__qualname__
    text = f"{label}({signature.text})"
    if len(text) <= _LONG:
        return text
    if parameter is not None:
        return f"{label}(..., {signature.text_of(parameter)}, ...)"
    return f"{label}({', '.join(p.name for p, _ in signature.parameters)})"


_LONG = 120
"""Columns beyond which a signature is no help."""


def target_text(call: Any) -> str:
    """The target's name for a person: `train.Adam`."""
    return label_of(_raw(call, "__target__"), full=True)


def label_of(target: Any, *, full: bool = False) -> str:
    """A target's name, with its module or without."""
    if kind_of(type(target)) is not None:
        return layout(target)
    name = target if type(target) is Name else name_of(target)
    if name is not None:
        return name.dotted if full else name.qualname
    generic = hasattr(target, "__origin__")  # list[int], which gives the name of list for its own
    return (None if generic else getattr(target, "__qualname__", None)) or repr(target)
