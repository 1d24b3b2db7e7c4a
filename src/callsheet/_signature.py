"""What a callable takes: names, order, defaults and annotations, read once a callable."""

from __future__ import annotations

from ._annotation import EMPTY as EMPTY
from ._annotation import Scope, scope_of
from ._hint import ANY, Form, form_of, optional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


class Parameter:
    """One parameter; `default` and `annotation` are `EMPTY` where there is none."""

    __slots__ = ("annotation", "default", "name")

    def __init__(self, name: str, default: Any, annotation: Any) -> None:
        self.name = name
        self.default = default
        self.annotation = annotation


class Signature:
    """The parameters of a callable.

    Attributes:
        slots: Parameters that take positional arguments, in order.
        named: Parameters that can be given by name.
        required: Names that have no default.
        more_positional: The name behind `*`, or "".
        more_named: The name behind `**`, or "".
        target: The callable; None where its signature was only remembered.
        parameters: All of them, with their kinds as `inspect` calls them.
        forms: What the values of the parameters must be, by name, as far as that was asked.
    """

    __slots__ = ("forms", "more_named", "more_positional", "named", "parameters", "required", "slots", "target")

    def __init__(self, target: Callable[..., Any] | None, parameters: Iterable[tuple[Parameter, str]]) -> None:
        self.target = target
        self.parameters = list(parameters)
        self.slots: list[Parameter] = []
        self.named: dict[str, Parameter] = {}
        self.more_positional = self.more_named = ""
        self.forms: dict[str, Form] = {}
        required = []
        for parameter, kind in self.parameters:
            if kind == "VAR_POSITIONAL":
                self.more_positional = parameter.name
                continue
            if kind == "VAR_KEYWORD":
                self.more_named = parameter.name
                continue
            if kind != "KEYWORD_ONLY":
                self.slots.append(parameter)
            if kind != "POSITIONAL_ONLY":
                self.named[parameter.name] = parameter
            if parameter.default is EMPTY:
                required.append(parameter.name)
        self.required = frozenset(required)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """The names that the callable does not take."""
        if self.more_named:
            return []
        return [name for name in names if name not in self.named]

    def slot_of(self, name: str) -> int | None:
        """The position that a name reaches, None where it can be given only by name."""
        if name in self.named:
            for n, parameter in enumerate(self.slots):
                if parameter.name == name:
                    return n
        return None

    def missing(self, positional: int, names: Iterable[str]) -> list[str]:
        """The required parameters that are not given."""
        if not self.required:
            return []
        filled = {parameter.name for parameter in self.slots[:positional]}
        filled.update(name for name in names if name in self.named)
        given = [p.name for p in self.slots if p.name in self.required and p.name not in filled]
        return given + [name for name in self.named if name in self.required and name not in {*filled, *given}]

    def parameter(self, key: str | int) -> Parameter | None:
        """The parameter that a name or a position fills, None behind `*` and `**`."""
        if isinstance(key, int):
            return self.slots[key] if key < len(self.slots) else None
        return self.named.get(key)

    def form(self, key: str | int) -> Form:
        """What the value of an argument must be, also behind `*` and `**`; None serves where it is the default."""
        parameter = self.parameter(key)
        if parameter is not None:
            name = parameter.name
        else:
            name = self.more_positional if isinstance(key, int) else self.more_named
        found = self.forms.get(name)
        if found is None:
            parameter = next((p for p, _ in self.parameters if p.name == name), None)
            found = self.forms[name] = ANY if parameter is None else self._read(parameter)
        return found

    def _read(self, parameter: Parameter) -> Form:
        form = form_of(parameter.annotation, self._scope(parameter.name, parameter.annotation))
        return optional(form) if parameter.default is None else form

    def _scope(self, name: str, annotation: Any) -> Scope | None:
        if self.target is None or annotation is EMPTY:
            return None
        return scope_of(getattr(self.target, "__origin__", self.target), name, annotation)

    def returned(self) -> Form:
        """What a function says that it returns."""
        target: Any = self.target
        while hasattr(target, "__wrapped__"):
            target = target.__wrapped__
        annotation = getattr(target, "__annotations__", {}).get("return", EMPTY)
        return form_of(annotation, self._scope("return", annotation))

    @property
    def text(self) -> str:
        """The parameters as they were written."""
        texts = []
        kinds = [kind for _, kind in self.parameters]
        for parameter, kind in self.parameters:
            stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(kind, "")
            texts.append(f"{stars}{self.text_of(parameter)}")
        if "KEYWORD_ONLY" in kinds and "VAR_POSITIONAL" not in kinds:
            texts.insert(kinds.index("KEYWORD_ONLY"), "*")
        if "POSITIONAL_ONLY" in kinds:
            texts.insert(kinds.count("POSITIONAL_ONLY"), "/")
        return ", ".join(texts)

    def text_of(self, parameter: Parameter) -> str:
        """One parameter as it was written: `lr: float = 0.1`."""
        text = parameter.name
        if parameter.annotation is not EMPTY:
            written = parameter.annotation
            scope = None if isinstance(written, str) else self._scope(parameter.name, written)
            text += ": " + (written if isinstance(written, str) else form_of(written, scope).text)
        if parameter.default is not EMPTY:
            default = default_text(parameter.default)
            equals = " = " if parameter.annotation is not EMPTY else "="
            text += equals + (default if len(default) <= 40 else "...")
        return text


