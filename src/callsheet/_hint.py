"""An annotation as a form: what a value must be, told apart into few kinds whatever way it was written."""

from __future__ import annotations

import sys
from _collections_abc import Callable, Collection, Iterable, Mapping

from ._annotation import EMPTY, Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    FormKind = Literal[
        "any",  # anything
        "class",  # `of` is the class
        "named",  # `of` is the name of a class that is not imported: `module:qualname`
        "union",  # one of `parts`; without any, nothing fits
        "literal",  # `of` are the values
        "items",  # a collection of class `of`, each item as `parts[0]`
        "mapping",  # a mapping of class `of`, keys as `parts[0]`, values as `parts[1]`
        "tuple",  # a tuple, item by item; one of `parts` may be a "rest"
        "rest",  # any number of items in a tuple, each as `parts[0]`
        "many",  # a tuple of any length, each item as `parts[0]`
        "type",  # a class, as `parts[0]` says
        "callable",  # what can be called; `of` says whether with anything, `parts[0]` what it returns
        "protocol",  # `of` is the protocol
        "typed",  # a dict with keys of its own: `of` is `{key: whether it is required}`, `parts` in that order
        "other",  # only `hint` knows
    ]


class Form:
    """What a value must be.

    Attributes:
        kind: Which of the few.
        text: As a person writes it: `int | None`.
        of: A class, a name, values or keys; the kind says which.
        parts: The forms inside.
        hint: The annotation itself; `EMPTY` where it was only remembered.
    """

    __slots__ = ("hint", "kind", "of", "parts", "text")

    kind: FormKind

    def __init__(
        self, kind: FormKind, text: str, of: Any = None, parts: Iterable[Form] = (), hint: Any = EMPTY
    ) -> None:
        self.kind = kind
        self.text = text
        self.of = of
        self.parts = tuple(parts)
        self.hint = hint

    def __repr__(self) -> str:
        return f"Form({self.kind!r}, {self.text!r})"

    def of_item(self, key: Any) -> Form:
        """What stands under a key or position of a value of this form; anything where that is not told."""
        if self.kind in ("items", "many"):
            return self.parts[0]
        if self.kind == "mapping":
            return self.parts[1]
        if self.kind == "tuple" and isinstance(key, int) and -len(self.parts) <= key < len(self.parts):
            near = self.parts[: key + 1] if key >= 0 else self.parts[key:]
            return self.parts[key] if all(part.kind != "rest" for part in near) else ANY
        if self.kind == "typed" and key in self.of:
            return self.parts[list(self.of).index(key)]
        if self.kind == "union":
            inner = [part.of_item(key) for part in self.parts]
            inner = [form for form in inner if form is not ANY]
            return inner[0] if len(inner) == 1 else ANY
        return ANY

    def of_items(self, count: int) -> tuple[Form, ...] | None:
        """What stands at each place of a tuple of so many items; None where the form has another number."""
        if self.kind != "tuple":
            return self.parts * count
        at = next((n for n, part in enumerate(self.parts) if part.kind == "rest"), None)
        if at is None:
            return self.parts if len(self.parts) == count else None
        more = count - len(self.parts) + 1
        return (*self.parts[:at], *self.parts[at].parts * more, *self.parts[at + 1 :]) if more >= 0 else None


ANY = Form("any", "Any")
NONE = Form("class", "None", type(None), hint=type(None))


def form_of(hint: Any, scope: Scope | None = None) -> Form:
    """Read an annotation.

    Args:
        hint: A class, whatever `typing` makes, or a text; `EMPTY` for none.
        scope: Where the names in texts mean something; without it they may be anything.

    >>> form_of(int | None).text, form_of(list["str"]).kind
    ('int | None', 'items')
    """
    if hint is EMPTY or hint is object:
        return ANY
    if hint is None or hint is type(None):
        return NONE
    if type(hint) is type and hint in _SIMPLE:
        return Form("class", hint.__name__, hint, hint=hint)
    return _Reader(scope).read(hint)


def optional(form: Form) -> Form:
    """The form, or None: what `x: int = None` means."""
    if form.kind == "any" or form is NONE or (form.kind == "union" and NONE in form.parts):
        return form
    parts = (*(form.parts if form.kind == "union" else [form]), NONE)
    return Form("union", f"{form.text} | None", parts=parts, hint=None if form.hint is EMPTY else form.hint)


