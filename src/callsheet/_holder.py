"""What holds the place that an override names, and whether it takes what is said."""

from __future__ import annotations

from ._equal import equal
from ._fields import asked_beyond_fields, computes, has_fields, taken_by
from ._items import CALLS, LISTS, MAPPINGS, given_itself, origin_of, raw_item, settle_step, slot_of, unknown_argument
from ._layout import layout
from ._lazy import nothing_at, through
from ._origin import Origin
from ._path import format_path
from ._ref import Ref
from ._said import typed
from ._signature import fields_of, signature_of
from ._spec import new_mapping, set_item
from ._tree import KINDS, kind_of, walk
from .errors import CallsheetError, Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._grammar import Override
    from ._journal import Journal
    from ._signature import Signature

_raw = object.__getattribute__


def holder_of(root: Any, said: Override, where: str, journal: Journal | None = None) -> Any:
    """What an override edits: the holder of its last step; for a new key, the mappings on the way are made.

    Raises:
        OverrideError: The way leads nowhere.
    """
    return way_to(root, said, where, journal)[-1]


def way_to(root: Any, said: Override, where: str, journal: Journal | None = None, *, makes: bool = True) -> list[Any]:
    """What holds each step of an override, as `holder_of` gives the last; as far as it is there, where nothing is made.

    Raises:
        OverrideError: The way leads nowhere.
    """
    way: list[Any] = []
    value = root
    for n, step in enumerate(said.steps[:-1]):
        holder = through(root, value) if type(value) is Ref else value
        way.append(holder)
        key = settle_step(holder, step)
        try:
            value = raw_item(holder, key)
        except LookupError:
            is_plain = type(holder) is dict
            if said.operation not in ("add", "force") or not (is_plain or type(holder) in MAPPINGS):
                raise nothing_there(holder, said, where, n) from None
            if not makes:
                return way
            if journal is not None:
                journal.note(holder, key)
            value = {} if is_plain else new_mapping({})
            if is_plain:
                holder[key] = value
            else:
                set_item(holder, key, value, None, origin=Origin("override", where, said.text))
    holder = through(root, value) if type(value) is Ref else value
    if kind_of(type(holder)) is None or type(holder) is Ref:
        raise nothing_there(holder, said, where)
    return [*way, holder]


def nothing_there(holder: Any, said: Override, where: str, n: int | None = None) -> OverrideError:
    """The error for a step of an override, the last by default, which its holder has not."""
    n = len(said.steps) - 1 if n is None else n
    fault = nothing_at(holder, said.steps, n)
    advice = [*_further_down(holder, said, n), *fault.advice]
    return OverrideError(Fault(fault.path, fault.problem, origin=where, advice=advice))


def _further_down(holder: Any, said: Override, n: int) -> list[str]:
    """What may have been meant where the rest of an override's path, from step `n`, stands in few places below."""
    rest, written = said.steps[n:], format_path(said.steps)
    sign, path, value = said.text.partition(written)
    if not path or sign not in ("", "~"):
        return []
    try:
        found = [steps for steps, _ in walk(holder) if len(steps) > len(rest) and steps[-len(rest) :] == rest]
    except CallsheetError:
        return []  # what holds itself is told by whoever looks at it as a whole
    places = [format_path((*said.steps[:n], *steps)) for steps in found] if len(found) <= _FEW else []
    return [f"did you mean  {typed(sign + place + value)}?" for place in places]


_FEW = 3
"""Places that are told as what may have been meant: of more, none is likely."""


def check_place(holder: Any, key: Any, said: Override, where: str) -> None:
    """Refuse what the holder has not, and does not take.

    Raises:
        OverrideError: With what there is.
    """
    cls = type(holder)
    if cls is tuple and isinstance(key, int) and -len(holder) <= key < len(holder):
        whole = format_path(said.steps[:-1])
        advice = [f"give the whole of it:  {whole}=[…]", "or use a list in its place"] if whole else []
        raise OverrideError(Fault(said.path, "stands in a tuple, which cannot be edited", origin=where, advice=advice))
    if said.operation == "delete":
        return
    if cls in MAPPINGS or cls is dict:
        _check_key(holder, key, said, where)
    elif cls in CALLS:
        _check_argument(holder, key, said, where)
    elif cls in LISTS or cls is list:
        if not isinstance(key, int) or not -len(holder) <= key < len(holder):
            raise nothing_there(holder, said, where)
    elif kind_of(cls) is None or cls is Ref or cls is tuple or key not in KINDS[cls].items(holder)[0]:  # type: ignore[union-attr]
        raise nothing_there(holder, said, where)
    elif has_fields(cls):
        _check_field(cls, key, said, where)


def _check_key(holder: Any, key: Any, said: Override, where: str) -> None:
    if key not in holder and said.operation not in ("add", "force"):
        (fault,) = nothing_there(holder, said, where).faults
        advice = [*fault.advice, *([f"to add it:  {typed('+' + said.text)}"] if said.operation == "set" else [])]
        raise OverrideError(Fault(said.path, fault.problem, origin=where, advice=advice))
    if key in holder and said.operation == "add":
        found = raw_item(holder, key)
        known = origin_of(holder, key)
        if known.text == said.text:  # set while the file ran: what counts is whether something stood there before
            if known.replaced is None or equal(known.replaced[0], found):
                return
            found = known.replaced[0]
        advice = [f"to change it:  {said.text.lstrip('+')}"]
        raise OverrideError(Fault(said.path, f"is there already: {layout(found)}", origin=where, advice=advice))


def _check_argument(call: Any, key: Any, said: Override, where: str) -> None:
    if isinstance(key, int):
        if slot_of(call, key) is None:
            raise nothing_there(call, said, where)
        return
    if key in _raw(call, "__dict__"):
        return
    signature = signature_of(_raw(call, "__target__")) if given_itself(call) else None
    if signature is not None and signature.unknown([key]):
        raise OverrideError(unknown_argument(key, call, signature, where, path=said.path))


def _check_field(cls: type, key: Any, said: Override, where: str) -> None:
    """Refuse a field of which building the instance would keep nothing, or on which others depend that it cannot."""
    name, asked = cls.__qualname__, asked_beyond_fields(cls)
    if asked:
        problem = f"{name} cannot be made again with another: its constructor asks for {', '.join(asked)}"
        advice = [f"describe it with  lazy({name})(…)"]
    elif computes(cls) and key not in taken_by(cls):
        problem = f"is made by {name}, whose constructor does not take it"
        advice = [f"it takes  {', '.join(taken_by(cls))}"]
    else:
        return
    raise OverrideError(Fault(said.path, problem, origin=where, advice=advice))


def declared_by(holder: Any) -> Signature | None:
    """What a holder declares, where it says so: a dataclass, or a callable that was given itself."""
    if type(holder) not in CALLS:
        return fields_of(type(holder))
    return signature_of(_raw(holder, "__target__")) if given_itself(holder) else None
