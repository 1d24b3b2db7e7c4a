"""Overrides applied: what was said meets the spec, and every place that holds what changes follows."""

from __future__ import annotations

from ._amend import amended
from ._arguments import swap_target
from ._bind import bind_all, bind_new
from ._convert import Mismatch, convert
from ._grammar import Override
from ._hint import ANY, Form
from ._holder import check_place, declared_by, holder_of, nothing_there, way_to
from ._items import (
    CALLS,
    DEFERRED,
    LISTS,
    MAPPINGS,
    given_itself,
    origin_of,
    raw_item,
    settle_step,
    signature_text,
    slot_of,
)
from ._journal import Journal
from ._layout import layout
from ._naming import finder, known_before
from ._origin import Origin
from ._placing import is_default, note_inside, own_default, put, replace_everywhere
from ._secret import Secret
from ._signature import signature_of
from ._spec import attach, delete_item, new_call, note_origin
from ._swap import (
    Surroundings,
    is_node,
    left_out,
    names_object,
    names_of,
    remade,
    same_target,
    target_named,
    variant_named,
)
from ._target import ModuleName, Name, resolve
from ._tree import TARGET, kind_of
from ._wildcard import places_below
from ._word import Given, Word, plain_value
from .errors import Fault, OverrideError, ReferenceUseError, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


_raw = object.__getattribute__
_ABSENT = object()


def apply_all(
    root: Any,
    overrides: Iterable[Override],
    *,
    where: str,
    kind: str = "override",
    journal: Journal | None = None,
    around: Surroundings | None = None,
) -> Any:
    """Apply overrides in their order.

    Args:
        root: What their paths start in; edited in place, where it is not frozen.
        overrides: Each of one value.
        where: Who said them, for origins and errors: `command line`.
        kind: The kind of origin that the values get.
        journal: Gets notes of what is changed.
        around: What the words of swaps and variants can name; without it, the first level of the spec.

    Returns:
        The root; another one where that is frozen and what it holds has changed.

    Raises:
        OverrideError: With a fault for each that does not fit; the others are applied.
    """
    faults: list[Fault] = []
    for said in overrides:
        try:
            root = apply(root, said, where=where, kind=kind, journal=journal, around=around)
        except OverrideError as error:
            faults += error.faults
    if faults:
        raise OverrideError(*faults)
    return root


def apply(
    root: Any,
    said: Override,
    *,
    where: str,
    kind: str = "override",
    journal: Journal | None = None,
    around: Surroundings | None = None,
) -> Any:
    """Apply one override; the arguments, and what is returned, are those of `apply_all`.

    Raises:
        OverrideError: It does not fit.
    """
    journal = journal or Journal()
    where = said.where or where
    around = around or _around(root)
    if said.below:
        return _apply_below(root, said, where=where, kind=kind, journal=journal, around=around)
    root, holder = _owned(root, said, where, journal)
    key = settle_step(holder, said.steps[-1])
    check_place(holder, key, said, where)
    if said.operation == "delete":
        _delete(holder, key, said, where, journal)
        return root
    try:
        before = raw_item(holder, key)
    except LookupError:
        before = _ABSENT
    first = said.choices[0]
    origin = _origin(holder, key, said, before, where, "given" if type(first) is Given else kind)
    word = first.text if type(first) is Word and first.value is first.text and not said.happens_once else ""
    if word[:1] == "@":
        value = variant_named(word[1:], root, said, around, where)
    elif word and is_node(before) and names_object(word):
        value, old = _swapped(before, word, said, around, origin, journal)
        if old is not None:
            journal.note(holder, key)
            note_origin(holder, key, Origin(kind, where, said.text, (old, origin_of(holder, key))))
    else:
        value = _converted(holder, key, before, said, around, where=where, kind=kind)
    if value is before and is_node(before):
        return root
    relative = bind_new(value, root)
    root = put(root, holder, key, value, origin, journal, path=said.path)
    if relative:
        bind_all(root, error=OverrideError)
    if _may_be_held_twice(before, root) and before is not value:
        try:
            return replace_everywhere(root, before, value, origin, journal)
        except ReferenceUseError as error:
            fault = error.faults[0]
            raise OverrideError(Fault(said.path, fault.problem, origin=where, advice=fault.advice)) from None
    return root


