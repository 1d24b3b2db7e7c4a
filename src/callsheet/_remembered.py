"""What is known of a callable or class as data: written down where it is imported, read where it is not."""

from __future__ import annotations

import _collections_abc
import sys

from ._about import About, about, choices_of, typed_text
from ._annotation import EMPTY
from ._convert import reads_texts
from ._hint import ANY, NONE, Form
from ._known import Known
from ._signature import Parameter, Signature, default_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Data = Any
    """What JSON can hold."""

_ATOMS = (int, float, str, bool, type(None))
_BUILTINS = (int, float, str, bool, bytes, complex, list, dict, tuple, set, frozenset, type(None))
_KNOWN_MODULES = ("builtins", "collections.abc")
_LONGEST = 60
"""Characters of a default that is no data beyond which it is not told."""


class Unread:
    """Stands for a default that is no data: only how it reads is remembered."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def write_known(known: Known) -> Data:
    """What is known of an object that is there, as JSON data.

    What is left out for want of words is what gives a doubt to whoever reads it.
    """
    signature, said = known.signature, about(known.found)
    return {
        "name": known.name,
        "kind": known.kind,
        "names": sorted(name for name in known.names if "<" not in name),
        "exact": known.exact,
        "calls": known.calls,
        "returned": _write_form(known.returned),
        "parameters": None
        if signature is None
        else [
            _write_parameter(parameter, kind, _form(signature, parameter, kind), said)
            for parameter, kind in signature.parameters
        ],
        "summary": said.summary,
    }


def _write_parameter(parameter: Parameter, kind: str, form: Form, said: About) -> Data:
    text = said.texts.get(parameter.name, "")
    return [
        parameter.name,
        kind,
        _write_default(parameter.default),
        _write_form(form),
        *([form.text, choices_of(form), text] if form is not ANY else ["", [], text]),
    ]


def read_known(data: Data) -> Known:
    """What `write_known` wrote.

    Raises:
        Exception: The data is something else.
    """
    signature, given = None, data["parameters"] or []
    if data["parameters"] is not None:
        signature = Signature(
            None,
            [
                (Parameter(name, _read_default(default), text or EMPTY), kind)
                for name, kind, default, _, text, _, _ in given
            ],
        )
        signature.forms.update({name: _read_form(form) for name, _, _, form, *_ in given})
    return Known(
        data["name"],
        data["kind"],
        names=data["names"],
        exact=data["exact"],
        calls=data["calls"],
        returned=_read_form(data["returned"]),
        signature=signature,
        said=About(data["summary"], {name: said for name, *_, said in given if said}),
        choices={name: choices for name, *_, choices, _ in given if choices},
    )


def _form(signature: Signature, parameter: Parameter, kind: str) -> Form:
    if kind == "VAR_POSITIONAL":
        return signature.form(len(signature.slots))
    if kind == "POSITIONAL_ONLY":
        return signature.form(signature.slots.index(parameter))
    return signature.form(parameter.name)


def _write_default(default: Any) -> Data:
    if default is EMPTY:
        return []
    if type(default) in _ATOMS and default == default:
        return [default]
    try:
        text = typed_text(default) if reads_texts(type(default)) else default_text(default)
    except Exception:  # noqa: BLE001  (of somebody's own repr)
        return "..."
    return text if len(text) <= _LONGEST and " at 0x" not in text else "..."


def _read_default(data: Data) -> Any:
    return Unread(data) if isinstance(data, str) else data[0] if data else EMPTY


def _write_form(form: Form) -> Data:
    """A form as data; None where it cannot be told without importing."""
    if form.kind == "any":
        return ["any"]
    parts = [_write_form(part) for part in form.parts]
    if form.kind in ("union", "type"):
        return [form.kind, *parts]
    if form.kind == "literal":
        return ["literal", *form.of] if all(type(value) in _ATOMS for value in form.of) else None
    if form.kind == "callable":
        return ["callable", form.of, *parts] if form.of else None
    if form.kind in ("items", "mapping", "tuple", "rest", "many"):
        name = _class_name(form.of)
        return [form.kind, name, *parts] if name.partition(":")[0] in _KNOWN_MODULES else None
    if form.kind != "class":
        return None
    name = _class_name(form.of)
    if form.of in _BUILTINS:
        return ["class", name]
    plain = not reads_texts(form.of) and not any(_below(builtin, form.of) for builtin in _BUILTINS)
    return ["named", name] if plain and "<" not in name else None


def _read_form(data: Data) -> Form:
    if data is None:
        return Form("other", "")
    kind, *rest = data
    if kind == "any":
        return ANY
    if kind == "literal":
        return Form("literal", "", tuple(rest))
    if kind == "named":
        return Form("named", "", rest[0])
    if kind == "class":
        cls = _class(rest[0])
        return NONE if cls is type(None) else Form("class", cls.__name__, cls)
    of: Any = None
    if kind == "callable":
        of, *rest = rest
    elif kind not in ("union", "type"):
        of, rest = _class(rest[0]), rest[1:]
    return Form(kind, "", of, map(_read_form, rest))


def is_told(form: Form) -> bool:
    """Whether a remembered form says all that the annotation did."""
    return not (form.kind == "other" and form.hint is EMPTY) and all(map(is_told, form.parts))


def _class_name(cls: Any) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _class(name: str) -> Any:
    module, _, qualname = name.partition(":")
    if name == "builtins:NoneType":
        return type(None)
    # `import collections` would load all of that package for what Python has loaded anyway
    return getattr(_collections_abc if module == "collections.abc" else sys.modules["builtins"], qualname)


def _below(cls: type, wanted: Any) -> bool:
    try:
        return issubclass(cls, wanted)
    except Exception:  # noqa: BLE001  (a class that cannot be asked)
        return True
