"""Values of the override grammar: text to words, quoted texts, lists, dicts, sweeps, and what functions give."""

from __future__ import annotations

from ._alternatives import SWEEPS, Choice, Extension, Refused
from ._functions import FUNCTIONS, call
from ._word import Word, plain_value
from .errors import Fault, OverrideError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_value(text: str) -> Any:
    """Read one value; a text with commas at the top is an error.

    Raises:
        OverrideError: It is no single value.

    >>> plain_value(parse_value("[1, {a: x}, '2', int(3.5)]"))
    [1, {'a': 'x'}, '2', 3]
    """
    value, _ = Reader(text, 0).whole()
    if isinstance(value, (*SWEEPS, Extension)):
        problem = f"{text!r} is a sweep, and only one value can stand here"
        raise OverrideError(Fault("", problem, advice=["for one value:  [a,b]  or  'a,b'"]))
    return value


_DEEPEST = 200
_ESCAPED = frozenset("\\,[]{}()'\":= \t")
_CLOSING = {"[": "]", "{": "}", "(": ")"}


class Reader:
    """Reads values from left to right, looking at each character once."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.depth = 0

    def whole(self) -> tuple[Any, list[str] | None]:
        """All that is left: one value or a sweep; and the texts of its choices where they stand in the text."""
        values: list[Any] = []
        starts: list[int] = []
        texts: list[str] = []
        while True:
            start = self.space()
            starts.append(start)
            values.append(self.value(","))
            last = values[-1]
            texts.append(last.source if isinstance(last, Word) else self.text[start : self.at].rstrip())
            if self.at == len(self.text):
                break
            self.at += 1  # the comma
        if len(values) == 1:
            return values[0], None if isinstance(values[0], (*SWEEPS, Extension)) else texts
        for start, value, text in zip(starts, values, texts, strict=True):
            if not text:
                raise self.fault("expected a value between commas", self.at)
            self.refuse_sweep(value, start, "among the values of another")
        return Choice(values, simple=True), texts

    def value(self, ends: str) -> Any:
        """One value, up to one of `ends`, which is not consumed."""
        self.space()
        c = self.peek()
        if c and c in "[{":
            value: Any = self.nested(self.sequence if c == "[" else self.mapping)
        elif c and c in "\"'":
            value = self.quoted()
        else:
            name, after = self.named("(")
            if not name:
                return self.word(ends)
            value = self.nested(lambda: self.function(name, after))
        self.space()
        if self.peek() and self.peek() not in ends:
            raise self.fault(f"expected {' or '.join(map(repr, ends))} after the value", self.at)
        return value

    def nested(self, read: Any) -> Any:
        if self.depth == _DEEPEST:
            problem = f"a value is nested too deeply: more than {_DEEPEST} levels, at column {self.at + 1}"
            raise OverrideError(Fault("", problem))
        self.depth += 1
        value = read()
        self.depth -= 1
        return value

    def sequence(self) -> list[Any]:
        opened = self.at
        self.at += 1
        out: list[Any] = []
        while self.another("]", opened, first=not out):
            start = self.space()
            out.append(self.value(",]"))
            self.refuse_sweep(out[-1], start, "inside of a list")
        return out

    def mapping(self) -> dict[Any, Any]:
        opened = self.at
        self.at += 1
        out: dict[Any, Any] = {}
        while self.another("}", opened, first=not out):
            start = self.space()
            key = self.value(":,}")
            if self.peek() != ":":
                raise self.fault("expected ':' after a key", self.at)
            self.at += 1
            if not isinstance(key, str | Word):
                raise self.fault("a key must be a word or a quoted text", start)
            name = plain_value(key)
            if name in out:
                raise self.fault(f"the key {name!r} stands twice", start)
            start = self.space()
            out[name] = self.value(",}")
            self.refuse_sweep(out[name], start, "inside of a dict")
        return out

    def named(self, sign: str) -> tuple[str, int]:
        """The name that stands here before a sign, and where it goes on after that; "" for none."""
        end = self.at
        if not self.text[end : end + 1].isalpha() and self.text[end : end + 1] != "_":
            return "", end
        while self.text[end : end + 1].isalnum() or self.text[end : end + 1] in ("_", "-"):
            end += 1
        name = self.text[self.at : end]
        while self.text[end : end + 1] in (" ", "\t"):
            end += 1
        return (name, end + 1) if name.isascii() and self.text[end : end + 1] == sign else ("", end)

    def function(self, name: str, after: int) -> Any:
        opened = self.at
        if name not in FUNCTIONS:
            advice = [f"did you mean  {close}(…)?" for close in nearest(name, FUNCTIONS)[:1]]
            raise self.fault(f"{name}(…) is not known; quote a text that holds '('", opened, *advice)
        self.at, paren = after, after - 1
        args: list[Any] = []
        named: dict[str, Any] = {}
        while self.another(")", paren, first=not args and not named):
            start = self.space()
            key, after = self.named("=")
            if not key:
                if named:
                    raise self.fault("what has no name stands before what has one", start)
                args.append(self.value(",)"))
                continue
            if key in named:
                raise self.fault(f"{key} is given twice", start)
            self.at = after
            named[key] = self.value(",)")
        try:
            return call(name, args, named)
        except Refused as problem:
            raise self.fault(str(problem), opened) from None

    def another(self, close: str, opened: int, *, first: bool) -> bool:
        """Go on to the next of several, or past their end."""
        self.space()
        if not first and self.peek() == ",":
            self.at += 1
            self.space()
        elif not first and self.peek() not in ("", close):
            raise self.fault(f"expected ',' or {close!r}", self.at)
        if not self.peek():
            raise self.fault(f"this {self.text[opened]!r} is not closed", opened)
        if self.peek() != close:
            return True
        self.at += 1
        return False

    def quoted(self) -> str:
        opened, quote = self.at, self.text[self.at]
        self.at += 1
        out: list[str] = []
        while True:
            end = self.text.find(quote, self.at)
            if end < 0:
                raise self.fault("this quote is not closed", opened)
            first = end
            while first > self.at and self.text[first - 1] == "\\":
                first -= 1
            # Backslashes count where they stand before this quote, as in Hydra; elsewhere they are themselves.
            out.append(self.text[self.at : first] + "\\" * ((end - first) // 2))
            self.at = end + 1
            if (end - first) % 2 == 0:
                return "".join(out)
            out.append(quote)

    def word(self, ends: str) -> Word:
        start, solid, kept = self.at, 0, self.at  # spaces of the first `solid` pieces stay
        out: list[str] = []
        opened: list[int] = []
        while self.at < len(self.text):
            c = self.text[self.at]
            if not opened and c in ends:
                break
            piece, taken = c, 1
            if c == "\\" and self.text[self.at + 1 : self.at + 2] in _ESCAPED:
                piece, taken = self.text[self.at + 1], 2
                if piece in " \t":
                    solid, kept = len(out) + 1, self.at + 2
            elif c == "$" and self.text.startswith("${", self.at):
                piece = self.reference()
                taken = len(piece)
            elif c in "[{(":
                if self.at == start:
                    raise self.fault("a value does not start with '(': a list stands in [ ], a text in quotes", start)
                opened.append(self.at)
            elif c in "]})" and (not opened or _CLOSING[self.text[opened.pop()]] != c):
                raise self.fault(f"this {c!r} closes nothing; quote a text that holds it", self.at)
            out.append(piece)
            self.at += taken
        if opened:
            raise self.fault(f"this {self.text[opened[-1]]!r} is not closed", opened[-1])
        text = "".join(out[:solid]) + "".join(out[solid:]).rstrip()
        if not text and ends != ",":
            raise self.fault("expected a value", self.at)
        return Word(text, self.text[start:kept] + self.text[kept : self.at].rstrip())

    def reference(self) -> str:
        """What stands from `${` to its `}`, with references inside."""
        depth, at = 1, self.at + 2
        while depth:
            closing = self.text.find("}", at)
            if closing < 0:
                raise self.fault("this '${' is not closed", self.at)
            depth += self.text.count("${", at, closing) - 1
            at = closing + 1
        return self.text[self.at : at]

    def refuse_sweep(self, value: Any, start: int, place: str) -> None:
        if isinstance(value, (*SWEEPS, Extension)):
            raise self.fault(f"a sweep cannot stand {place}", start)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def space(self) -> int:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.at

    def fault(self, problem: str, column: int, *advice: str) -> OverrideError:
        shown = [self.text, " " * column + "^", *advice]
        return OverrideError(Fault("", f"{problem}, at column {column + 1}", advice=shown))
