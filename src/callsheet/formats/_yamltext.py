"""Data as YAML text for people: blocks, short lists in one line, anchors named after their place."""

from __future__ import annotations

from callsheet._tree import MAX_DEPTH, fold

from ._text import MAX_VALUES, TooMuch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from typing import Any

WIDTH = 100
"""Columns that a list or a value in one line may use."""

_DASH = object()
_LONG_KEY = 800
"""Characters of a key that are told by `?`: with escapes, a parser looks for its colon no further than 1,024."""


def write(data: Any) -> str:
    """Data as YAML text; a mapping that stands at two places is written once, with an anchor.

    Raises:
        TooMuch: It holds more values than a data file may.
        RecursionError: It is nested too deeply.
        ValueError: It holds a whole number of more digits than Python writes.
    """
    return _Writer().text(data)


def without_halves(data: Any) -> Any:
    """Data in which what holds half of a surrogate pair, as the name of a file may, stands as JSON text: YAML has none.

    Raises:
        RecursionError, ValueError: As for `write`.
    """
    import json

    if not _is_half(json.dumps(data, ensure_ascii=False)):
        return data

    def told(x: Any) -> Any:
        return {"_value_": "json", "of": json.dumps(x)}

    def make(x: Any, kind: Any, keys: list[Any], values: list[Any]) -> Any:
        if type(x) is dict:
            odd = any(type(key) is str and _is_half(key) for key in keys)
            odd = odd or any(key in _NAMES and "_value_" in value for key, value in zip(keys, values, strict=True))
            if odd or (not _WHOLE.isdisjoint(keys) and _is_half(json.dumps(x, ensure_ascii=False))):
                return told(x)
        values = [told(value) if type(value) is str and _is_half(value) else value for value in values]
        return values if type(x) is list else dict(zip(keys, values, strict=True))

    return fold(data, make)