def default_text(default: Any) -> str:
    """A default as it was written: an enum member, a class, a function and a path by their names."""
    cls = type(default)
    if hasattr(cls, "__members__") and getattr(default, "name", None):
        return f"{cls.__qualname__}.{default.name}"
    if callable(default) and hasattr(default, "__qualname__") and not hasattr(default, "__origin__"):
        return str(default.__qualname__)
    return repr(default).removeprefix("Posix").removeprefix("Windows")


_read: dict[Any, Signature | None] = {}  # a memo: losing it costs time, never an answer
_MEMO_LIMIT = 4096


def signature_of(target: Any) -> Signature | None:
    """What a callable takes, or None where Python cannot tell (some builtins).

    >>> signature_of(sorted).unknown(["key", "kee"])
    ['kee']
    """
    try:
        return _read[target]
    except KeyError:
        pass
    except TypeError:  # unhashable: a callable instance
        return _inspect(target)
    if len(_read) >= _MEMO_LIMIT:
        _read.clear()
    found = _read[target] = _inspect(target)
    return found


_fields: dict[type, Signature | None] = {}


def fields_of(cls: type) -> Signature | None:
    """What the fields of a dataclass, attrs class or NamedTuple must be; None for any other class.

    A field that converts what it is given says nothing of that.
    """
    if cls not in _fields:
        made = [*_declared_fields(cls)]
        _fields[cls] = Signature(cls, [(parameter, "POSITIONAL_OR_KEYWORD") for parameter in made]) if made else None
    return _fields[cls]


def _declared_fields(cls: Any) -> Iterator[Parameter]:
    for field in getattr(cls, "__dataclass_fields__", {}).values():
        if field.init and field._field_type.name == "_FIELD":
            default = EMPTY if type(field.default).__name__ == "_MISSING_TYPE" else field.default
            yield Parameter(field.name, default, field.type)
    for field in getattr(cls, "__attrs_attrs__", ()):
        if field.init:
            told = field.type is not None and field.converter is None
            default = EMPTY if type(field.default).__name__ == "_Nothing" else field.default
            yield Parameter(field.name, default, field.type if told else EMPTY)
    names = getattr(cls, "_fields", ()) if issubclass(cls, tuple) else ()
    for name in names:
        told = getattr(cls, "__annotations__", {}).get(name, EMPTY)
        yield Parameter(name, getattr(cls, "_field_defaults", {}).get(name, EMPTY), told)


_FUNCTION = type(lambda: None)


def _plain_function(function: Any) -> Signature:
    """What `inspect` would say of a function that no decorator has touched, without importing it."""
    code, defaults, by_name = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
    names, hints = code.co_varnames, function.__annotations__
    count, only, more = code.co_argcount, code.co_kwonlyargcount, code.co_argcount + code.co_kwonlyargcount
    found = []
    for n, name in enumerate(names[:count]):
        at = n - (count - len(defaults))
        kind = "POSITIONAL_ONLY" if n < code.co_posonlyargcount else "POSITIONAL_OR_KEYWORD"
        found.append((name, defaults[at] if at >= 0 else EMPTY, kind))
    if code.co_flags & 0x04:
        found.append((names[more], EMPTY, "VAR_POSITIONAL"))
    found += [(name, by_name.get(name, EMPTY), "KEYWORD_ONLY") for name in names[count : count + only]]
    if code.co_flags & 0x08:
        found.append((names[more + bool(code.co_flags & 0x04)], EMPTY, "VAR_KEYWORD"))
    return Signature(function, [(Parameter(name, given, hints.get(name, EMPTY)), kind) for name, given, kind in found])


def _inspect(target: Any) -> Signature | None:
    if type(target) is _FUNCTION and not {"__wrapped__", "__signature__", "__text_signature__"} & vars(target).keys():
        return _plain_function(target)
    import inspect

    origin = getattr(target, "__origin__", None)
    callee = origin if isinstance(origin, type) else target
    try:
        signature = inspect.signature(callee)
    except (ValueError, TypeError):
        return None
    empty = inspect.Parameter.empty
    return Signature(
        target,
        (
            (
                Parameter(
                    p.name,
                    EMPTY if p.default is empty else p.default,
                    EMPTY if p.annotation is empty else p.annotation,
                ),
                p.kind.name,
            )
            for p in signature.parameters.values()
        ),
    )