def _owned(root: Any, said: Override, where: str, journal: Journal) -> tuple[Any, Any]:
    """The root and the holder of what is overridden; a class default on the way, which others hold too, is copied."""
    way = way_to(root, said, where, makes=False)
    for n, step in enumerate(said.steps):
        if n < len(way) and is_default(way[n], step):
            root = own_default(root, way[n], step, journal)
            way = way_to(root, said, where, makes=False)
    return root, way[-1] if len(way) == len(said.steps) else holder_of(root, said, where, journal)


def single(root: Any, said: Override, *, where: str, kind: str) -> tuple[Any, Any, Any, Origin] | None:
    """What an override comes to that puts one leaf in the place of another, or where nothing was; nothing is edited.

    Returns:
        The mapping or call that holds it, the key, the value and its origin; None where `apply` does more than set that
        item, or refuses.
    """
    first = said.choices[0] if said.operation == "set" and not said.below else ""
    if first == "" or (type(first) is Word and first.text[:1] == "@"):
        return None
    where = said.where or where
    kind = "given" if type(first) is Given else kind
    try:
        holder = holder_of(root, said, where)
        key = settle_step(holder, said.steps[-1])
        if type(holder) not in CALLS and type(holder) not in MAPPINGS:
            return None
        check_place(holder, key, said, where)
        before = _raw(holder, "__dict__").get(key, _ABSENT)
        if (type(holder) in CALLS and slot_of(holder, key) is not None) or not _is_leaf(before):
            return None
        value = _converted(holder, key, before, said, _around(root), where=where, kind=kind)
    except OverrideError:
        return None
    return (holder, key, value, _origin(holder, key, said, before, where, kind)) if _is_leaf(value) else None


def _is_leaf(value: Any) -> bool:
    return kind_of(type(value)) is None and type(value) not in DEFERRED


def _apply_below(root: Any, said: Override, **more: Any) -> Any:
    """Apply a wildcard at each place that it means, what lies deepest first: what is set may go with what holds it.

    Raises:
        OverrideError: With the faults of all places, or there is none.
    """
    faults: list[Fault] = []
    for one in each_below(root, said, more["where"], more["around"]):
        try:
            root = apply(root, one, **more)
        except OverrideError as error:
            faults[:0] = error.faults
    if faults:
        raise OverrideError(*faults)
    return root


def each_below(
    root: Any,
    said: Override,
    where: str,
    around: Surroundings,
    *,
    stands: Callable[[Any, Any], bool] | None = None,
    names: tuple[str, ...] | None = None,
    quiet: bool = False,
) -> list[Override]:
    """An override for each place that a wildcard means, the deepest first; the arguments are those of `places_below`.

    Raises:
        OverrideError, TargetError, TrustError: As for `places_below`.
    """
    places = places_below(root, said, where, around.takers, stands=stands, names=names, quiet=quiet)
    return [said.like(steps=steps, below=()) for steps in reversed(places)]


def _around(root: Any) -> Surroundings:
    """What a spec alone knows by names: its own first level."""
    names = names_of(root)
    return Surroundings(lambda: names)


def _may_be_held_twice(node: Any, root: Any) -> bool:
    """Whether other places may hold a node, or references lead to it: only a spec's own containers count those."""
    counts = type(node) in CALLS and (type(root) in CALLS or type(root) in MAPPINGS or type(root) in LISTS)
    return _raw(node, "__held__") > 1 if counts else is_node(node)


