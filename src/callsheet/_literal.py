"""How a value that holds no spec is written as Python: numbers, texts, dates, enum members, classes, arrays."""

from __future__ import annotations

import sys

from ._arrays import dtype_spec
from ._bindings import Bindings, is_name
from ._configfile import MAIN
from ._leaf import MISSING, is_long, read_leaf, write_leaf
from ._target import Name, name_of, parse_name
from ._tree import ATOMS, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OF_A_CONFIG = "is defined by a config or a script, from which no file can import it"

_MANY = 64
"""Elements of an array beyond which it is written as bytes."""


class Code:
    """Python text that stands on one line.

    Attributes:
        text: The text.
        whole: Whether it can stand beside an operator or before a dot as it is.
    """

    __slots__ = ("depth", "text", "whole")

    depth: int

    def __init__(self, text: str, *, whole: bool = True) -> None:
        self.depth = 0
        self.text = text
        self.whole = whole


class Display:
    """Python text around values, which can be broken into lines: `lazy(Net)(` … `)`.

    Attributes:
        opening: What stands before the values.
        labels: What stands before each: `width=`.
        closing: What stands behind them.
        values: `Code` or `Display`.
        depth: Displays within each other.
        whole: As for `Code`.
    """

    __slots__ = ("closing", "depth", "labels", "opening", "values", "whole")

    depth: int

    def __init__(
        self, opening: str, labels: list[str], closing: str, values: list[Code | Display], *, whole: bool = True
    ) -> None:
        self.opening = opening
        self.labels = labels
        self.closing = closing
        self.values = values
        self.whole = whole
        self.depth = 1 + max([value.depth for value in values], default=0)


CODE_KINDS: dict[type, Kind | None] = {
    Display: Kind(
        lambda x: (x.labels, x.values),
        lambda x, keys, values: x,
        form=lambda x, keys: (x.opening, x.labels, x.closing),
    ),
    Code: None,
}
"""How `layout` sees code."""


def code_text(code: Code) -> str:
    """What `layout` writes for code that stands on one line."""
    return code.text


class Unwritable(Exception):
    """A value that no Python file can say: why, or "" where it is no data; and which, where that is not plain."""


def flat(code: Code | Display) -> str:
    """Code on one line."""
    if isinstance(code, Code):
        return code.text
    inner = ", ".join([label + flat(value) for label, value in zip(code.labels, code.values, strict=True)])
    return code.opening + inner + code.closing


def call_code(opening: str, args: list[Code | Display], kwargs: dict[str, Code | Display]) -> Display:
    """A call, from what stands before its arguments; what is no name in Python is given as a dict."""
    named = {name: code for name, code in kwargs.items() if is_name(name)}
    labels, values = [""] * len(args) + [f"{name}=" for name in named], [*args, *named.values()]
    odd = {name: code for name, code in kwargs.items() if name not in named}
    if odd:
        labels.append("**")
        values.append(Display("{", [f"{text_code(name).text}: " for name in odd], "}", list(odd.values())))
    return Display(opening, labels, ")", values)


def text_code(x: str) -> Code:
    """A text in double quotes where that needs no escapes."""
    return Code(_requoted(repr(x)))


def _requoted(text: str) -> str:
    """What `repr` gave of a text, in double quotes unless that needs more escapes."""
    prefix, quote, body = text.partition("'")
    body = body[:-1]
    if not quote or prefix.strip("b") or body.count('"') > body.count("\\'"):
        return text
    return prefix + '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def atom_code(x: Any, bindings: Bindings) -> Code:
    """None, a number, a text or bytes."""
    cls = type(x)
    if cls is str:
        return text_code(x)
    if cls is bytes:
        return Code(_requoted(repr(x)))
    if cls is float and (x != x or x in (float("inf"), float("-inf"))):
        return Code(f'{bindings.member("builtins", "float")}("{x!r}")')
    if cls is complex:
        if repr(x.real) == "0.0" and repr(abs(x.imag)) == repr(x.imag) and x.imag == x.imag and x.imag != float("inf"):
            return Code(f"{x.imag!r}j")
        parts = [atom_code(part, bindings).text for part in (x.real, x.imag)]
        return Code(f"{bindings.member('builtins', 'complex')}({', '.join(parts)})")
    if cls is int and is_long(x):
        return Code(hex(x), whole=x >= 0)
    text = repr(x).replace("e+", "e")
    return Code(text, whole=not text.startswith("-"))


