"""Overrides applied: what was said meets the spec, and every place that holds what changes follows."""

from __future__ import annotations

from ._bind import bind_all, bind_new
from ._convert import Mismatch, convert
from ._equal import equal
from ._grammar import Override
from ._hint import ANY, Form
from ._items import (
    CALLS,
    LISTS,
    MAPPINGS,
    given_itself,
    origin_of,
    raw_item,
    settle_step,
    signature_text,
    slot_of,
    unknown_argument,
)
from ._journal import Journal
from ._layout import layout
from ._lazy import nothing_at, through
from ._origin import Origin, locate
from ._path import format_path
from ._ref import Ref
from ._said import parse_all
from ._secret import Secret
from ._signature import fields_of, signature_of
from ._spec import attach, copy, delete_item, here, new_list, new_mapping, note_origin, set_item, settle_class
from ._tree import KINDS, kind_of
from ._tree import walk as walk_steps
from ._word import plain_value
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeVar

    S = TypeVar("S")

_raw = object.__getattribute__
_ABSENT = object()


def override(spec: S, texts: Iterable[str] | str) -> S:
    """An edited copy of a spec.

    Args:
        spec: Any spec.
        texts: Overrides: `a.b=1`, `+a.c=[1,2]` (a new key of a dict), `++a.c=1`
            (new or not), `~a.d`, `a.0.b=x`, `a+=[x]`, `a-=[x]`, `a[0:0]=[x]`;
            `@file` for those of a file. One text, or several.

    Returns:
        The copy; it shares with `spec` only nodes that nothing but a reference reaches.

    Raises:
        OverrideError: A text is no override, names what is not there, or has a
            value of the wrong type. `faults` has all of them.

    >>> override({"a": {"b": 1}}, ["a.b=2"])
    {'a': {'b': 2}}
    """
    where = locate(here(), None).where
    made: S = attach(copy(spec))
    apply_all(made, parse_all(texts), where=where)
    return made


def edit(spec: Any, texts: Iterable[str] | str) -> None:
    """Edit a spec in place; the arguments and errors are those of `override`.

    Where one text is wrong, none is applied. The cost does not depend on the size of the spec, unless a node is
    replaced that is held at several places or referred to.

    Raises:
        OverrideError: As for `override`.

    >>> from callsheet import lazy
    >>> call = lazy(dict)(a=1)
    >>> edit(call, ["a=2", "b=3"])
    >>> call
    lazy(dict)(a=2, b=3)
    """
    where = locate(here(), None).where
    journal = Journal()
    try:
        apply_all(spec, parse_all(texts), where=where, journal=journal)
    except BaseException:
        journal.undo()
        raise


def apply_all(
    root: Any, overrides: Iterable[Override], *, where: str, kind: str = "override", journal: Journal | None = None
) -> None:
    """Apply overrides in their order.

    Args:
        root: What their paths start in; edited in place.
        overrides: Each of one value.
        where: Who said them, for origins and errors: `command line`.
        kind: The kind of origin that the values get.
        journal: Gets notes of what is changed.

    Raises:
        OverrideError: With a fault for each that does not fit; the others are applied.
    """
    faults: list[Fault] = []
    for said in overrides:
        try:
            apply(root, said, where=where, kind=kind, journal=journal)
        except OverrideError as error:
            faults += error.faults
    if faults:
        raise OverrideError(*faults)


