"""Text becomes the declared type: what was typed, and an annotation, give a value or say why not."""

from __future__ import annotations

import sys

from ._hint import ANY, Form, form_of
from ._secret import Secret, is_reference
from ._target import Name, TargetError, name_of, parse_name
from ._word import Word, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Find = Callable[[str], Name | None] | None


class Mismatch(ValueError):
    """A value does not fit; `str()` of it says `must be int, found '64x'`."""


def convert(said: Any, hint: Any, find: Find = None) -> Any:
    """What was typed, as the declared type.

    Args:
        said: A value of the grammar: a `Word`, a quoted str, a list or a dict.
        hint: An annotation or its `Form`; `EMPTY` where nothing is declared.
        find: Gives the object, as a `Name`, that a word means where a class or callable is declared, None for none;
            without it such a word stays a text.

    Returns:
        The value. Where the annotation is one that text cannot be read as, the
        value that it has without a type: `check` tells whether that fits. A
        dotted name, where a class or callable is declared, is that name.

    Raises:
        Mismatch: The text cannot be read as that type.

    >>> convert(Word("8"), float), convert(Word("8"), str), convert(Word("null"), int | None)
    (8.0, '8', None)
    """
    return _read(said, hint if type(hint) is Form else form_of(hint), find)


def _read(said: Any, form: Form, find: Find) -> Any:
    text = said.text if isinstance(said, Word) else said
    if isinstance(text, str) and "${" in text and form.of is not Secret:
        return text  # a reference: what it leads to is known, and checked, later
    reader = _BY_KIND.get(form.kind)
    return plain_value(said) if reader is None else reader(said, form, find)


def mismatch(form: Form, found: Any) -> Mismatch:
    """The error that shows both, the type and what was found."""
    return Mismatch(f"must be {form.text}, found {_shown(found)}")


def hint_text(hint: Any) -> str:
    """An annotation as it is written.

    >>> hint_text(int | None), hint_text(list[str])
    ('int | None', 'list[str]')
    """
    return form_of(hint).text


def _shown(said: Any) -> str:
    if isinstance(said, Word):
        value = said.value
        return repr(said.text) if isinstance(value, str) else said.text
    return repr(plain_value(said))


def _text(said: Any, form: Form) -> str:
    if isinstance(said, Word):
        return said.text
    if isinstance(said, str):
        return said
    raise mismatch(form, said)


def _int(said: Any, form: Form) -> int:
    value = said.value if isinstance(said, Word) else said
    if isinstance(value, float) and value.is_integer():  # 1e5 steps are a whole number
        whole = _exactly(said.text) if isinstance(said, Word) else int(value)
        if whole is not None:
            return whole
    if type(value) is not int:
        raise mismatch(form, said)
    return value


def _exactly(text: str) -> int | None:
    """The whole number that a text of a float is in decimal, None where it is none: a float may have rounded it."""
    from decimal import Decimal

    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent of more than 18 digits
        return None
    return int(number) if number == number.to_integral_value() else None


def _float(said: Any, form: Form) -> float:
    value = said.value if isinstance(said, Word) else said
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(form, said)
    try:
        return float(value)
    except OverflowError:
        raise Mismatch(f"must be {form.text}, found a whole number that is too large for one") from None


def _bool(said: Any, form: Form) -> bool:
    value = said.value if isinstance(said, Word) else said
    if not isinstance(value, bool):
        raise mismatch(form, said)
    return value


def _none(said: Any, form: Form) -> None:
    if not _says_none(said):
        raise mismatch(form, said)


def _says_none(said: Any) -> bool:
    """`null`; and as Python writes it where None is declared, which nobody means as a text."""
    return isinstance(said, Word) and (said.value is None or said.text == "None")


def _complex(said: Any, form: Form) -> complex:
    try:
        return complex(_text(said, form))
    except ValueError:
        raise mismatch(form, said) from None


def _secret(said: Any, form: Form) -> Secret | None:
    text = said.text if isinstance(said, Word) else said
    if isinstance(said, Word) and said.value is None:
        return None  # none is needed
    if not is_reference(text):  # not shown: it may be one
        raise Mismatch("is a secret: give the place where it is kept, as env:API_KEY or file:~/.token")
    return Secret(text)


_BY_CLASS: dict[Any, Any] = {
    str: _text,
    int: _int,
    float: _float,
    bool: _bool,
    complex: _complex,
    Secret: _secret,
    type(None): _none,
}


def _class(said: Any, form: Form, find: Find) -> Any:
    cls = form.of
    reader = _BY_CLASS.get(cls)
    if reader is not None:
        return reader(said, form)
    if hasattr(cls, "__members__"):
        return _enum(said, form)
    if any(c.__name__ == "PurePath" and c.__module__.startswith("pathlib") for c in cls.__mro__):
        from pathlib import Path

        return (Path if cls.__name__ == "PurePath" or issubclass(Path, cls) else cls)(_text(said, form))
    if isinstance(said, dict) or cls.__module__ not in _STANDARD:
        return plain_value(said)
    try:
        text = _text(said, form)
        return cls.fromisoformat(text) if hasattr(cls, "fromisoformat") else cls(text)
    except (ValueError, TypeError, ArithmeticError):
        raise mismatch(form, said) from None


