"""Checking: every fault of a spec, found without building anything."""

from __future__ import annotations

import sys

from ._amend import amended
from ._convert import Mismatch, convert
from ._displaced import displaced_faults
from ._equal import equal
from ._fields import taken_by
from ._fit import Judge
from ._grammar import parse
from ._hint import ANY, Form
from ._items import CALLS, LISTS, MAPPINGS, origin_of, raw_item, signature_text
from ._known import Known, known_of
from ._lazy import locate_path
from ._leaf import Datum
from ._lineage import overridden
from ._naming import finder, known_before
from ._origin import UNKNOWN, Origin
from ._path import format_path
from ._placing import note_inside
from ._ready import argument_faults, call_faults, faults_of, guard_faults, import_faults, origin_at, place_of
from ._ref import Ref
from ._remembered import is_told
from ._secret import Secret
from ._signature import EMPTY, Signature, fields_of, signature_of
from ._signature_cache import SignatureCache
from ._spec import attach, given_within, set_item
from ._target import Name, name_of, resolve
from ._tree import ATOMS, KINDS, kind_of
from ._word import Word, plain_value
from .errors import CycleError, Fault, PathError, SpecError, render, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import Any

    from ._signature import Signature

    Steps = tuple[Any, ...]

_raw = object.__getattribute__


def check(spec: Any, *, root: Any = None) -> None:
    """Find everything that is wrong with a spec, without building it.

    Argument names, required and missing values, targets that cannot be
    imported, references that lead nowhere or in a circle, and values that do
    not fit the annotations of what they are given to: of callables, and of the
    fields of dataclasses. What was set by an override becomes the declared type
    here, where the target was only named when it was set.

    Args:
        spec: A call, or anything that holds calls.
        root: Where references by path start that are bound to no loaded file;
            the spec itself by default.

    Raises:
        SpecError: Something is wrong; `faults` has every reason.

    Warns:
        CallsheetWarning: Two names of one object stand in the spec, which count as two.

    >>> from callsheet import lazy
    >>> check(lazy("os.path.join")("a", b=1))
    Traceback (most recent call last):
    callsheet.errors.SpecError: b  no such argument of posixpath.join ...
    """
    spec, root = given_within(spec, root)
    faults, notes = examine(spec, root=root)
    if faults:
        raise SpecError(*faults)
    if notes:
        warn(render(notes))


def find_faults(
    spec: Any, *, root: Any = None, only: Collection[int] | None = None, cache: SignatureCache | None = None
) -> list[Fault]:
    """What `check` raises, as a list; override texts become the declared types on the way.

    Args:
        spec: What shall be checked.
        root: Where references by path start; the spec itself by default.
        only: The ids of the containers that count; all by default.
        cache: What is remembered of signatures, for whoever checks many specs at a time; read anew by default.
    """
    return examine(spec, root=root, only=only, cache=cache)[0]


def examine(
    spec: Any, *, root: Any = None, only: Collection[int] | None = None, cache: SignatureCache | None = None
) -> tuple[list[Fault], list[Fault]]:
    """What `find_faults` finds, and beside it what is worth a note though nothing is wrong."""
    checks = _Checks(spec if root is None else root, cache)
    faults = [
        *faults_of(spec, root=root, visit=checks.faults, only=only),
        *displaced_faults(spec, root=root, only=only),
    ]
    notes = [] if faults else [*checks.two_names()]
    checks.cache.remember(checks.found_out())
    return [*_passed_on(spec, faults)], notes


_COMMON = (bool, int, type(None))
"""Types of values that are one object wherever they stand."""


def _passed_on(spec: Any, faults: list[Fault]) -> Iterator[Fault]:
    """Faults; where a file passes on what an override has set, that is who set it."""
    overrides: dict[int, Origin] | None = None
    for fault in faults:
        try:
            holder, key, _ = locate_path(spec, fault.path)
            value = raw_item(holder, key)
        except (PathError, LookupError):
            yield fault
            continue
        if not fault.origin or type(value) in _COMMON or origin_of(holder, key).kind != "file":
            yield fault
            continue
        if overrides is None:
            try:
                overrides = overridden(spec)
            except CycleError:  # which is a fault of its own
                overrides = {}
        told = overrides.get(id(value))
        if told is None:
            yield fault
        else:
            through = f"{told.text}  comes here by {fault.origin}"
            yield Fault(fault.path, fault.problem, origin=told.where, advice=[*fault.advice, through])


def signatures(root: Any) -> Callable[[Any], Signature | None]:
    """A function that gives the signature of a call, or the fields of an instance: as remembered, else by an import.

    Args:
        root: The spec that they stand in.
    """
    checks = _Checks(root)

    def signature(holder: Any) -> Signature | None:
        found = _signature(holder, checks.sure)
        return found if found is not None else _signature(holder, checks.real)

    return signature


