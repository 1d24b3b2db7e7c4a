"""Words of the override grammar: what is typed without quotes has a value of its own; values written as text again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False}


class Word:
    """An unquoted word: its text, and the value that it has where no type is declared.

    Attributes:
        text: The word without its escapes.
        source: The word as it was typed.
        value: None, a bool, an int, a float, else the text.
    """

    __slots__ = ("source", "text", "value")

    def __init__(self, text: str, source: str | None = None) -> None:
        self.text = text
        self.source = text if source is None else source
        self.value = typed(text)

    def __repr__(self) -> str:
        return f"Word({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Word) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class Given:
    """A value that was given as an object, not as text: it is set as it is.

    Attributes:
        value: The object.
        text: How it reads.
    """

    __slots__ = ("text", "value")

    def __init__(self, value: Any, text: str) -> None:
        self.value = value
        self.text = text


def typed(text: str) -> Any:
    """The value of an unquoted word: null, a truth value, a number, else the text itself.

    >>> [typed(word) for word in ("null", "true", "1_000", "1e-3", "-inf", "no", "1.2.3", "007")]
    [None, True, 1000, 0.001, -inf, 'no', '1.2.3', '007']
    """
    first = text[:1]
    if first.isalpha():
        lower = text.lower()
        if lower in _CONSTANTS:
            return _CONSTANTS[lower]
        return float(text) if lower in ("inf", "nan") else text
    if not first or first not in "0123456789+-." or not text.isascii() or text.endswith((" ", "\t", "\n", "y", "Y")):
        return text  # Python reads +infinity too
    digits = text[1:] if first in "+-" else text
    if (digits[:1] == "0" and digits[1:2].isdecimal()) or digits[:2] == "0_":
        return text  # 007 is a name or a code: as a number it would lose what was typed
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text) if len(text) < _LONGEST else text
    except ValueError:
        return text


_LONGEST = 1000
"""Digits beyond which a text is no number; Python reads no whole ones that are much longer."""


def plain_value(value: Any) -> Any:
    """What a value is where no type is declared.

    >>> plain_value([Word("1"), {"a": Word("x")}, "2"])
    [1, {'a': 'x'}, '2']
    """
    if isinstance(value, Word | Given):
        return value.value
    if isinstance(value, list):
        return [plain_value(v) for v in value]
    if isinstance(value, dict):
        return {k: plain_value(v) for k, v in value.items()}
    return value


def write_value(value: Any) -> str:
    r"""A value as text that reads as it.

    >>> write_value([Word("1"), "its", {"a": 0.5, 2: None}])
    "[1,'its',{'a':0.5,2:null}]"
    """
    if isinstance(value, Word):
        return value.source
    if isinstance(value, Given):
        return value.text
    if isinstance(value, str):
        import re

        return "'" + re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value) + "'"
    if isinstance(value, list):
        return "[" + ",".join(map(write_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{write_value(key)}:{write_value(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