_NAMES = frozenset(("_kwargs_", "_fields_"))
_WHOLE = frozenset(("_value_", "_ref_", "_same_"))


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class _Writer:
    """One text being written.

    Attributes:
        out: Its pieces; the one at the index in `slots` may still become an anchor.
        slots: By the `id` of a mapping: an index in `out`, the margin of what it holds, and its name.
        anchors: By the `id` of a mapping that stands at two places, its name in the text.
    """

    def __init__(self) -> None:
        import re

        self.is_plain = re.compile(_PLAIN).fullmatch
        self.is_plain_in_line = re.compile(_PLAIN_IN_LINE).fullmatch
        self.find_odd = re.compile(_ODD).search
        self.find_blank = re.compile("(?m)^ +$").search
        self.escape = re.compile(f'["\\\\]|{_ODD}').sub
        self.out: list[str] = []
        self.slots: dict[int, tuple[int, str, str]] = {}
        self.anchors: dict[int, str] = {}
        self.taken: set[str] = set()
        self.quoted: dict[str, str] = {}
        self.count = 0

    def text(self, data: Any) -> str:
        out = self.out
        stack = [(_entries(data, ""), "")]
        start = ""  # what stands before an entry: nothing where a dash does
        while stack:
            entries, margin = stack[-1]
            for label, value, name in entries:
                self.count += 1
                text = "-" if label is _DASH else f"{self.scalar(label, None)}:"
                if len(text) > _LONG_KEY:
                    text = f"? {text[:-1]}\n{margin}:"
                out.append(start + text)
                start = "\n" + margin
                if type(value) is not dict and type(value) is not list:
                    out.append(" " + self.scalar(value, margin))
                    continue
                if id(value) in self.slots:
                    out.append(f" *{self.anchor(value)}")
                    continue
                line = self.flow(value, WIDTH - len(margin) - len(text))
                if line is not None:
                    out.append(" " + line)
                    continue
                inner = margin + "  "
                if type(value) is dict:
                    self.slots[id(value)] = len(out), inner, name
                out.append(" " if label is _DASH else "")
                start = "" if label is _DASH else "\n" + inner
                stack.append((_entries(value, name), inner))
                if len(stack) > MAX_DEPTH:
                    raise RecursionError
                break
            else:
                stack.pop()
                if stack:
                    start = "\n" + stack[-1][1]
        if self.count > MAX_VALUES:
            raise TooMuch
        return "".join(out) + "\n"

    def anchor(self, value: Any) -> str:
        """The name of a mapping that stands at another place too; its anchor is put where it is written."""
        if id(value) not in self.anchors:
            index, margin, name = self.slots[id(value)]
            base = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_") or "node"
            name, n = base, 1
            while name in self.taken:
                n += 1
                name = f"{base}_{n}"
            self.taken.add(name)
            self.anchors[id(value)] = name
            behind_dash = self.out[index] == " "
            self.out[index] = f" &{name}" + (f"\n{margin}" if behind_dash else "")
        return self.anchors[id(value)]

    def flow(self, value: Any, room: int, *, whole: bool = False) -> str | None:
        """A short list, an empty dict, or a value that JSON lacks, in one line; None where it does not fit."""
        kind: Any = type(value)
        if kind is not dict and kind is not list:
            return self.scalar(value, None)
        if not value:  # however little room there is: it has no other form
            return "[]" if kind is list else "{}"
        if room < 0 or len(value) > WIDTH // 2:
            return None
        if kind is list:
            members, start, end = [("", member) for member in value], "[", "]"
        else:
            if value.get("_value_") == "float" and value.get("of") in _FLOATS:
                return _FLOATS[value["of"]]
            whole = whole or "_value_" in value or "_ref_" in value
            if not whole or "_target_" in value or "_type_" in value:
                return None
            members, start, end = [(f"{self.scalar(k, None)}: ", v) for k, v in value.items()], "{", "}"
        parts = []
        for label, member in members:
            text = self.flow(member, room - 2, whole=whole)
            if text is None:
                return None
            parts.append(label + text)
            room -= len(label) + len(text) + 2
            if room < 0:
                return None
        return start + ", ".join(parts) + end

    def scalar(self, value: Any, margin: str | None) -> str:
        """A value that holds nothing; without a margin it stands in one line, where commas and brackets tell things."""
        if isinstance(value, str):
            if margin is not None and "\n" in value and self.is_block(value):
                return _block(value, margin + "  ")
            known = self.quoted.get(value)
            if known is None:
                known = self.quoted[value] = self.text_of(value)
            if margin is None and known == value and not self.is_plain_in_line(value):
                return "'" + value.replace("'", "''") + "'"
            return known
        if value is None:
            return "null"
        cls = type(value)
        if cls is bool:
            return "true" if value else "false"
        text = repr(value)
        if cls is float and "e" in text and "." not in text:
            return text.replace("e", ".0e")  # or YAML 1.1 reads a text
        return _FLOATS.get(text, text)

    def text_of(self, text: str) -> str:
        """A text as YAML 1.1 and 1.2 both read it back: itself where that is so, else in quotes."""
        if self.is_plain(text) and text.lower() not in _WORDS:
            return text
        if self.find_odd(text):
            return f'"{self.escape(_escaped, text)}"'
        return "'" + text.replace("'", "''") + "'"

    def is_block(self, text: str) -> bool:
        """Whether a text can stand as a block: its lines show what they hold."""
        return not (text[0] in " \n" or self.find_odd(text.replace("\n", "")) or self.find_blank(text))


_FLOATS = {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_PLAIN = r"""(?:[^\W\d]|[/$(]|\.\.?/|~/)(?:[\w ./+@%^()=~$;?!&*<>|'"\[\]{},\\-]|:(?=\S)|(?<=\S)#)*(?<! )"""
_PLAIN_IN_LINE = r"[^,\[\]{}:#?]*"
_ODD = "[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""A character that is told by an escape."""
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", '"': '\\"', "\\": "\\\\"}


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    short = _ESCAPES.get(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _block(text: str, margin: str) -> str:
    keep = "" if text.endswith("\n") else "-"
    body = text if keep else text[:-1]
    if body.endswith("\n"):
        keep = "+"
    return f"|{keep}" + "".join(f"\n{margin}{line}" if line else "\n" for line in body.split("\n"))


def _entries(x: Any, name: str) -> Iterator[tuple[Any, Any, str]]:
    """What a container holds, each with its key (`_DASH` in a list) and the name that it would have as an anchor."""
    if type(x) is list:
        for n, value in enumerate(x):
            yield _DASH, value, f"{name}_{n}"
        return
    for key, value in x.items():
        if key == "_items_" and all(map(_is_key, value)):
            for own, held in value:
                yield own, held, str(own)
        else:
            yield key, value, name if key == "of" or key[:1] == "_" else key


def _is_key(pair: Any) -> bool:
    """Whether the key of an item can stand as a key of YAML."""
    key = pair[0]
    return type(key) in (int, float, bool, type(None)) or (type(key) is str and key[:1] != "_")