class _Checks:
    """Looks at calls, instances and names: first by what is remembered, and where that leaves a doubt, for real."""

    def __init__(self, root: Any, cache: SignatureCache | None = None) -> None:
        self.cache = cache or SignatureCache()
        self.imported: dict[int, Known] = {}  # by the id of the object
        self.named: dict[int, str] = {}  # by the id of a callable that was given itself
        self.used: dict[str, tuple[Any, Fault]] = {}  # by a name as it is written: a target, and where it stands first
        self.sure = Judge(root, self.recall, importing=False)
        self.real = Judge(root, self.look)

    def faults(self, x: Any, trail: list[Any]) -> Iterable[Fault]:
        """What `faults_of` visits."""
        if type(x) is Datum:
            return import_faults(x, trail)
        if type(x) is Name:
            self._use(x, trail)
            return () if self.recall(x) is not None else import_faults(x, trail)
        if type(x) in CALLS:
            self._use(_raw(x, "__target__"), trail)
        if self._is_sound(x, trail):
            return ()
        found = [*call_faults(x, trail)] if type(x) in CALLS else []
        return [*found, *self._misfits(x, trail, self.real)]

    def look(self, target: Any) -> Known | None:
        """What is known of a callable; None where it cannot be imported, which is a fault of its own."""
        try:
            found = resolve(target) if type(target) is Name else target
        except Exception:  # noqa: BLE001  (of the user's module)
            return None
        known = self.imported.get(id(found))
        if known is None:
            known = self.imported[id(found)] = known_of(found)
        return known

    def recall(self, target: Any) -> Known | None:
        """What is known of a callable without importing it, None for nothing."""
        if type(target) is not Name or target.module in sys.modules or target.module.endswith(".py"):
            return self.look(target)
        return self.cache.find(target)

    def found_out(self) -> Iterator[tuple[Name, Known]]:
        """The names that had to be imported, with what they turned out to be."""
        for name, _ in self.used.values():
            known = self.recall(name) if type(name) is Name else None
            if known is not None and known.found is not EMPTY:
                yield name, known

    def _use(self, target: Any, trail: list[Any]) -> None:
        """Note under what name something is used."""
        if type(target) in CALLS or type(target) is Ref:
            return
        if type(target) is Name:
            text = target.text
        else:
            text = self.named.get(id(target), "")
            if not text:
                name = name_of(target)
                text = self.named[id(target)] = name.text if name is not None else repr(target)
        if text not in self.used:
            self.used[text] = target, Fault(format_path(place_of(trail)), "", origin=origin_at(trail))

    def two_names(self) -> Iterator[Fault]:
        """Objects that stand in the spec under two names."""
        own: dict[str, list[str]] = {}
        for text, (target, _) in self.used.items():
            known = self.recall(target)
            if known is not None and known.name:
                own.setdefault(known.name, []).append(text)
        for texts in own.values():
            objects: dict[int, str] = {}
            for text in texts if len(texts) > 1 else ():
                target, place = self.used[text]
                known = self.look(target)
                first = objects.setdefault(id(known.found), text) if known is not None else text
                if first != text:
                    other = self.used[first][1].path or "the spec"
                    problem = f"{text} is {first} by another name, and counts as another target than in {other}"
                    yield Fault(
                        place.path, problem, origin=place.origin, advice=["name it in one way to have it count as one"]
                    )

    def _is_sound(self, holder: Any, trail: list[Any]) -> bool:
        """Whether nothing is wrong with a call or instance for sure, so far as is known without importing anything."""
        target = _raw(holder, "__target__") if type(holder) in CALLS else None
        if type(target) is Name:
            known = self.recall(target)
            if known is None or known.kind == "value":
                return False
            if known.signature is not None and any(argument_faults(holder, known.signature, trail)):
                return False
            if any(guard_faults(holder, known.signature, trail)):
                return False
        elif any(call_faults(holder, trail)) if target is not None else False:
            return False
        return not any(self._misfits(holder, trail, self.sure))

    def _misfits(self, holder: Any, trail: list[Any], judge: Judge) -> Iterator[Fault]:
        """The faults of the values in a call, a dataclass or its like."""
        signature = _signature(holder, judge)
        if signature is None:
            return
        keys: Iterable[Any] = holder
        if type(holder) not in CALLS:
            kind = kind_of(type(holder))
            held = kind.items(holder)[0] if kind is not None else []
            keys = [name for name in signature.named if name in held]
            if len(keys) < len(signature.named):
                yield from _lost(holder, held, signature, trail)
        for key in keys:
            form = signature.form(key)
            if form is not ANY:
                yield from _of_value(holder, key, form, signature, trail, judge)


def _lost(holder: Any, held: Collection[Any], signature: Signature, trail: list[Any]) -> Iterator[Fault]:
    """The fields that an instance holds no more, and without which its class makes none."""
    cls = type(holder)
    whole = signature_of(cls)
    for name, parameter in taken_by(cls).items():
        if name not in held and whole is not None and parameter in whole.required:
            advice = [signature_text(holder, signature)]
            problem = f"is required by {cls.__qualname__}"
            yield Fault(format_path((*place_of(trail), name)), problem, origin=origin_at(trail), advice=advice)


