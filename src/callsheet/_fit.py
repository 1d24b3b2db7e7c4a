"""Whether a value of a spec fits what is declared, told before anything is built."""

from __future__ import annotations

from ._annotation import EMPTY
from ._hint import ANY, Form
from ._instances import Deferring
from ._items import CALLS, LISTS, MAPPINGS
from ._known import Known, known_of
from ._layout import layout
from ._lazy import plain, through
from ._leaf import MISSING, Datum, make_real
from ._read import read
from ._ref import Ref, ref_text
from ._secret import Secret
from ._serves import below, is_like, is_named, is_number, makes, may_be
from ._signature import signature_of
from ._spec import PARTIALS
from ._target import Name
from ._tree import Kind, kind_of
from ._written import class_of
from .errors import CallsheetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Misfit = tuple[tuple[object, ...], str]
    """The steps below the value that was judged, and what is wrong there."""

_raw = object.__getattribute__
_MANY = 4
"""Items of one collection that are told one by one."""


class Judge:
    """Tells whether values fit forms.

    Args:
        root: Where references by path start that are bound to no other root.
        look: What is known of a name or a callable; None where that cannot be told.
        importing: Whether `look` imports what it is asked for. If so, what cannot be
            imported fits, being a fault of its own; if not, it does not.
    """

    def __init__(self, root: Any, look: Callable[[Any], Known | None], *, importing: bool = True) -> None:
        self.root = root
        self.look = look
        self.importing = importing

    def misfits(self, value: Any, form: Form, *, data: bool = False) -> list[Misfit]:
        """Why a value does not fit; nothing where it does, or where only building can tell.

        Args:
            value: As it stands in a spec: a call counts as what it will give.
            form: What is declared.
            data: Whether the value was read from data, which has no tuples.
        """
        cls = type(value)
        if form.kind == "any" or value is MISSING or (form.kind == "class" and cls is form.of):
            return []
        if cls is Ref:
            return self._reference(value, form, data)
        if cls is Datum:
            return self._datum(value, form)
        if cls is Secret:
            return self._secret(form)
        if form.kind == "union":
            return self._union(value, form, data)
        if cls is Name:
            return self._name(value, form)
        if cls in PARTIALS:
            return _unless(self._partial_fits(value, form), form, value)
        if cls in CALLS:
            return _unless(self._call_fits(value, form), form, value)
        kind = kind_of(cls)
        if kind is not None and (kind.call is not None or kind.by_hand):
            is_wanted = form.kind == "class" and below(cls, form.of)  # the config, and not what it builds
            return _unless(is_wanted or self._config_fits(value, kind, form), form, value)
        if form.kind in ("items", "many", "tuple", "mapping", "typed"):
            return self._container(value, form, data)
        return _unless(_PLAIN[form.kind](self, value, form), form, value)

    # --- what stands for another value --------------------------------------------------------------------------------

    def _reference(self, ref: Ref, form: Form, data: bool) -> list[Misfit]:
        try:
            found = through(self.root, ref)
            found = read(ref) if found is ref else found
        except Exception:  # noqa: BLE001  (it leads nowhere, a fault of its own, or building it will fail)
            return []
        if type(found) is Ref:
            cls = class_of(found)
            if cls is None or makes(known_of(cls), form):
                return []
            shown = "a text" if cls is str else "a number"
            return [((), f"must be {form.text}, found {shown} by {ref_text(ref)}")]
        if not self.misfits(found, form, data=data):
            return []
        return [((), f"must be {form.text}, found {_shown(found)} by {ref_text(ref)}")]

    def _datum(self, datum: Datum, form: Form) -> list[Misfit]:
        if not self.importing:
            return _unless(False, form, datum)
        try:
            found = make_real(datum)
        except Exception:  # noqa: BLE001  (it cannot be made, which is a fault of its own)
            return []
        return self.misfits(found, form)

    def _secret(self, form: Form) -> list[Misfit]:
        """A secret is built into a text."""
        kept = any(part.of is Secret for part in (form, *form.parts))
        return [] if kept or makes(known_of(str), form) else [((), f"must be {form.text}, found a secret")]

    def _union(self, value: Any, form: Form, data: bool) -> list[Misfit]:
        told = []
        for part in form.parts:
            misfits = self.misfits(value, part, data=data)
            if not misfits:
                return []
            told.append(misfits)
        inside = [misfits for misfits in told if misfits[0][0]]
        return inside[0] if len(inside) == 1 else _unless(False, form, value)

    # --- calls, partials and names ------------------------------------------------------------------------------------

    def _name(self, name: Name, form: Form) -> list[Misfit]:
        known = self.look(name)
        if known is None:
            return _unless(self.importing, form, name)
        if known.found is not EMPTY:
            return [(steps, problem) for steps, problem in self.misfits(known.found, form)]
        return _unless(self._remembered_fits(known, form), form, name)

    def _remembered_fits(self, known: Known, form: Form) -> bool:
        """Whether it is sure that an object fits which is only remembered."""
        if form.kind == "callable" and known.kind != "value":
            return bool(form.of) and self._gives(known, form.parts[0])
        if form.kind == "type" and known.kind == "class":
            inner = form.parts[0]
            return inner is ANY or is_named(known, inner)
        return known.kind == "value" and is_named(known, form)

    def _call_fits(self, call: Any, form: Form) -> bool:
        target = _raw(call, "__target__")
        if type(target) in CALLS or type(target) is Ref:
            return True
        known = self.look(target)
        return self._gives(known, form) if known is not None else self.importing

    def _config_fits(self, config: Any, kind: Kind, form: Form) -> bool:
        """Whether what a config builds may fit."""
        if kind.call is None:
            build = getattr(type(config).build, "__wrapped__", None)
            return build is None or self._gives(known_of(build), form)
        try:
            return self._call_fits(kind.call(config), form)
        except CallsheetError:
            return True  # it does not say what it builds, which is a fault of its own

    def _gives(self, known: Known, form: Form) -> bool:
        """Whether what calling it gives may fit."""
        if known.kind != "class":
            return known.returned is ANY or may_be(known, known.returned, form)
        return not known.exact or makes(known, form)

    def _partial_fits(self, call: Any, form: Form) -> bool:
        target = _raw(call, "__target__")
        if type(target) in CALLS or type(target) is Ref:
            return form.kind in ("callable", "protocol") or (form.kind == "other" and form.hint is not EMPTY)
        known = self.look(target)
        if known is None:
            return self.importing
        if form.kind == "callable" and not self._gives(known, form.parts[0]):
            return False
        if form.kind == "callable" and form.of:
            return True
        from functools import partial

        if form.kind == "class":
            return issubclass(partial, form.of)
        if known.found is EMPTY or form.kind not in ("callable", "protocol", "other"):
            return False
        given = partial(known.found, *_raw(call, "__args__"), **_raw(call, "__dict__"))
        return _fits_hint(given, form)

    # --- containers ---------------------------------------------------------------------------------------------------

    def _container(self, value: Any, form: Form, data: bool) -> list[Misfit]:
        cls = _plain_type(type(value))
        if form.kind in ("mapping", "typed"):
            wanted = dict if form.kind == "typed" else form.of
            return self._mapping(value, form, data) if below(cls, wanted) else _unless(False, form, value)
        # A list and a tuple are read alike; data has no other way to write a tuple.
        alike = (cls is tuple and form.of is list) or (cls is list and form.of is tuple and data)
        if not alike and not below(cls, form.of):
            return _unless(False, form, value)
        if not issubclass(cls, list | tuple | set | frozenset):
            return _unless(cls is not str or not self.misfits(value[:1], form.parts[0]), form, value)
        items = list(list.__iter__(value)) if type(value) in LISTS else list(value)
        parts = form.of_items(len(items))
        if parts is None:
            return _unless(False, form, value)
        if form.kind != "tuple" and parts and parts[0].kind == "class" and set(map(type, items)) == {parts[0].of}:
            return []
        judged = (self.misfits(item, part, data=data) for item, part in zip(items, parts, strict=True))
        told = [(n, misfits) for n, misfits in enumerate(judged) if misfits]
        if len(told) > _MANY or (told and issubclass(cls, set | frozenset)):
            return _unless(False, form, value)
        return [((n, *steps), problem) for n, misfits in told for steps, problem in misfits]

    def _mapping(self, value: Any, form: Form, data: bool) -> list[Misfit]:
        kind = kind_of(type(value))
        keys, values = kind.items(value) if kind is not None else (list(value), list(value.values()))
        if form.kind == "typed":
            if not set(keys) <= form.of.keys() or any(needed and key not in keys for key, needed in form.of.items()):
                return _unless(False, form, value)
        elif any(self.misfits(key, form.parts[0]) for key in keys):
            return _unless(False, form, value)
        told = [
            (key, misfits)
            for key, inner in zip(keys, values, strict=True)
            if (misfits := self.misfits(inner, form.of_item(key), data=data))
        ]
        if len(told) > _MANY:
            return _unless(False, form, value)
        return [((key, *steps), problem) for key, misfits in told for steps, problem in misfits]