def leaf_code(x: Any, bindings: Bindings, *, named: bool = False) -> Code | Display:
    """Any other leaf.

    Args:
        x: The value, or what stands for it in a spec that was read from data.
        bindings: The names of the file.
        named: Whether it stands where `load` keeps the name of an import as a name.

    Raises:
        Unwritable: It is no data, or nothing that a file could import.
    """
    if x is MISSING:
        return Code(bindings.member("callsheet", "MISSING"))
    written = write_leaf(x)
    if written is None:
        raise Unwritable("", x)
    tag, of = written
    if tag == "name":
        return name_code(x if type(x) is Name else name_of(x) or parse_name(of), bindings, named=named)
    try:
        made: Code | Display = _WRITERS[tag](x, of, bindings)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # what data calls so, and is not
        raise Unwritable(f"is no {tag}: {error}") from None
    return made


def data_code(x: Any, bindings: Bindings) -> Code | Display:
    """Lists and tuples of numbers and texts."""
    if type(x) in (list, tuple):
        opening, closing = ("[", "]") if type(x) is list else ("(", ",)" if len(x) == 1 else ")")
        return Display(opening, [""] * len(x), closing, [data_code(member, bindings) for member in x])
    return atom_code(x, bindings)


def member_code(tag: str, of: Any, bindings: Bindings) -> Code | Display:
    """A member of a set, as `write_leaf` tells it."""
    if tag == "tuple":
        values = [member_code(tag, inner, bindings) for tag, inner in of]
        return Display("(", [""] * len(values), ",)" if len(values) == 1 else ")", values)
    if tag == "name":
        return name_code(parse_name(of), bindings)
    found = read_leaf(tag, of)
    return atom_code(found, bindings) if type(found) in ATOMS else leaf_code(found, bindings)


def key_code(x: Any, bindings: Bindings) -> Code | Display:
    """A key of a dict."""
    if type(x) is tuple:
        values = [key_code(member, bindings) for member in x]
        return Display("(", [""] * len(values), ",)" if len(values) == 1 else ")", values)
    return atom_code(x, bindings) if type(x) in ATOMS else leaf_code(x, bindings)


# --- classes, functions and what else has a name ----------------------------------------------------------------------


def import_code(name: Name, bindings: Bindings) -> str | None:
    """The text that means the object of a name, with its import noted; None where no import could say it."""
    parts = name.qualname.split(".")
    module = name.module
    if name.digest or not all(map(is_name, (*module.split("."), *parts))) or module in MAIN:
        return None
    return ".".join([bindings.member(module, parts[0]), *parts[1:]])


def name_code(name: Name, bindings: Bindings, *, named: bool = False) -> Code:
    """A class or function as a value; see `leaf_code`."""
    ours = name.module.partition(".")[0] == "callsheet"
    text = import_code(name, bindings) if (named and not ours) or not _is_alias(name) else None
    return Code(text) if text is not None else name_from_data(name, bindings)


def name_from_data(name: Name, bindings: Bindings) -> Code:
    """A class or function as a value that is found by its name alone when it is read or built."""
    if name.digest:
        raise Unwritable(_OF_A_CONFIG)
    allowed = _requoted(repr(name.module))
    data = f'{{"_value_": "name", "of": {_requoted(repr(name.text))}}}'
    return Code(f"{bindings.member('callsheet', 'from_data')}({data}, allow=[{allowed}])")


def _is_alias(name: Name) -> bool:
    """Whether an object is known, without any import, to call itself otherwise than it is named here."""
    found: Any = sys.modules.get(name.module)
    for part in name.qualname.split("."):
        try:
            found = vars(found).get(part) if found is not None else None
        except TypeError:
            return False
    if found is None:
        return False
    written = write_leaf(found)
    return written is not None and (written[0] != "name" or parse_name(written[1]).key != name.key)