def _converted(
    holder: Any, key: Any, before: Any, said: Override, around: Surroundings, *, where: str, kind: str
) -> Any:
    """What was typed as the declared type, together with what stands there where it is added to that.

    Raises:
        OverrideError: It does not fit.
    """
    try:
        value = attach(_read(holder, key, before, said, where, around))
        note_inside(value, Origin(kind, where))
        return amended(before, value, said, absent=before is _ABSENT) if said.happens_once else value
    except Mismatch as error:
        signature = declared_by(holder)
        advice = [signature_text(holder, signature, signature.parameter(key))] if signature is not None else []
        raise OverrideError(Fault(said.path, str(error), origin=where, advice=advice)) from None


def _read(holder: Any, key: Any, before: Any, said: Override, where: str, around: Surroundings) -> Any:
    word = said.choices[0]
    if type(word) is Given:
        return word.value
    signature = None if type(before) is Secret else declared_by(holder)
    form = signature.form(key) if signature is not None else ANY
    if form is ANY and type(before) is Name and isinstance(word, Word) and word.value is word.text:
        # An object stands there, but nobody knows yet what is declared: `check` has the last word.
        bound = around.names().get(word.text.partition(".")[0])
        named = type(bound) is Name or type(bound) is ModuleName
        return finder((), form, where=where, names=around.names)(word.text) or word.text if named else word.text
    if signature is None or form.kind in ("any", "class", "literal"):
        return convert(word, Secret if type(before) is Secret else form)
    parameter = signature.parameter(key)
    known = (before, *known_before(origin_of(holder, key)), parameter.default if parameter is not None else None)
    return convert(word, form, finder(known, form, where=where, names=around.names))


def _swapped(
    before: Any, word: str, said: Override, around: Surroundings, origin: Origin, journal: Journal
) -> tuple[Any, Any]:
    """What a node becomes: itself with another target, or an instance of another class; with the arguments that fit.

    Returns:
        The node, and what it was where it is the same one, changed; None where it is another or nothing changed.

    Raises:
        OverrideError: The word names nothing that can be called.
        TargetError, TrustError: A target cannot be imported.
    """
    target = target_named(word, before, said, around, origin.where)
    around.takers.remember()
    old = None
    if type(before) not in CALLS:
        if type(before) is target:
            return before, None
        value, dropped = remade(before, target, said, origin.where)
    else:
        held = _raw(before, "__target__")
        if same_target(held, target):
            return before, None
        value = before
        old = new_call(type(before), held, [*_raw(before, "__args__")], {**_raw(before, "__dict__")})
        journal.note(before, None)
        told = Origin(origin.kind, origin.where, said.text, (held, origin_of(before, TARGET)))
        dropped = [*swap_target(before, target, {}, None, origin=told, signature=around.takers.signature)]
    if dropped:
        warn(left_out(said, target, dropped))
    return value, old


def _origin(holder: Any, key: Any, said: Override, before: Any, where: str, kind: str) -> Origin:
    if before is _ABSENT:
        return Origin(kind, where, said.text)
    known = origin_of(holder, key)
    if known.text == said.text and known.where == where and known.kind == kind:
        return known  # the same override, imposed again
    return Origin(kind, where, said.text, (before, known))


def declared_for(root: Any, said: Override, where: str) -> Form:
    """What is declared for the place that an override means; a target that is only named is imported for it.

    Raises:
        OverrideError: The way to it leads nowhere.
        TargetError, TrustError: The target cannot be imported.
    """
    if said.below:
        said = each_below(root, said, where, _around(root))[-1]
    holder = holder_of(root, said, where)
    if type(holder) not in CALLS or given_itself(holder):
        return _hint(holder, said.steps[-1])
    target = _raw(holder, "__target__")
    signature = signature_of(resolve(target)) if type(target) is Name else None
    return signature.form(said.steps[-1]) if signature is not None else ANY


def _hint(holder: Any, key: Any) -> Form:
    signature = declared_by(holder)
    return signature.form(key) if signature is not None else ANY


def _delete(holder: Any, key: Any, said: Override, where: str, journal: Journal) -> None:
    try:
        found = raw_item(holder, key)
    except LookupError:
        raise nothing_there(holder, said, where) from None
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
