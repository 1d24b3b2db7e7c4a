"""Text becomes the declared type: what was typed, and an annotation, give a value or say why not."""

from __future__ import annotations

from ._grammar import Word, plain_value
from ._secret import Secret, is_reference
from ._signature import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Mismatch(ValueError):
    """A value does not fit; `str()` of it says `must be int, found '64x'`."""


def convert(said: Any, hint: Any) -> Any:
    """What was typed, as the declared type.

    Args:
        said: A value of the grammar: a `Word`, a quoted str, a list or a dict.
        hint: An annotation; `EMPTY` where nothing is declared.

    Returns:
        The value. Where the annotation is one that text cannot be read as, the
        value that it has without a type: `check` tells whether that fits.

    Raises:
        Mismatch: The text cannot be read as that type.

    >>> convert(Word("8"), float), convert(Word("8"), str), convert(Word("null"), int | None)
    (8.0, '8', None)
    """
    if isinstance(said, Word) and "${" in said.text and hint is not Secret:
        return said.text  # a reference: what it leads to is known, and checked, later
    reader = _READERS.get(hint) if _hashable(hint) else None
    if reader is not None:
        return reader(said, hint)
    from typing import get_args, get_origin

    origin, args = get_origin(hint), get_args(hint)
    if origin is None:
        return _convert_class(said, hint)
    kind = getattr(origin, "__name__", str(origin))
    if kind in ("Union", "UnionType"):
        return _union(said, args, hint)
    if kind == "Literal":
        return _literal(said, args, hint)
    if kind in ("Annotated", "Final", "ClassVar", "Required", "NotRequired"):
        return convert(said, args[0])
    if kind in ("list", "Sequence", "Iterable", "Collection", "set", "frozenset", "MutableSequence"):
        items = _items(said, hint)
        made = [convert(item, args[0] if args else EMPTY) for item in items]
        return made if kind not in ("set", "frozenset") else _set(made, origin, hint, said)
    if kind == "tuple":
        return _tuple(said, args, hint)
    if kind in ("dict", "Mapping", "MutableMapping"):
        if not isinstance(said, dict):
            raise mismatch(hint, said)
        key_hint, value_hint = args or (EMPTY, EMPTY)
        return {_key(key, key_hint): convert(value, value_hint) for key, value in said.items()}
    return plain_value(said)


def _hashable(hint: Any) -> bool:
    return getattr(type(hint), "__hash__", None) is not None and not isinstance(hint, list)


def mismatch(hint: Any, found: Any) -> Mismatch:
    """The error that shows both, the type and what was found."""
    return Mismatch(f"must be {hint_text(hint)}, found {_shown(found)}")


def hint_text(hint: Any) -> str:
    """An annotation as it is written.

    >>> hint_text(int | None), hint_text(list[str])
    ('int | None', 'list[str]')
    """
    if isinstance(hint, type) and not hasattr(hint, "__origin__"):
        return hint.__qualname__
    return str(hint).replace("typing.", "")


def _shown(said: Any) -> str:
    if isinstance(said, Word):
        value = said.value
        return repr(said.text) if isinstance(value, str) else said.text
    return repr(plain_value(said))


def _text(said: Any, hint: Any) -> str:
    if isinstance(said, Word):
        return said.text
    if isinstance(said, str):
        return said
    raise mismatch(hint, said)


def _int(said: Any, hint: Any) -> int:
    value = said.value if isinstance(said, Word) else said
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 1e5 steps are a whole number
    if type(value) is not int:
        raise mismatch(hint, said)
    return value


def _float(said: Any, hint: Any) -> float:
    value = said.value if isinstance(said, Word) else said
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(hint, said)
    return float(value)


def _bool(said: Any, hint: Any) -> bool:
    value = said.value if isinstance(said, Word) else said
    if not isinstance(value, bool):
        raise mismatch(hint, said)
    return value


def _none(said: Any, hint: Any) -> None:
    if not isinstance(said, Word) or said.value is not None:
        raise mismatch(None, said)


def _complex(said: Any, hint: Any) -> complex:
    try:
        return complex(_text(said, hint))
    except ValueError:
        raise mismatch(hint, said) from None


