"""Values that hold no spec but are data: their one written form, shared by files, `equal` and `hash_of`."""

from __future__ import annotations

import sys

from ._arrays import base64_text, dtype_spec, write_numpy
from ._configfile import PREFIX
from ._secret import Secret, is_reference, read_secret
from ._target import Name, named_value, parse_name, resolve
from ._tree import ATOMS, is_enum, kind_of
from ._unborne import refuse_use
from .errors import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._trust import Policy

    Written = tuple[str, Any]
    """A tag and what JSON can hold."""


class Missing:
    """The type of `MISSING`, a value that must be given before anything is built."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        self._refuse()
        from_here = "MISSING must be given before it can be tested"
        raise TypeError(from_here)

    def _refuse(self, *_: object) -> Any:
        refuse_use(Missing, "MISSING", done="given")
        return NotImplemented

    def _no_number(self) -> Any:
        self._refuse()
        no_number = "MISSING must be given before it is a number"
        raise TypeError(no_number)

    __int__ = __float__ = _no_number
    __lt__ = __le__ = __gt__ = __ge__ = _refuse

    def _still(self, *_: object) -> Missing:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _still
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _still
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _still


MISSING: Any = Missing()
"""A value that must be given; `???` in data files."""


def is_long(x: int) -> bool:
    """Whether a number has so many digits that Python may neither write nor read them in decimal."""
    return x.bit_length() > 4000


class Datum:
    """A value that reading a file may not make, since that would import: an enum member, a dtype, a NumPy scalar.

    It equals the value that was saved; `build` makes it real.
    """

    __slots__ = ("of", "policy", "tag", "where")

    def __init__(self, tag: str, of: Any, *, policy: Policy | None = None, where: Any = "") -> None:
        self.tag = tag
        self.of = of
        self.policy = policy
        self.where = where  # a text, or what gives it when it is asked

    def __repr__(self) -> str:
        if self.tag == "enum":
            return f"{parse_name(self.of[0]).dotted}.{self.of[1]}"
        return f"{self.tag}({', '.join(map(repr, self.of))})"

    def __eq__(self, other: object) -> bool:
        return write_leaf(other) == (self.tag, self.of)

    def __hash__(self) -> int:
        return hash((self.tag, repr(self.of)))


def make_real(x: Datum) -> Any:
    """The value that a datum stands for.

    Raises:
        TrustError: No policy allows what must be imported for it.
    """
    if x.tag == "enum":
        cls = resolve(parse_name(x.of[0], where=x.where, policy=x.policy))
        return _enum_member(cls, x.of[1])
    if x.tag in ("set", "frozenset"):
        members = [_read_member(member, x) for member in x.of]
        return set(members) if x.tag == "set" else frozenset(members)
    # No policy is asked for NumPy: two of its functions are called, and data has no say in which.
    dtype = resolve(Name("numpy", "dtype", where=x.where))(dtype_spec(x.of[0]))
    if x.tag == "dtype":
        return dtype
    import base64

    raw = resolve(Name("numpy", "frombuffer", where=x.where))(base64.b64decode(x.of[-1]), dtype)
    return raw[0] if x.tag == "scalar" else raw.reshape(x.of[1]).copy()


def _enum_member(cls: Any, name: Any) -> Any:
    if not _is_enum_class(cls):
        raise TypeError(f"{cls!r} is no Enum, so it has no member {name!r}")
    if not isinstance(name, str):
        return cls(name)
    if name in cls.__members__ or "|" not in name:
        return cls[name]
    first, *more = (cls[part] for part in name.split("|"))  # a combination of flags
    for member in more:
        first |= member
    return first


def _is_enum_class(cls: Any) -> bool:
    from enum import EnumMeta

    return isinstance(cls, EnumMeta)


def write_leaf(x: Any) -> Written | None:
    """A leaf as a tag and JSON data, or None where it is no data (a live object).

    >>> write_leaf(range(3))
    ('range', [0, 3, 1])
    """
    cls = type(x)
    writer = _WRITERS.get(cls)
    if writer is not None:
        tag, write = writer
        try:
            return tag, write(x)
        except _NotData:
            return None
    if cls is Name:
        return "name", x.text
    if cls is Datum:
        return x.tag, x.of
    if cls is Secret:
        return ("secret", x.reference) if is_reference(x.reference) else None
    if x is MISSING:
        return "missing", None
    if is_enum(x):
        name = named_value(cls)
        # Flags without a name, as the empty one, are told by their value.
        return None if name is None else ("enum", [name.text, x.value if x.name is None else x.name])
    if cls.__module__.startswith("pathlib") and cls.__name__ in _PATHS:
        return _PATHS[cls.__name__], str(x)
    if cls.__module__ in ("datetime", "decimal", "uuid", "fractions"):
        return _write_standard(x)
    if "numpy" in sys.modules:
        written = write_numpy(x, sys.modules["numpy"])
        if written is not None:
            return written
    if cls.__module__ == "torch" and cls.__name__ == "dtype":
        return "name", str(x).replace(".", ":", 1)
    named = named_value(x)
    return None if named is None else ("name", named.text)


class _NotData(Exception):
    """Something inside a value cannot be written."""


def _write_slice(x: Any) -> Any:
    parts = [x.start, x.stop, x.step]
    if not all(type(part) in (int, str, type(None)) for part in parts):
        raise _NotData
    return parts


def _write_set(x: Any) -> Any:
    """The members in one order, whatever the hash seed."""
    return sorted((_write_member(member) for member in x), key=repr)


def _write_member(x: Any) -> Any:
    if type(x) is tuple:
        return ["tuple", [_write_member(member) for member in x]]
    written = write_leaf(x)
    if written is None:
        raise _NotData
    return list(written)


_IMPORTING = frozenset(("name", "enum", "dtype", "scalar", "array"))
"""Tags of values that are made real by an import."""


def _imports(member: Any) -> bool:
    tag, of = member
    return tag in _IMPORTING or (tag in ("tuple", "set", "frozenset") and any(map(_imports, of)))


def _read_member(x: Any, datum: Datum | None = None) -> Any:
    """A member of a set; made real under the policy of `datum` where one is given."""
    tag, of = x
    if tag == "tuple":
        return tuple(_read_member(member, datum) for member in of)
    if datum is None:
        return read_leaf(tag, of)
    found = read_leaf(tag, of, policy=datum.policy, where=datum.where)
    return resolve(found) if type(found) is Name else make_real(found) if type(found) is Datum else found


def _write_float(x: float) -> Any:
    return repr(x + 0.0)  # -0.0 and 0.0 are equal, and NaN is one value


_WRITERS: dict[type, tuple[str, Any]] = {
    type(None): ("none", lambda x: None),
    bool: ("bool", lambda x: x),
    int: ("int", lambda x: hex(x) if is_long(x) else x),
    float: ("float", _write_float),
    str: ("str", lambda x: x),
    bytes: ("bytes", base64_text),
    complex: ("complex", lambda x: [repr(x.real), repr(x.imag)]),
    range: ("range", lambda x: [x.start, x.stop, x.step]),
    slice: ("slice", _write_slice),
    set: ("set", _write_set),
    frozenset: ("frozenset", _write_set),
    type(...): ("ellipsis", lambda x: None),
}


_PATHS = {
    "PosixPath": "path",
    "WindowsPath": "path",
    "PurePosixPath": "pureposixpath",
    "PureWindowsPath": "purewindowspath",
}


def _write_standard(x: Any) -> Written | None:
    name = type(x).__name__
    if name == "date":
        return name, x.isoformat()
    if name in ("datetime", "time"):
        return _write_moment(name, x)
    if name == "timedelta":
        return name, [x.days, x.seconds, x.microseconds]
    if name in ("Decimal", "UUID", "Fraction"):
        return name.lower(), str(x)
    return None


def _write_moment(name: str, x: Any) -> Written | None:
    """A time or datetime: its text, with the name of its zone and which of two it is where clocks were set back."""
    zone = x.tzinfo
    key = zone.key if type(zone).__module__.partition(".")[0] == "zoneinfo" else None
    if key is None and type(zone).__module__ not in ("builtins", "datetime"):
        return None
    if key is None and not x.fold:
        return name, x.isoformat()
    return name, [x.isoformat() if key is None else x.replace(tzinfo=None).isoformat(), key, x.fold]


def _read_moment(cls: Any, of: Any) -> Any:
    if isinstance(of, str):
        return cls.fromisoformat(of)
    text, key, fold = of
    made = cls.fromisoformat(text).replace(fold=fold)
    if key is None:
        return made
    from zoneinfo import ZoneInfo

    return made.replace(tzinfo=ZoneInfo(key))


def read_leaf(tag: str, of: Any, *, policy: Policy | None = None, where: Any = "") -> Any:
    """What `write_leaf` wrote, without importing anything but Python's own value types.

    Raises:
        ValueError, TypeError: The data is no such value.
    """
    if tag == "int" and type(of) is str:
        return int(of, 16)
    if tag in ("none", "bool", "int", "str"):
        return of
    if tag == "missing":
        return MISSING
    if tag == "name":
        return parse_name(of, where=where, policy=policy)
    if tag == "secret":
        return read_secret(of, policy=policy, where=where)
    if tag in ("enum", "dtype", "scalar", "array"):
        return Datum(tag, of, policy=policy, where=where)
    if tag in ("set", "frozenset"):
        if any(map(_imports, of)):
            return Datum(tag, of, policy=policy, where=where)
        members = [_read_member(member) for member in of]
        return set(members) if tag == "set" else frozenset(members)
    if tag == "bytes":
        from base64 import b64decode

        return b64decode(of, validate=True)
    if tag in ("datetime", "date", "time", "timedelta"):
        import datetime

        cls = getattr(datetime, tag)
        return cls(*of) if tag == "timedelta" else _read_moment(cls, of)
    simple: dict[str, Any] = {
        "float": float,
        "range": lambda x: range(*x),
        "slice": lambda x: slice(*x),
        "ellipsis": lambda x: ...,
    }
    if tag in simple:
        return simple[tag](of)
    if tag == "complex":
        return complex(float(of[0]), float(of[1]))
    module, cls_name = _OF_TEXT[tag]
    return getattr(__import__(module), cls_name)(of)


_OF_TEXT = {
    "path": ("pathlib", "Path"),
    "pureposixpath": ("pathlib", "PurePosixPath"),
    "purewindowspath": ("pathlib", "PureWindowsPath"),
    "decimal": ("decimal", "Decimal"),
    "uuid": ("uuid", "UUID"),
    "fraction": ("fractions", "Fraction"),
}


def is_data(x: Any) -> bool:
    """Whether a leaf can be written."""
    return type(x) in ATOMS or write_leaf(x) is not None


def _no_address(text: str) -> str:
    """A text of an object without where in memory it is, which tells nobody anything.

    >>> _no_address("<function <lambda> at 0x7f6b275519e0>")
    '<function <lambda>>'
    """
    before, at, address = text.partition(" at 0x")
    return before + address.lstrip("0123456789abcdefABCDEF") if at else text


def not_data(path: str, x: Any, origin: str) -> Fault:
    """The fault of a live object in a spec that is to be written."""
    text = " ".join(_no_address(repr(x)).split())
    shown = text if len(text) <= 60 else text[:57] + "..."
    defined = getattr(x, "__qualname__", None) or type(x).__qualname__
    if str(getattr(x, "__module__", None)).startswith(PREFIX) and "<" not in defined:
        advice = ["move it to a module of its own, and import it from there"]
        return Fault(path, f"needs {defined}, which a config defines for itself", origin=origin, advice=advice)
    return Fault(
        path,
        f"is not data, so it cannot be saved: {shown}",
        origin=origin,
        advice=[_advice_on(x)],
    )


def _advice_on(x: Any) -> str:
    """What to do about a value that cannot be saved."""
    cls = type(x)
    if kind_of(cls) is not None:  # which a spec may hold, but no key can be
        return "make the key a text, a number, or a tuple of such"
    if cls.__module__ == "datetime":
        return "give it a zone of zoneinfo, or a datetime.timezone"
    if sys.modules.get("numpy") is not None and isinstance(x, sys.modules["numpy"].ndarray):
        return f"make it by a call when it is built, as lazy({cls.__name__})(...), or give a plain array of numbers"
    return "define it at the top level of a module, or describe it with lazy(...)"