def class_text(cls: Any) -> str:
    """A class as a person names it."""
    return str(getattr(cls, "__qualname__", cls)).rpartition("<locals>.")[2]


_SIMPLE = frozenset((int, float, str, bool, bytes, complex))
_UNROLLED = 3
"""Levels of a type that is made of itself which are told apart; deeper down anything may stand."""

_INNER = frozenset(("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"))

_BUILTIN_ALIAS: Any = type(list[int])
_BUILTIN_UNION: Any = type(int | str)


def _taken_apart(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The origin and the arguments, as `typing` gives them, which is only imported for what it has made itself."""
    if type(hint) is type:
        return None, ()
    if type(hint) is _BUILTIN_ALIAS:
        return hint.__origin__, hint.__args__
    if type(hint) is _BUILTIN_UNION:
        return _BUILTIN_UNION, hint.__args__
    from typing import get_args, get_origin

    return get_origin(hint), get_args(hint)


class _Reader:
    """Reads one annotation."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope
        self.opened: list[Any] = []

    def read(self, hint: Any) -> Form:
        if isinstance(hint, str):
            return self._text(hint)
        if sum(hint is other for other in self.opened) >= _UNROLLED:
            return ANY
        self.opened.append(hint)
        try:
            return self._form(hint)
        except Exception:  # noqa: BLE001  (an annotation that breaks when it is looked at says nothing)
            return ANY
        finally:
            self.opened.pop()

    def _text(self, text: str) -> Form:
        if self.scope is None or sum(text is other for other in self.opened) >= _UNROLLED:
            return ANY
        self.opened.append(text)
        try:
            return self._named(self.scope.read(text), text)
        finally:
            self.opened.pop()

    def _named(self, hint: Any, name: str) -> Form:
        """What a name stands for, told by that name where it leads back to itself."""
        inside = any(hint is other for other in self.opened)
        found = self.read(hint)
        return found if found is ANY or not inside else Form(found.kind, name, found.of, found.parts, found.hint)

    def _form(self, hint: Any) -> Form:
        origin, args = _taken_apart(hint)
        if origin is None:
            return self._class(hint) if isinstance(hint, type) else self._special(hint)
        word = getattr(origin, "__name__", str(origin))
        if word in ("Union", "UnionType"):
            return self._union([self.read(arg) for arg in args], hint)
        if word == "Literal":
            return Form("literal", f"Literal[{', '.join(map(repr, args))}]", args, hint=hint)
        if word in _INNER and origin.__module__ in ("typing", "typing_extensions"):
            return self.read(args[0])
        if hasattr(origin, "__value__"):  # `type Pair[T] = tuple[T, T]`, with T given
            return self.read(origin.__value__)
        if word == "Unpack" or getattr(hint, "__unpacked__", False):
            return ANY
        if not isinstance(origin, type):
            return Form("other", str(hint).replace("typing.", ""), hint=hint)
        if not args and not (origin is tuple and "[" in str(hint)):
            return self._class(origin, hint)
        return self._generic(origin, args, hint)

    def _union(self, parts: list[Form], hint: Any) -> Form:
        if ANY in parts:
            return ANY
        flat = [inner for part in parts for inner in (part.parts if part.kind == "union" else [part])]
        return Form("union", " | ".join(dict.fromkeys(part.text for part in parts)) or "Never", parts=flat, hint=hint)

    def _generic(self, origin: Any, args: tuple[Any, ...], hint: Any) -> Form:
        name = class_text(origin)
        if origin is tuple:
            if len(args) == 2 and args[1] is ...:
                item = self.read(args[0])
                return Form("many", f"tuple[{item.text}, ...]", tuple, [item], hint)
            parts = [part for arg in args for part in self._in_tuple(arg)]
            return Form("tuple", f"tuple[{', '.join(part.text for part in parts) or '()'}]", tuple, parts, hint)
        if origin is type:
            inner = self.read(args[0])
            return Form("type", f"type[{inner.text}]", parts=[inner], hint=hint)
        if origin is Callable:
            wants = args[0]
            returned = self.read(args[-1])
            told = isinstance(wants, list)
            given = f"[{', '.join(self.read(arg).text for arg in wants)}]" if told else "..."
            return Form("callable", f"Callable[{given}, {returned.text}]", not told, [returned], hint)
        if getattr(origin, "_is_protocol", False):
            return Form("protocol", f"{name}[{', '.join(self.read(arg).text for arg in args)}]", origin, hint=origin)
        parts = [self.read(arg) for arg in args]
        text = f"{name}[{', '.join(part.text for part in parts)}]"
        if len(parts) == 2 and issubclass(origin, Mapping):
            return Form("mapping", text, origin, parts, hint)
        if len(parts) == 1 and (issubclass(origin, Collection) or origin is Iterable):
            return Form("items", text, origin, parts, hint)
        told = any(part is not ANY for part in parts)
        return Form("class", text if told else name, origin, hint=origin)

    def _in_tuple(self, hint: Any) -> tuple[Form, ...]:
        """What an argument of `tuple` says: one item, or with a star those of another tuple."""
        if getattr(hint, "__unpacked__", False):
            inner = self.read(hint.__origin__[hint.__args__])
        elif getattr(hint, "__typing_is_unpacked_typevartuple__", None) is None:
            return (self.read(hint),)
        else:
            inner = self.read(hint.__args__[0])
        if inner.kind == "tuple":
            return inner.parts
        item = inner.parts[0] if inner.kind == "many" else ANY
        return (Form("rest", f"*tuple[{item.text}, ...]", tuple, [item]),)

    def _class(self, cls: Any, hint: Any = EMPTY) -> Form:
        """A class without arguments."""
        name = class_text(cls)
        module = cls.__module__
        hint = cls if hint is EMPTY else hint
        if (module == "typing" and name == "Any") or (module == "inspect" and name == "_empty") or cls is object:
            return ANY
        if cls is type(None):
            return NONE
        if cls is tuple:
            return Form("many", name, tuple, [ANY], hint)
        if cls is type:
            return Form("type", name, parts=[ANY], hint=hint)
        if cls is Callable:
            return Form("callable", name, True, [ANY], hint)
        if hasattr(cls, "__required_keys__") and hasattr(cls, "__total__"):
            return self._typed_dict(cls)
        if getattr(cls, "_is_protocol", False):
            return Form("protocol", name, cls, hint=hint)
        if cls in (dict, Mapping) or (module == "collections.abc" and issubclass(cls, Mapping)):
            return Form("mapping", name, cls, [ANY, ANY], hint)
        if cls in (list, set, frozenset, Iterable) or (module == "collections.abc" and issubclass(cls, Collection)):
            return Form("items", name, cls, [ANY], hint)
        return Form("class", name, cls, hint=hint)

    def _special(self, hint: Any) -> Form:
        """What is no class and takes no arguments: type variables, aliases, marks of `typing`."""
        if hint is None:
            return NONE
        if hasattr(hint, "__supertype__"):  # NewType
            inner = self.read(hint.__supertype__)
            return Form(inner.kind, hint.__name__, inner.of, inner.parts, inner.hint)
        if hasattr(hint, "__forward_arg__"):
            return self._text(hint.__forward_arg__)
        if hasattr(hint, "__constraints__"):  # a TypeVar
            if hint.__constraints__:
                return self._union([self.read(inner) for inner in hint.__constraints__], hint)
            return ANY if hint.__bound__ is None else self.read(hint.__bound__)
        if type(hint).__name__ == "TypeAliasType":
            return self._named(hint.__value__, str(hint.__name__))
        if type(hint).__name__ == "InitVar":
            return self.read(hint.type)
        word = str(getattr(hint, "_name", "") or "")
        if word == "Self":
            owner = self.scope.owner if self.scope is not None else None
            return ANY if owner is None else self.read(owner)
        if word == "LiteralString":
            return Form("class", "str", str, hint=str)
        if word in ("Never", "NoReturn"):
            return Form("union", word, hint=hint)
        return ANY

    def _typed_dict(self, cls: Any) -> Form:
        from typing import get_origin

        scope = Scope(vars(sys.modules[cls.__module__])) if cls.__module__ in sys.modules else self.scope
        keys: dict[str, bool] = {}
        parts = []
        reader = _Reader(scope)
        reader.opened = [*self.opened]
        for key, hint in cls.__annotations__.items():
            text = getattr(hint, "__forward_arg__", hint)
            hint = scope.read(text) if isinstance(text, str) and scope is not None else hint
            mark = getattr(get_origin(hint), "_name", "")
            keys[key] = key in cls.__required_keys__ if mark not in ("Required", "NotRequired") else mark == "Required"
            parts.append(reader.read(hint))
        return Form("typed", class_text(cls), keys, parts, cls)