def _enum(x: Any, of: Any, bindings: Bindings) -> Code:
    cls, member = of
    name = parse_name(cls)
    text = None if name.digest else import_code(name, bindings)
    if text is None:
        raise Unwritable(_OF_A_CONFIG)
    if not isinstance(member, str):
        return Code(f"{text}({flat(data_code(member, bindings))})")
    if is_name(member):
        return Code(f"{text}.{member}")
    if "|" in member and all(map(is_name, member.split("|"))):
        return Code(" | ".join(f"{text}.{part}" for part in member.split("|")), whole=False)
    return Code(f"{text}[{text_code(member).text}]")


# --- Python's own value types -----------------------------------------------------------------------------------------


def _set(x: Any, of: Any, bindings: Bindings, *, frozen: bool = False) -> Code | Display:
    values = [member_code(tag, inner, bindings) for tag, inner in of]
    cls = bindings.member("builtins", "frozenset" if frozen else "set") if frozen or not values else ""
    if not values:
        return Code(f"{cls}()")
    labels = [""] * len(values)
    return Display("{", labels, "}", values) if not frozen else Display(f"{cls}({{", labels, "})", values)


def _range(x: Any, of: Any, bindings: Bindings) -> Code:
    given = of[1:2] if of[0] == 0 and of[2] == 1 else of[: 2 if of[2] == 1 else 3]
    return Code(f"{bindings.member('builtins', 'range')}({', '.join(map(repr, given))})")


def _slice(x: Any, of: Any, bindings: Bindings) -> Code:
    given = of[1:2] if of[0] is of[2] is None else of[: 2 if of[2] is None else 3]
    return Code(f"{bindings.member('builtins', 'slice')}({', '.join(_requoted(repr(part)) for part in given)})")


def _path(cls: str) -> Any:
    def write(x: Any, of: Any, bindings: Bindings) -> Code:
        return Code(f"{bindings.member('pathlib', cls)}({text_code(of).text if of != '.' else ''})")

    return write


def _date(x: Any, of: Any, bindings: Bindings) -> Code:
    import datetime
    import re

    cls: Any = next(c for c in type(x).__mro__ if c.__module__ == "datetime")
    zone = getattr(x, "tzinfo", None)
    if type(zone) is datetime.timezone and "'" in repr(zone):  # it has a name, which does not count
        x = x.replace(tzinfo=datetime.timezone(zone.utcoffset(None)))
    text = repr(x) if type(x) is cls else cls.__repr__(x).replace(type(x).__qualname__, cls.__name__)
    text = re.sub(r"ZoneInfo\(key='(.*)'\)", r'ZoneInfo("\1")', text)
    return Code(re.sub(r"\b(datetime|zoneinfo)\.(\w+)", lambda found: bindings.member(found[1], found[2]), text))


def _exact(module: str, cls: str) -> Any:
    def write(x: Any, of: Any, bindings: Bindings) -> Code:
        return Code(f'{bindings.member(module, cls)}("{of}")')

    return write


# --- NumPy ------------------------------------------------------------------------------------------------------------

_FORMATS = {
    "b1": ("bool", "?"), "i1": ("int8", "b"), "i2": ("int16", "h"), "i4": ("int32", "i"), "i8": ("int64", "q"),
    "u1": ("uint8", "B"), "u2": ("uint16", "H"), "u4": ("uint32", "I"), "u8": ("uint64", "Q"),
    "f2": ("float16", "e"), "f4": ("float32", "f"), "f8": ("float64", "d"),
    "c8": ("complex64", "ff"), "c16": ("complex128", "dd"),
}  # fmt: skip


def _dtype_code(of: Any, bindings: Bindings) -> Code | Display:
    known = _FORMATS.get(of[1:]) if isinstance(of, str) and of[0] in "|<" and sys.byteorder == "little" else None
    return data_code(known[0] if known else dtype_spec(of), bindings)


