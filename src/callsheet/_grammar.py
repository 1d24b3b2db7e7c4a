"""The override grammar: text to what was said. It knows nothing of specs or types."""

from __future__ import annotations

from _collections_abc import Sequence

from ._alternatives import SWEEPS, Choice, Extension, Glob, Interval, Range
from ._path import format_path, parse_path
from ._values import Reader
from ._word import Word, write_value
from .errors import Fault, OverrideError, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Operation = Literal["set", "add", "force", "delete", "append", "remove", "splice"]

_SIGNS = {"add": "+", "force": "++", "delete": "~"}
_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/%"


class Override:
    """One override, as it was said.

    Attributes:
        text: The whole text.
        operation: "set" (`a=1`), "add" (`+a=1`), "force" (`++a=1`), "delete" (`~a`), "append" (`a+=[1]`),
            "remove" (`a-=[1]`), "splice" (`a[0:2]=[1]`, `~a[0:2]`).
        steps: The path, parsed; of a wildcard, what stands before the three dots.
        typed: The path as it was said, where that starts further down than `steps`; else "".
        below: Of a wildcard, what stands after them: `model...dropout`. Else empty.
        span: Of a splice, from where to where, None for an end that is left out.
        choices: The values: one, or those of a sweep, in a sequence that need not hold them all. Empty for a bare
            `~a`, an `interval` and a `glob`. A value is a `Word`, a str (quoted), a list or a dict of values, or what
            a cast gave.
        sweep: What sweeps, if anything does.
        number: Which of the overrides given together it is, where that has to be known.
        where: The file and line that say it, where it is not who gave the others.
    """

    __slots__ = (
        "_texts",
        "below",
        "choices",
        "number",
        "operation",
        "span",
        "steps",
        "sweep",
        "text",
        "typed",
        "where",
    )

    operation: Operation
    steps: tuple[Any, ...]

    def __init__(
        self,
        text: str,
        operation: Operation,
        steps: tuple[Any, ...],
        choices: Sequence[Any],
        texts: Sequence[str] | None = None,
        *,
        sweep: Choice | Range | Interval | Glob | None = None,
    ) -> None:
        self.text = text
        self.operation = operation
        self.steps = steps
        self.choices = choices
        self._texts = texts
        self.sweep = sweep
        self.below: tuple[Any, ...] = ()
        self.span: tuple[int | None, int | None] | None = None
        self.number = 0
        self.typed = ""
        self.where = ""

    def like(self, **changed: Any) -> Override:
        """The same words, with some attributes changed: meant in another way or at another place."""
        made = Override(self.text, self.operation, self.steps, self.choices, self._texts, sweep=self.sweep)
        made.below, made.span, made.number = self.below, self.span, self.number
        made.typed, made.where = self.typed, self.where
        for name, value in changed.items():
            setattr(made, name, value)
        return made

    @property
    def path(self) -> str:
        """The path as text."""
        path = format_path(self.steps)
        if self.below:
            path += f"...{format_path(self.below)}"
        if self.span is None:
            return path
        first, last = ("" if end is None else str(end) for end in self.span)
        return f"{path}[{first}:{last}]"

    @property
    def last(self) -> Any:
        """The last step of the path: the name of what is set."""
        return (self.below or self.steps)[-1]

    @property
    def texts(self) -> Sequence[str]:
        """The choices as texts."""
        return self._texts if self._texts is not None else _Texts(self.choices)

    @property
    def is_sweep(self) -> bool:
        """Whether it stands for a value that is not decided yet."""
        return self.sweep is not None

    @property
    def happens_once(self) -> bool:
        """Whether it changes what stands there, so that doing it again would do more."""
        return self.operation in ("append", "remove", "splice")

    def chosen(self, n: int) -> Override:
        """The override that sets the n-th choice only."""
        return self.decided(self.choices[n], self.texts[n])

    def decided(self, value: Any, text: str) -> Override:
        """The override that sets one value, which reads as a text."""
        equals = {"append": "+=", "remove": "-="}.get(self.operation, "=")
        whole = f"{_SIGNS.get(self.operation, '')}{self.typed or self.path}{equals}{text}"
        return self.like(text=whole, choices=[value], _texts=[text], sweep=None)