def _signature(holder: Any, judge: Judge) -> Signature | None:
    if type(holder) not in CALLS:
        return fields_of(type(holder))
    target = _raw(holder, "__target__")
    if type(target) in CALLS or type(target) is Ref:
        return None
    known = judge.look(target)
    return known.signature if known is not None else None


def _of_value(
    holder: Any, key: Any, form: Form, signature: Signature, trail: list[Any], judge: Judge
) -> Iterator[Fault]:
    parameter = signature.parameter(key)
    told = list(settle(holder, key, form, parameter.default if parameter is not None else EMPTY))
    value = raw_item(holder, key)
    if type(value) is Name and judge.importing:  # it may have been a text until now
        yield from import_faults(value, trail, call=holder, key=key)
    if not told and not (parameter is not None and _is_default(value, parameter.default)):
        told = judge.misfits(value, form)
        if told and _is_data(origin_of(holder, key)):
            told = judge.misfits(value, form, data=True)
    for inner, problem in told:
        where = _origin_below(holder, (key, *inner)).where or origin_at(trail)
        advice = [signature_text(holder, signature, parameter)]
        yield Fault(format_path((*place_of(trail), key, *inner)), problem, origin=where, advice=advice)


def settle(holder: Any, key: Any, form: Form, default: Any) -> Iterator[tuple[Steps, str]]:
    """Turn what overrides typed into what is declared, also inside of mappings and lists.

    Args:
        holder: What it stands in.
        key: Under which key.
        form: What is declared there.
        default: What stands there by default.

    Yields:
        The steps below `key` and the problem, for each that cannot become so.
    """
    todo: list[tuple[Any, Any, Form, Steps]] = [(holder, key, form, ())]
    while todo:
        holder, key, form, steps = todo.pop()
        if form is ANY:
            continue
        origin = _origins(holder).get(key)
        try:
            value = raw_item(holder, key)
        except LookupError:
            continue  # taken away since
        if type(origin) is Origin and origin.text and origin.kind in ("override", "sweep"):
            if not is_told(form):
                yield steps, "must be looked up"
                continue
            try:
                value = _settled(holder, key, value, form, origin, default)
            except Mismatch as error:
                yield steps, str(error)
                continue
        if type(value) in MAPPINGS or type(value) in LISTS:
            inside = KINDS[type(value)].items(value)  # type: ignore[union-attr]
            todo += [
                (value, inner, form.of_item(inner), (*steps, inner))
                for inner, item in zip(*inside, strict=True)
                if inner in _origins(value) or type(item) in MAPPINGS or type(item) in LISTS
            ]


def _origins(holder: Any) -> dict[Any, Any]:
    cls = type(holder)
    return _raw(holder, "__origins__") or {} if cls in CALLS or cls in MAPPINGS or cls in LISTS else {}


def _settled(holder: Any, key: Any, value: Any, form: Form, origin: Origin, default: Any) -> Any:
    """What an override typed, as the declared type; it stays in the spec so."""
    made = _as_declared(key, value, form, origin, default)
    if type(made) is not type(value) or made != value:
        set_item(holder, key, made, None, origin=origin)
    return made


def _as_declared(key: Any, value: Any, form: Form, origin: Origin, default: Any) -> Any:
    said = parse(origin.text) if origin.text and origin.kind in ("override", "sweep") else None
    if said is None or said.is_sweep or not said.choices or said.last not in (key, str(key)):
        return value
    if type(value) is Secret:
        return value  # as it was typed: a text is what it becomes
    typed = said.choices[0]
    bound = {typed.text: value} if type(value) is Name and type(typed) is Word else {}
    find = finder((*known_before(origin), default), form, where=origin.where, names=lambda: bound)
    if said.happens_once:
        before, told = origin.replaced or (value, UNKNOWN)
        if not equal(value, amended(before, attach(plain_value(typed)), said, absent=False)):
            return value  # as it was converted, or as something else has changed it
        before = _as_declared(key, before, form, told, default)
        return amended(before, _typed(typed, form, find, origin), said, absent=False)
    if kind_of(type(value)) is not None and not equal(value, plain_value(typed)):
        return value  # it holds what was set later, or what must be built
    return _typed(typed, form, find, origin)


def _typed(typed: Any, form: Form, find: Any, origin: Origin) -> Any:
    made = attach(convert(typed, form, find))
    note_inside(made, Origin(origin.kind, origin.where))
    return made


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) in ATOMS and type(value) is type(default) and bool(value == default))


def _is_data(origin: Origin) -> bool:
    """Whether a value was read from data, where a tuple can only be written as a list."""
    return origin.kind == "data" or origin.where.rpartition(":")[0].endswith((".json", ".yaml", ".yml", ".toml"))


def _origin_below(holder: Any, steps: Steps) -> Origin:
    """Who set a value that may stand inside of what was set as a whole."""
    found = UNKNOWN
    for step in steps:
        inner = origin_of(holder, step)
        found = inner if inner.where else found
        holder = raw_item(holder, step)
    return found