# --- values that are there --------------------------------------------------------------------------------------------


def _class_fits(judge: Judge, value: Any, form: Form) -> bool:
    cls, wanted = _plain_type(type(value)), form.of
    if below(cls, wanted) or is_number(cls, wanted) or is_like(cls, wanted):
        return True
    try:
        return cls is type(value) and isinstance(value, wanted)
    except Exception:  # noqa: BLE001  (a class that cannot be asked, of a library for arrays)
        return True


def _literal_fits(judge: Judge, value: Any, form: Form) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in form.of)


def _type_fits(judge: Judge, value: Any, form: Form) -> bool:
    value = getattr(value, "__origin__", value)
    if not isinstance(value, type):
        return False
    inner = form.parts[0]
    return any(
        part.kind not in ("class", "named")
        or (below(value, part.of) if part.kind == "class" else is_named(known_of(value), part))
        for part in (inner.parts if inner.kind == "union" else [inner])
    )


def _callable_fits(judge: Judge, value: Any, form: Form) -> bool:
    if not callable(value):
        return False
    returned = form.parts[0]
    if returned is not ANY and not judge._gives(known_of(value), returned):
        return False
    return bool(form.of) or _fits_hint(value, form)


_PLAIN: dict[str, Callable[[Judge, Any, Form], bool]] = {
    "class": _class_fits,
    "named": lambda judge, value, form: form.of in known_of(_plain_type(type(value))).names,
    "literal": _literal_fits,
    "type": _type_fits,
    "callable": _callable_fits,
    "protocol": lambda judge, value, form: _fits_hint(value, form),
    "other": lambda judge, value, form: _fits_hint(value, form),
}