class _Texts(Sequence):  # type: ignore[type-arg]
    """Values as texts, written when they are asked for."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, n: Any) -> Any:
        return [*map(write_value, self._values[n])] if isinstance(n, slice) else write_value(self._values[n])


def parse(text: str) -> Override:
    """Read one override.

    Args:
        text: `a.b=1`, `+a.c=[1,2]`, `++a.c=1`, `~a.d`, `a.0.b=x`, `a+=[1]`, `a-=[1]`, `a[0:0]=[x]`, `a=1,2`,
            `a...b=1`.

    Raises:
        OverrideError: The text is no override; the message points at the column.

    >>> parse("optim.lr=1e-3,3e-3").choices
    [Word('1e-3'), Word('3e-3')]
    """
    name, _, word = text.partition("=")
    if word and not word.strip(_SAFE) and name.isascii() and name.replace(".", "_").isidentifier():
        steps = name.split(".")
        if "" not in steps:
            return Override(text, "set", tuple(steps), [Word(word)], [word])
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
    path = (text[start:equals] if equals >= 0 else text[start:]).strip()
    if operation == "set" and path[-1:] in ("+", "-"):
        operation, path = ("append" if path[-1] == "+" else "remove"), path[:-1].rstrip()
    try:
        made = _placed(text, operation, path)
    except PathError as error:
        raise OverrideError(Fault("", f"{text!r} is not an override: {error.faults[0].problem}")) from None
    return made if equals < 0 else _valued(made, equals + 1)


def _placed(text: str, operation: Operation, path: str) -> Override:
    """An override that has its path, and no value yet."""
    opened = path.rfind("[") if path.endswith("]") else -1
    first, colon, last = path[opened + 1 : -1].partition(":")
    if opened >= 0 and colon and _is_position(first) and _is_position(last):
        if operation not in ("set", "delete"):
            raise _not_so(text, "elements are set, as in a[0:2]=[x], or deleted, as in ~a[0:2]")
        made = _leading(Override(text, "splice", (), [[]], ["[]"]), path[:opened])
        made.span = (int(first) if first.strip() else None, int(last) if last.strip() else None)
        return made
    return _leading(Override(text, operation, (), [], []), path)


def _leading(made: Override, path: str) -> Override:
    """An override that leads along a path."""
    dots = _dots(path)
    if dots < 0:
        made.steps = parse_path(path)
        return made
    if made.operation in ("add", "force"):
        advice = "three dots go with = += -= and ~, as in model...dropout=0.1:  + makes a new key, of one place"
        raise _not_so(made.text, advice)
    made.steps = parse_path(path[:dots]) if dots else ()
    made.below = parse_path(path[dots + 3 :])
    return made


def _dots(path: str) -> int:
    """Where the three dots of a wildcard stand, outside of quotes; -1 for none."""
    quote = ""
    for n, c in enumerate(path):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c == "." and path.startswith("...", n):
            return n
    return -1


def _is_position(text: str) -> bool:
    digits = text.strip().removeprefix("-")
    return not text.strip() or (digits.isascii() and digits.isdecimal())


def _valued(made: Override, start: int) -> Override:
    """An override with the value that stands after its `=`."""
    value, texts = Reader(made.text, start).whole()
    if made.operation == "delete" and isinstance(value, SWEEPS):
        raise OverrideError(Fault("", f"{made.text!r} would delete a sweep of values: name one, or none"))
    if made.operation == "splice" and (made.text.startswith("~") or not isinstance(value, list)):
        raise _not_so(made.text, "elements are set by a list, as in a[0:2]=[x], or deleted, as in ~a[0:2]")
    if isinstance(value, Extension):
        if made.operation not in ("set", "append", "force"):
            raise _not_so(made.text, "extend_list adds to a list that is there, as in a=extend_list(x)")
        made.operation, value, texts = "append", value.values, None
    if not isinstance(value, SWEEPS):
        return made.like(choices=[value], _texts=texts)
    choices = value.values if isinstance(value, Choice) else value if isinstance(value, Range) else ()
    return made.like(choices=choices, _texts=texts, sweep=value)


def _not_so(text: str, advice: str) -> OverrideError:
    return OverrideError(Fault("", f"{text!r} is not an override", advice=[advice]))


def _equals(text: str, start: int) -> int:
    """Where the path ends: the first `=` outside of brackets."""
    first = text.find("=", start)
    if "[" not in text[start : max(first, start)]:
        return first
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
