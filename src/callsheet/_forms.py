"""What the wire form may say: which keys stand together, and how a value of each kind is written."""

from __future__ import annotations

from ._target import parse_name
from ._wire import RESERVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FORMS: dict[str, tuple[frozenset[str], str, str]] = {
    "_target_": (frozenset(("_target_", "_args_", "_partial_", "_kwargs_", "_allow_")), "_kwargs_", "a call"),
    "_type_": (frozenset(("_type_", "_fields_")), "_fields_", "a dataclass"),
    "_value_": (frozenset(("_value_", "of")), "", "only of may stand"),
    "_ref_": (frozenset(("_ref_", "_then_", "_allow_")), "", "only _then_ may stand"),
    "_items_": (frozenset(("_items_",)), "", "nothing may stand"),
}
"""By the key that tells a form: its keys, the one that holds what else there is, and words on what that may be."""


def keys_fault(x: dict[Any, Any]) -> str:
    """What is wrong with the keys of a dict that has one of the wire form; "" where nothing is."""
    for key, (known, rest, words) in _FORMS.items():
        if key in x:
            others = x.keys() - known
            if others and (not rest or rest in x):
                where = f"where {words}" if not rest else "which is to hold all the others"
                return f"has {min(map(repr, others))} beside {rest or key}, {where}"
            unknown = RESERVED & others
            return f"has {min(unknown)}, which has no meaning in {words}" if unknown else ""
    return f"has {min(RESERVED & x.keys())}, which has no meaning here"


def value_fault(kind: str, of: Any) -> str:
    """What is wrong with how a value of a known kind is written; "" where nothing is.

    Raises:
        LoadError: It names an object, and what it says is no name.
    """
    fits, words = VALUES[kind]
    if fits(of):
        return ""
    text = repr(of)
    return f"must be {words}, found {text if len(text) <= 60 else text[:57] + '...'}"


def _one_of(*types: type) -> Callable[[Any], bool]:
    return lambda x: type(x) in types


def _list_of(fits: Callable[[Any], bool], least: int = 0, most: int | None = None) -> Callable[[Any], bool]:
    return lambda x: type(x) is list and least <= len(x) <= (len(x) if most is None else most) and all(map(fits, x))


def _row_of(*columns: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def fits(x: Any) -> bool:
        return (
            type(x) is list
            and len(x) == len(columns)
            and all(column(member) for column, member in zip(columns, x, strict=True))
        )

    return fits


_text = _one_of(str)
_whole = _one_of(int)
_number = _one_of(str, int, float)


def _is_name(x: Any) -> bool:
    return _text(x) and bool(parse_name(x))


def _is_member(x: Any) -> bool:
    """A member of a set, in which a tuple holds such members."""
    if not _row_of(_text, lambda of: True)(x):
        return False
    kind, of = x
    return _members(of) if kind == "tuple" else kind in VALUES and VALUES[kind][0](of)


_members = _list_of(_is_member)


def _is_dtype(x: Any) -> bool:
    return _text(x) or _list_of(_is_field)(x)


def _is_field(x: Any) -> bool:
    """A field of a NumPy dtype: its name, perhaps with a title, its own dtype, perhaps a shape."""
    named = type(x) is list and len(x) in (2, 3) and (_text(x[0]) or _row_of(_text, _text)(x[0]))
    return named and _is_dtype(x[1]) and all(map(_list_of(_whole), x[2:]))


_moment = _row_of(_text, _one_of(str, type(None)), lambda fold: type(fold) is int and fold in (0, 1))
_nothing = (_one_of(type(None)), "null, or left out")

VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "tuple": (_one_of(list), "[value, ...]"),
    "set": (_members, '[["kind", value], ...]'),
    "frozenset": (_members, '[["kind", value], ...]'),
    "bytes": (_text, "base64 text"),
    "complex": (_list_of(_number, 2, 2), "[real, imaginary]"),
    "range": (_list_of(_whole, 1, 3), "[start, stop, step]"),
    "slice": (_list_of(_one_of(int, str, type(None)), 1, 3), "[start, stop, step]"),
    "path": (_text, "text"),
    "pureposixpath": (_text, "text"),
    "purewindowspath": (_text, "text"),
    "datetime": (lambda x: _text(x) or _moment(x), 'ISO text, or [text, "Zone/Name" or null, fold]'),
    "date": (_text, "ISO text"),
    "time": (lambda x: _text(x) or _moment(x), 'ISO text, or [text, "Zone/Name" or null, fold]'),
    "timedelta": (_list_of(_one_of(int, float), 1, 3), "[days, seconds, microseconds]"),
    "decimal": (_one_of(str, int), "text"),
    "uuid": (_text, "text"),
    "fraction": (_one_of(str, int), "text"),
    "enum": (_row_of(_is_name, _one_of(str, int)), '["module:Class", "MEMBER"]'),
    "dtype": (_row_of(_is_dtype), '["float32"]'),
    "scalar": (_row_of(_text, _text), '["dtype", "base64 text"]'),
    "array": (_row_of(_text, _list_of(_whole), _text), '["dtype", [length, ...], "base64 text"]'),
    "name": (_is_name, '"module:name"'),
    "float": (_number, '"inf", "-inf" or "nan"'),
    "secret": (_text, '"env:NAME" or "file:PATH"'),
    "json": (_text, "JSON text"),
    "str": (_text, "text"),
    "int": (_one_of(int, str), "a whole number, or text in base 16"),
    "bool": (_one_of(bool), "true or false"),
    "none": _nothing,
    "missing": _nothing,
    "ellipsis": _nothing,
}
"""Each kind of value: whether something is written like that, and how it is written."""