def _dtype(x: Any, of: Any, bindings: Bindings) -> Display:
    return Display(f"{bindings.module('numpy')}.dtype(", [""], ")", [_dtype_code(of[0], bindings)])


def _elements(form: str, raw: bytes, count: int, bindings: Bindings) -> list[str] | None:
    """The numbers of an array as Python writes them, or None where they are not so many plain numbers."""
    import struct

    known = _FORMATS.get(form[1:])
    if known is None or form[0] not in "|<" or sys.byteorder != "little":
        return None
    if len(raw) != count * struct.calcsize(f"<{known[1]}"):
        return None
    found = [number for row in struct.iter_unpack(f"<{known[1]}", raw) for number in row]
    short = known[1][0] in "ef"
    texts = [_shortest(x, known[1][0]) if short and x - x == 0 else atom_code(x, bindings).text for x in found]
    if form[1] != "c":
        return texts
    cls = bindings.member("builtins", "complex")
    return [f"{cls}({a}, {b})" for a, b in zip(texts[::2], texts[1::2], strict=True)]


def _shortest(x: float, code: str) -> str:
    """A finite number of a short type, with as many digits as that tells apart."""
    import struct

    raw = struct.pack(f"<{code}", x)
    for digits in range(1, 17):
        text = repr(float(f"{x:.{digits}g}")).replace("e+", "e")
        try:
            if struct.pack(f"<{code}", float(text)) == raw:
                return text
        except OverflowError:
            continue
    return repr(x).replace("e+", "e")


def _scalar(x: Any, of: Any, bindings: Bindings) -> Code:
    import base64

    form, raw = of[0], base64.b64decode(of[1])
    numpy = bindings.module("numpy")
    texts = _elements(form, raw, 1, bindings)
    if texts is not None:
        kind = _FORMATS[form[1:]][0]
        return Code(f"{numpy}.{'bool_' if kind == 'bool' else kind}({texts[0]})")
    return Code(f"{numpy}.frombuffer({_requoted(repr(raw))}, {text_code(form).text})[0]")


def _array(x: Any, of: Any, bindings: Bindings) -> Code | Display:
    import base64
    import math

    form, shape, raw = of[0], of[1], base64.b64decode(of[2])
    numpy, count, dtype = bindings.module("numpy"), math.prod(shape), _dtype_code(form, bindings)
    size = flat(data_code(tuple(shape), bindings))
    if not count:
        return Code(f"{numpy}.zeros({size}, {flat(dtype)})")
    texts = _elements(form, raw, count, bindings) if count <= _MANY else None
    if texts is None:
        decoded = f'{bindings.member("base64", "b64decode")}("{base64.b64encode(raw).decode()}")'
        return Code(f"{numpy}.frombuffer({decoded}, {flat(dtype)}).reshape({size}).copy()")
    rows: list[Code | Display] = [Code(text) for text in texts]
    for length in reversed(shape):
        groups = [rows[n : n + length] for n in range(0, len(rows), length)]
        rows = [Display("[", [""] * length, "]", group) for group in groups]
    return Display(f"{numpy}.array(", ["", "dtype="], ")", [rows[0], dtype])


_WRITERS: dict[str, Any] = {
    "set": _set,
    "frozenset": lambda x, of, bindings: _set(x, of, bindings, frozen=True),
    "range": _range,
    "slice": _slice,
    "ellipsis": lambda x, of, bindings: Code("..."),
    "path": _path("Path"),
    "pureposixpath": _path("PurePosixPath"),
    "purewindowspath": _path("PureWindowsPath"),
    "secret": lambda x, of, bindings: Code(f"{bindings.member('callsheet', 'Secret')}({text_code(of).text})"),
    "datetime": _date,
    "date": _date,
    "time": _date,
    "timedelta": _date,
    "decimal": _exact("decimal", "Decimal"),
    "uuid": _exact("uuid", "UUID"),
    "fraction": _exact("fractions", "Fraction"),
    "enum": _enum,
    "dtype": _dtype,
    "scalar": _scalar,
    "array": _array,
}