def _fits_hint(value: Any, form: Form) -> bool:
    """What only the annotation itself can tell; a form that was only remembered cannot."""
    if form.hint is EMPTY:
        return False
    kind = kind_of(type(value))
    if kind is not None and kind.family != "partial":
        if Deferring()(value):
            return True  # what it will hold is known only when it is built
        value = plain(value)
    import typeguard

    hint = _call_hint(form.of) if form.kind == "protocol" and "__call__" in vars(form.of) else form.hint
    try:
        typeguard.check_type(value, hint, forward_ref_policy=typeguard.ForwardRefPolicy.IGNORE)
    except typeguard.TypeCheckError:
        return False
    except Exception:  # noqa: BLE001  (an annotation that cannot be checked says nothing)
        return True
    return True


def _call_hint(protocol: Any) -> Any:
    """A protocol that only says how it is called, as a `Callable`, whose parameters typeguard counts."""
    from collections.abc import Callable
    from typing import Any

    hint: Any = Callable
    signature = signature_of(protocol.__call__)
    if signature is None or signature.more_positional or signature.more_named:
        return hint
    return hint[[Any] * (len(signature.slots) - 1), Any]


def _plain_type(cls: type) -> type:
    """The type of what a container of a spec is handed on as."""
    return dict if cls in MAPPINGS else list if cls in LISTS else cls


def _unless(fits: bool, form: Form, value: Any) -> list[Misfit]:
    return [] if fits else [((), f"must be {form.text}, found {_shown(value)}")]


def _shown(value: Any) -> str:
    if type(value) in CALLS:
        word = "a partial" if type(value) in PARTIALS else "a call"
        target = _raw(value, "__target__")
        label = target.qualname if type(target) is Name else getattr(target, "__qualname__", None) or layout(target)
        return f"{word} of {label}"
    shown = layout(value, width=1000)
    return shown if len(shown) <= 60 else shown[:56] + " ..."