def apply(root: Any, said: Override, *, where: str, kind: str = "override", journal: Journal | None = None) -> None:
    """Apply one override in place.

    Raises:
        OverrideError: It does not fit.
    """
    journal = journal or Journal()
    where = said.where or where
    holder = holder_of(root, said, where, journal)
    key = settle_step(holder, said.steps[-1])
    cls = type(holder)
    if cls is tuple and isinstance(key, int) and -len(holder) <= key < len(holder):
        whole = format_path(said.steps[:-1])
        advice = [f"give the whole of it:  {whole}=[…]", "or use a list in its place"] if whole else []
        raise OverrideError(Fault(said.path, "stands in a tuple, which cannot be edited", origin=where, advice=advice))
    if said.operation == "delete":
        _delete(holder, key, said, where, journal)
        return
    if cls in MAPPINGS or cls is dict:
        _check_key(holder, key, said, where)
    elif cls in CALLS:
        _check_argument(holder, key, said, where)
    elif cls in LISTS or cls is list:
        if not isinstance(key, int) or not -len(holder) <= key < len(holder):
            raise OverrideError(_at(nothing_at(holder, said.steps, len(said.steps) - 1), where))
    elif kind_of(cls) is not None and cls is not Ref and cls is not tuple:
        if key not in KINDS[cls].items(holder)[0]:  # type: ignore[union-attr]
            raise OverrideError(_at(nothing_at(holder, said.steps, len(said.steps) - 1), where))
    else:
        raise OverrideError(_at(nothing_at(holder, said.steps, len(said.steps) - 1), where))
    try:
        before = raw_item(holder, key)
    except LookupError:
        before = _ABSENT
    origin = _origin(holder, key, said, before, where, kind)
    try:
        hint = Secret if type(before) is Secret else _hint(holder, key)
        value = attach(convert(said.choices[0], hint))
        if said.happens_once:
            value = _changed(before, value, said)
    except Mismatch as error:
        signature = signature_of(_raw(holder, "__target__")) if cls in CALLS else fields_of(cls)
        advice = [signature_text(holder, signature, signature.parameter(key))] if signature is not None else []
        raise OverrideError(Fault(said.path, str(error), origin=where, advice=advice)) from None
    relative = bind_new(value, root)
    _put(root, holder, key, value, origin, journal)
    if relative:
        bind_all(root, error=OverrideError)
    if type(before) in CALLS and _raw(before, "__held__") > 1 and before is not value:
        _replace_everywhere(root, before, value, origin, journal)


def _changed(before: Any, more: Any, said: Override) -> Any:
    """What `a += more`, `a -= more` or `a[0:2] = more` makes of what stands there, as Python does it.

    Raises:
        Mismatch: It cannot be done, or nothing stands there.
    """
    verb = {"append": "added to", "remove": "taken from"}.get(said.operation, "edited")
    problem = f"cannot be {verb} by {said.text.partition('=')[2] or said.text}: "
    if before is _ABSENT:
        raise Mismatch(problem + "nothing is set there")
    if isinstance(before, list | tuple):
        if not isinstance(more, list | tuple):
            sign = "+=" if said.operation == "append" else "-="
            raise Mismatch(f"{problem}it is {layout(before)}, and takes a list: {said.path}{sign}[…]")
        # As they are kept: iterating would read references.
        items = list(list.__iter__(before) if isinstance(before, list) else before)
        _edit_items(items, list(list.__iter__(more) if isinstance(more, list) else more), said, problem)
        return new_list(items) if isinstance(before, list) else tuple(items)
    try:
        if said.operation == "splice":
            raise TypeError
        return attach(before + more if said.operation == "append" else before - more)
    except TypeError:
        raise Mismatch(f"{problem}it is {layout(before)}") from None


def _edit_items(items: list[Any], more: list[Any], said: Override, problem: str) -> None:
    if said.operation == "append":
        items += more
    elif said.span is not None:
        items[slice(*said.span)] = more
    else:
        for value in more:
            n = next((n for n, item in enumerate(items) if equal(item, value)), None)
            if n is None:
                raise Mismatch(f"{problem}it holds no {layout(value)}: it is {layout(items)}")
            del items[n]


def _origin(holder: Any, key: Any, said: Override, before: Any, where: str, kind: str) -> Origin:
    if before is _ABSENT:
        return Origin(kind, where, said.text)
    known = origin_of(holder, key)
    if known.text == said.text and known.where == where and known.kind == kind:
        return known  # the same override, imposed again
    return Origin(kind, where, said.text, (before, known))


