"""The override grammar: text to what was said. It knows nothing of specs or types."""

from __future__ import annotations

from ._path import format_path, parse_path
from .errors import Fault, OverrideError, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Operation = Literal["set", "add", "force", "delete", "append"]


class Word:
    """An unquoted word: its text, and the value that it has where no type is declared."""

    __slots__ = ("text", "value")

    def __init__(self, text: str) -> None:
        self.text = text
        self.value = typed(text)

    def __repr__(self) -> str:
        return f"Word({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Word) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class Override:
    """One override, as it was said.

    Attributes:
        text: The whole text.
        operation: "set" (`a=1`), "add" (`+a=1`), "force" (`++a=1`), "delete" (`~a`), "append" (`a+=[1]`).
        steps: The path, parsed.
        choices: The values; more than one is a sweep. Empty for a bare `~a`.
            A value is a `Word`, a str (quoted), a list or a dict of values.
        number: Which of the overrides given together it is, where that has to be known.
    """

    __slots__ = ("choices", "number", "operation", "steps", "text", "texts")

    operation: Operation
    steps: tuple[Any, ...]

    def __init__(
        self, text: str, operation: Operation, steps: tuple[Any, ...], choices: list[Any], texts: list[str]
    ) -> None:
        self.text = text
        self.operation = operation
        self.steps = steps
        self.choices = choices
        self.texts = texts
        self.number = 0

    def like(self, *, operation: Operation | None = None, steps: tuple[Any, ...] | None = None) -> Override:
        """The same words, meant in another way or at another place."""
        made = Override(
            self.text,
            self.operation if operation is None else operation,
            self.steps if steps is None else steps,
            self.choices,
            self.texts,
        )
        made.number = self.number
        return made

    @property
    def path(self) -> str:
        """The path as text."""
        return format_path(self.steps)

    @property
    def is_sweep(self) -> bool:
        """Whether it stands for more values than one."""
        return len(self.choices) > 1

    def chosen(self, n: int) -> Override:
        """The override that sets the n-th choice only."""
        sign = {"add": "+", "force": "++", "delete": "~"}.get(self.operation, "")
        equals = "+=" if self.operation == "append" else "="
        text = f"{sign}{self.path}{equals}{self.texts[n]}"
        return Override(text, self.operation, self.steps, [self.choices[n]], [self.texts[n]])


def parse(text: str) -> Override:
    """Read one override.

    Args:
        text: `a.b=1`, `+a.c=[1,2]`, `++a.c=1`, `~a.d`, `a.0.b=x`, `a+=[1]`, `a=1,2`.

    Raises:
        OverrideError: The text is no override; the message points at the column.

    >>> parse("optim.lr=1e-3,3e-3").choices
    [Word('1e-3'), Word('3e-3')]
    """
    operation: Operation = "set"
    start = 0
    for sign, meaning in (("++", "force"), ("+", "add"), ("~", "delete")):
        if text.startswith(sign):
            operation, start = meaning, len(sign)  # type: ignore[assignment]
            break
    equals = _equals(text, start)
    if equals < 0 and operation != "delete":
        advice = "write  path=value" if operation == "set" else f"write  {text[:start]}path=value"
        raise OverrideError(Fault("", f"{text!r} is not an override: there is no '='", advice=[advice]))
    path = text[start:equals] if equals >= 0 else text[start:]
    if path.endswith("+") and operation == "set":
        operation, path = "append", path[:-1]
    try:
        steps = parse_path(path.strip())
    except PathError as error:
        raise OverrideError(Fault("", f"{text!r} is not an override: {error.faults[0].problem}")) from None
    if equals < 0:
        return Override(text, operation, steps, [], [])
    choices, texts = _Reader(text, equals + 1).choices()
    if operation == "delete" and len(choices) > 1:
        raise OverrideError(Fault("", f"{text!r} would delete a sweep of values: name one, or none"))
    return Override(text, operation, steps, choices, texts)


def _equals(text: str, start: int) -> int:
    """Where the path ends: the first `=` outside of brackets."""
    quote = ""
    depth = 0
    for n in range(start, len(text)):
        c = text[n]
        if quote:
            quote = "" if c == quote and text[n - 1] != "\\" else quote
        elif c in "\"'" and depth:
            quote = c
        elif c == "[":
            depth += 1
        elif c == "]":
            depth -= 1
        elif c == "=" and depth <= 0:
            return n
    return -1


def parse_value(text: str) -> Any:
    """Read one value; a text with commas at the top is an error.

    Raises:
        OverrideError: It is no single value.
    """
    choices, _ = _Reader(text, 0).choices()
    if len(choices) != 1:
        raise OverrideError(
            Fault(
                "",
                f"{text!r} is a sweep, and only one value can stand here",
                advice=["for one value:  [a,b]  or  'a,b'"],
            )
        )
    return choices[0]


_DEEPEST = 200
_ESCAPES = "\\,[]{}'\":= "