def _secret(said: Any, hint: Any) -> Secret | None:
    text = said.text if isinstance(said, Word) else said
    if isinstance(said, Word) and said.value is None:
        return None  # none is needed
    if not is_reference(text):  # not shown: it may be one
        raise Mismatch("is a secret: give the place where it is kept, as env:API_KEY or file:~/.token")
    return Secret(text)


_READERS: dict[Any, Any] = {
    EMPTY: lambda said, hint: plain_value(said),
    object: lambda said, hint: plain_value(said),
    str: _text,
    int: _int,
    float: _float,
    bool: _bool,
    complex: _complex,
    Secret: _secret,
    None: _none,
    type(None): _none,
    list: lambda said, hint: plain_value(_items(said, hint)),
    tuple: lambda said, hint: tuple(plain_value(_items(said, hint))),
    set: lambda said, hint: _set(plain_value(_items(said, hint)), set, hint, said),
    frozenset: lambda said, hint: _set(plain_value(_items(said, hint)), frozenset, hint, said),
}


def _convert_class(said: Any, hint: Any) -> Any:
    if not isinstance(hint, type):
        return plain_value(said)
    module = hint.__module__
    if hasattr(hint, "__members__"):
        return _enum(said, hint)
    if any(c.__name__ == "PurePath" and c.__module__.startswith("pathlib") for c in hint.__mro__):
        from pathlib import Path

        return (
            Path(_text(said, hint))
            if hint.__name__ == "PurePath" or issubclass(Path, hint)
            else hint(_text(said, hint))
        )
    if isinstance(said, dict) or module not in ("datetime", "decimal", "uuid", "fractions"):
        return plain_value(said)
    try:
        text = _text(said, hint)
        return hint.fromisoformat(text) if hasattr(hint, "fromisoformat") else hint(text)
    except (ValueError, TypeError, ArithmeticError):
        raise mismatch(hint, said) from None


def _enum(said: Any, hint: Any) -> Any:
    text = _text(said, hint)
    if text in hint.__members__:
        return hint[text]
    plain = plain_value(said)
    for member in hint:
        if (type(member.value) is type(plain) and member.value == plain) or member.value == text:
            return member
    raise Mismatch(f"must be one of {', '.join(hint.__members__)}, found {_shown(said)}")


def _union(said: Any, args: tuple[Any, ...], hint: Any) -> Any:
    plain = plain_value(said)
    exact = [arg for arg in args if arg is type(plain)]
    last = [arg for arg in args if arg is str]
    for arg in [*exact, *(arg for arg in args if arg not in exact and arg is not str), *last]:
        try:
            value = convert(said, arg)
        except Mismatch:
            continue
        if isinstance(arg, type) and arg not in _READERS and not isinstance(value, arg):
            continue
        return value
    raise mismatch(hint, said)


def _literal(said: Any, args: tuple[Any, ...], hint: Any) -> Any:
    plain = plain_value(said)
    for member in args:
        if type(member) is type(plain) and member == plain:
            return member
    text = said.text if isinstance(said, Word) else None
    for member in args:
        if text is not None and member == text:
            return member
    raise Mismatch(f"must be one of {', '.join(map(repr, args))}, found {_shown(said)}")


def _items(said: Any, hint: Any) -> list[Any]:
    if not isinstance(said, list):
        raise mismatch(hint, said)
    return said


def _set(members: list[Any], cls: Any, hint: Any, said: Any) -> Any:
    try:
        return cls(members)
    except TypeError:  # a list or dict inside
        raise mismatch(hint, said) from None


def _tuple(said: Any, args: tuple[Any, ...], hint: Any) -> Any:
    items = _items(said, hint)
    if not args and "[" not in str(hint):  # `typing.Tuple`, which says nothing of its items
        return tuple(plain_value(items))
    if len(args) == 2 and args[1] is ...:
        return tuple(convert(item, args[0]) for item in items)
    if len(items) != len(args):
        raise mismatch(hint, said)
    return tuple(convert(item, arg) for item, arg in zip(items, args, strict=True))


def _key(key: Any, hint: Any) -> Any:
    if hint is str:
        return str(key)
    return convert(Word(key), hint) if isinstance(key, str) and hint is not EMPTY else key