_STANDARD = ("datetime", "decimal", "uuid", "fractions")


def reads_texts(cls: Any) -> bool:
    """Whether a text becomes something else where this class is declared."""
    return (
        cls in _BY_CLASS
        or hasattr(cls, "__members__")
        or cls.__module__ in _STANDARD
        or any(c.__name__ == "PurePath" for c in cls.__mro__)
    )


def _enum(said: Any, form: Form) -> Any:
    text = said.text if isinstance(said, Word) else said if isinstance(said, str) else ""
    members = form.of.__members__
    if text in members:
        return members[text]
    plain = plain_value(said)
    for member in form.of:
        if (type(member.value) is type(plain) and member.value == plain) or member.value == text:
            return member
    raise Mismatch(f"must be one of {', '.join(members)}, found {_shown(said)}")


def _union(said: Any, form: Form, find: Find) -> Any:
    """The part of the very type that the text has without one, else the first that can read it, str the last."""
    plain = plain_value(said)
    if _says_none(said) and any(part.of is type(None) for part in form.parts):
        return None
    exact = [part for part in form.parts if part.kind == "class" and part.of is type(plain)]
    last = [part for part in form.parts if part.kind == "class" and part.of is str]
    unreadable = False
    for part in [*exact, *(p for p in form.parts if p not in exact and p not in last), *last]:
        if part.kind == "class" and not reads_texts(part.of):
            if isinstance(plain, part.of):
                return plain
            continue
        if part.kind in ("type", "callable"):
            name = None if last else _name(said, find)
            if name is not None:
                return name
            continue
        if part.kind not in _BY_KIND:
            unreadable = unreadable or part.kind != "named"
            continue
        try:
            return _read(said, part, find)
        except Mismatch:
            continue
    name = None if last or not any(part.kind in ("type", "callable") for part in form.parts) else _builtin(said, find)
    if name is not None:
        return name
    if unreadable:
        return plain
    raise mismatch(form, said)


def _literal(said: Any, form: Form, find: Find) -> Any:
    plain = plain_value(said)
    for member in form.of:
        if type(member) is type(plain) and member == plain:
            return member
    text = said.text if isinstance(said, Word) else None
    for member in form.of:
        if text is not None and (member == text or getattr(member, "name", None) == text):
            return member
    raise Mismatch(f"must be one of {', '.join(map(repr, form.of))}, found {_shown(said)}")


def _given(said: Any, form: Form) -> list[Any]:
    if not isinstance(said, list):
        raise mismatch(form, said)
    return said


def _items(said: Any, form: Form, find: Find) -> Any:
    from collections.abc import Set as AbstractSet

    made = [_read(item, form.parts[0], find) for item in _given(said, form)]
    if not issubclass(form.of, AbstractSet):
        return made
    try:
        return frozenset(made) if form.of is frozenset else set(made)
    except TypeError:  # a list or dict inside
        raise mismatch(form, said) from None


def _tuple(said: Any, form: Form, find: Find) -> Any:
    items = _given(said, form)
    parts = form.of_items(len(items))
    if parts is None:
        raise mismatch(form, said)
    return tuple(_read(item, part, find) for item, part in zip(items, parts, strict=True))


def _many(said: Any, form: Form, find: Find) -> Any:
    return tuple(_read(item, form.parts[0], find) for item in _given(said, form))


def _mapping(said: Any, form: Form, find: Find) -> Any:
    if not isinstance(said, dict):
        raise mismatch(form, said)
    return {_key(key, form.parts[0]): _read(value, form.parts[1], find) for key, value in said.items()}


def _key(key: Any, form: Form) -> Any:
    if form.kind == "class" and form.of is str:
        return str(key)
    return _read(Word(key), form, None) if isinstance(key, str) and form is not ANY else key


def _typed(said: Any, form: Form, find: Find) -> Any:
    if not isinstance(said, dict):
        raise mismatch(form, said)
    return {key: _read(value, form.of_item(key), find) for key, value in said.items()}


def _named(said: Any, form: Form, find: Find) -> Any:
    name = _name(said, find) or _builtin(said, find)
    if name is None and find is not None and isinstance(said, Word) and isinstance(said.value, str):
        raise Mismatch(f"must be {form.text}, and {said.text!r} names nothing")
    return plain_value(said) if name is None else name


def _name(said: Any, find: Find) -> Name | None:
    """The name of the object that a word means: as it is found, else as it is written with dots."""
    if not isinstance(said, Word) or not isinstance(said.value, str):
        return None
    found = find(said.text) if find is not None else None
    if found is not None or "." not in said.text.replace(":", "."):
        return found
    try:
        return parse_name(said.text)
    except TargetError:
        return None


def _builtin(said: Any, find: Find) -> Name | None:
    """The name of the builtin that a word means where nothing else has its name."""
    if find is None or not isinstance(said, Word):
        return None
    found = vars(sys.modules["builtins"]).get(said.text)
    return name_of(found) if callable(found) else None


_BY_KIND: dict[str, Any] = {
    "class": _class,
    "union": _union,
    "literal": _literal,
    "items": _items,
    "tuple": _tuple,
    "many": _many,
    "mapping": _mapping,
    "typed": _typed,
    "type": _named,
    "callable": _named,
}