class _Reader:
    """Reads values from left to right, looking at each character once."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.depth = 0

    def choices(self) -> tuple[list[Any], list[str]]:
        choices: list[Any] = []
        texts: list[str] = []
        while True:
            start = self.at
            choices.append(self.value(",", start))
            texts.append(self.text[start : self.at].strip())
            if self.at == len(self.text):
                break
            self.at += 1  # the comma
        if len(choices) > 1 and "" in texts:
            raise self.fault("expected a value between commas", self.at)
        return choices, texts

    def value(self, ends: str, opened: int) -> Any:
        """One value, up to one of `ends`, which is not consumed."""
        self.space()
        c = self.peek()
        if c and c in "[{":
            if self.depth == _DEEPEST:
                raise OverrideError(
                    Fault("", f"a value is nested too deeply: more than {_DEEPEST} levels, at column {self.at + 1}")
                )
            self.depth += 1
            value: Any = self.sequence() if c == "[" else self.mapping()
            self.depth -= 1
        elif c and c in "\"'":
            value = self.quoted()
        else:
            return self.word(ends)
        self.space()
        if self.peek() and self.peek() not in ends:
            raise self.fault(f"expected {' or '.join(map(repr, ends))} after the value", self.at)
        return value

    def sequence(self) -> list[Any]:
        opened = self.at
        self.at += 1
        out: list[Any] = []
        self.space()
        while self.peek() != "]":
            out.append(self.value(",]", opened))
            self.comma("]", opened)
        self.at += 1
        return out

    def mapping(self) -> dict[Any, Any]:
        opened = self.at
        self.at += 1
        out: dict[Any, Any] = {}
        self.space()
        while self.peek() != "}":
            self.space()
            start = self.at
            key = self.value(":", opened)
            if self.peek() != ":":
                raise self.fault("expected ':' after a key", self.at)
            self.at += 1
            name = key if isinstance(key, str) else key.value if isinstance(key, Word) else None
            if name is None and not (isinstance(key, Word) and key.value is None):
                raise self.fault("a key must be a word or a quoted text", opened)
            if name in out:
                raise self.fault(f"the key {name!r} stands twice", start)
            out[name] = self.value(",}", opened)
            self.comma("}", opened)
        self.at += 1
        return out

    def comma(self, close: str, opened: int) -> None:
        self.space()
        if not self.peek():
            raise self.fault(f"this {self.text[opened]!r} is not closed", opened)
        if self.peek() == ",":
            self.at += 1
            self.space()
        elif self.peek() != close:
            raise self.fault(f"expected ',' or {close!r}", self.at)

    def quoted(self) -> str:
        opened, quote = self.at, self.text[self.at]
        self.at += 1
        out: list[str] = []
        while self.peek() != quote:
            if not self.peek():
                raise self.fault("this quote is not closed", opened)
            if self.peek() == "\\" and self.text[self.at + 1 : self.at + 2] in (quote, "\\"):
                self.at += 1
            out.append(self.text[self.at])
            self.at += 1
        self.at += 1
        return "".join(out)

    def word(self, ends: str) -> Word:
        start = self.at
        out: list[str] = []
        while self.at < len(self.text):
            c = self.text[self.at]
            if c == "$" and self.text[self.at + 1 : self.at + 2] == "{":
                close = self.text.find("}", self.at)
                if close < 0:
                    raise self.fault("this '${' is not closed", self.at)
                out.append(self.text[self.at : close + 1])
                self.at = close + 1
                continue
            if c in ends:
                break
            if c == "(" and self.text[start : self.at].isidentifier():
                raise self.fault(f"{self.text[start : self.at]}(…) is not known; quote a text that holds '('", start)
            if c == "\\" and self.text[self.at + 1 : self.at + 2] in tuple(_ESCAPES):
                self.at += 1
                c = self.text[self.at]
            out.append(c)
            self.at += 1
        text = "".join(out).strip()
        if not text and ends != ",":
            raise self.fault("expected a value", self.at)
        return Word(text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def space(self) -> None:
        while self.peek() == " ":
            self.at += 1

    def fault(self, problem: str, column: int) -> OverrideError:
        return OverrideError(Fault("", f"{problem}, at column {column + 1}", advice=[self.text, " " * column + "^"]))


def typed(text: str) -> Any:
    """The value of an unquoted word: null, a truth value, a number, else the text itself.

    >>> [typed(word) for word in ("null", "true", "1_000", "1e-3", "-inf", "no", "1.2.3")]
    [None, True, 1000, 0.001, -inf, 'no', '1.2.3']
    """
    lower = text.lower()
    if lower in _CONSTANTS:
        return _CONSTANTS[lower]
    if not text or (text[0] not in "0123456789+-.in" and lower[:1] not in ("i", "n")):
        return text
    if text.startswith("_") or text.endswith("_") or "__" in text or text != text.strip():
        return text
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits.isdecimal():
        return text  # 007 is a name or a code: as a number it would lose what was typed
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False, "": ""}


def plain_value(value: Any) -> Any:
    """What a value is where no type is declared.

    >>> plain_value(parse_value("[1, {a: x}, '2']"))
    [1, {'a': 'x'}, '2']
    """
    if isinstance(value, Word):
        return value.value
    if isinstance(value, list):
        return [plain_value(v) for v in value]
    if isinstance(value, dict):
        return {k: plain_value(v) for k, v in value.items()}
    return value