def holder_of(root: Any, said: Override, where: str, journal: Journal | None = None) -> Any:
    """What an override edits: the holder of its last step; for a new key, the mappings on the way are made.

    Raises:
        OverrideError: The way leads nowhere.
    """
    value = root
    for n, step in enumerate(said.steps[:-1]):
        holder = through(root, value)
        key = settle_step(holder, step)
        try:
            value = raw_item(holder, key)
        except LookupError:
            if said.operation not in ("add", "force") or type(holder) not in MAPPINGS:
                raise OverrideError(_at(nothing_at(holder, said.steps, n), where)) from None
            value = new_mapping({})
            if journal is not None:
                journal.note(holder, key)
            set_item(holder, key, value, None, origin=Origin("override", where, said.text))
    holder = through(root, value)
    if kind_of(type(holder)) is None or type(holder) is Ref:
        raise OverrideError(_at(nothing_at(holder, said.steps, len(said.steps) - 1), where))
    return holder


def _at(fault: Fault, where: str) -> Fault:
    return Fault(fault.path, fault.problem, origin=where, advice=fault.advice)


def _check_key(holder: Any, key: Any, said: Override, where: str) -> None:
    if key not in holder and said.operation not in ("add", "force"):
        fault = nothing_at(holder, said.steps, len(said.steps) - 1)
        advice = [*fault.advice, *([f"to add it:  +{said.text}"] if said.operation == "set" else [])]
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
            raise OverrideError(_at(nothing_at(call, said.steps, len(said.steps) - 1), where))
        return
    signature = signature_of(_raw(call, "__target__")) if given_itself(call) else None
    if signature is not None and signature.unknown([key]):
        raise OverrideError(unknown_argument(key, call, signature, where, path=said.path))


def _hint(holder: Any, key: Any) -> Form:
    """What is declared for a place, where its holder says so: a dataclass, or a callable that was given itself."""
    cls = type(holder)
    if cls in CALLS:
        signature = signature_of(_raw(holder, "__target__")) if given_itself(holder) else None
    else:
        signature = fields_of(cls)
    return signature.form(key) if signature is not None else ANY


def _put(root: Any, holder: Any, key: Any, value: Any, origin: Origin, journal: Journal) -> None:
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
        _replace_everywhere(root, holder, made, None, journal)
    else:
        journal.note(holder, key)
        setattr(holder, key, value)
        note_origin(holder, key, origin)


def _is_frozen(cls: type) -> bool:
    parameters = getattr(cls, "__dataclass_params__", None)
    return bool(getattr(parameters, "frozen", False)) or "_fields" in dir(cls) or cls.__module__ == "functools"


def _delete(holder: Any, key: Any, said: Override, where: str, journal: Journal) -> None:
    try:
        found = raw_item(holder, key)
    except LookupError:
        raise OverrideError(_at(nothing_at(holder, said.steps, len(said.steps) - 1), where)) from None
    if said.choices and found != plain_value(said.choices[0]):
        raise OverrideError(
            Fault(
                said.path,
                f"is {layout(found)}, so {said.text} does not delete it",
                origin=where,
                advice=[f"write  ~{said.path}"],
            )
        )
    if type(holder) in CALLS or type(holder) in MAPPINGS or type(holder) in LISTS:
        journal.note(holder, key, delete=True)
        delete_item(holder, key)
    elif type(holder) in (dict, list):
        journal.note(holder, key, delete=True)
        del holder[key]
    else:
        raise OverrideError(
            Fault(said.path, f"cannot be deleted: it is a field of {type(holder).__qualname__}", origin=where)
        )


def _replace_everywhere(root: Any, old: Any, new: Any, origin: Origin | None, journal: Journal) -> None:
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
