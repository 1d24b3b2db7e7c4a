"""Command templates: a text is split into words first, then each word is filled in, so that no value makes another."""

from __future__ import annotations

import enum
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callsheet.errors import Fault, SpecError

_NEEDS_A_SHELL = frozenset("|&;<>()$`")
_SHELL_IN_QUOTES = frozenset("$`")


@dataclass(frozen=True)
class Hole:
    """A `{{…}}` of a template.

    Attributes:
        text: What stands between the braces.
        place: Where it begins, for a person: `column 17`, or `line 2, column 5`.
    """

    text: str
    place: str


class ExpressionError(SpecError):
    """An expression cannot be computed for the values that its names have."""


Word = tuple[str | Hole, ...]
"""The parts of one word of a command."""


ABSENT = object()
"""What `flag` gives for an option that is not there."""


def words_of(template: str) -> list[Word]:
    """Split a template into words as a shell does: quotes, backslashes and continued lines; values come later.

    Raises:
        SpecError: A quote or a brace is not closed, or the text asks for a shell.

    >>> words_of("train.py --lr {{hp.lr}} 'a b'")
    [('train.py',), ('--lr',), (Hole(text='hp.lr', place='column 15'),), ('a b',)]
    """
    return _Splitter(template).words()


def fill(template: str, names: Mapping[str, Any]) -> list[str]:
    """The words of a command.

    A value stands for one word, or a part of one, whatever it holds. A list that is a word by itself gives a word
    for each of its items, and is joined by commas within another. `None` leaves its word out, and the option before
    it. `True` and `False` are written so; `{{x | flag("--x")}}` gives an option that is there or not.

    Args:
        template: Words and `{{…}}`; what stands between the braces is an expression of Jinja.
        names: What its names mean; whatever they raise for a name that is not there is raised.

    Raises:
        SpecError: The template cannot be read, or a value is no text.

    >>> fill("train.py --lr {{lr}} --sizes {{sizes}} --seed {{seed}}", {"lr": 0.1, "sizes": [1, 2], "seed": None})
    ['train.py', '--lr', '0.1', '--sizes', '1', '2']
    """
    found: list[str] = []
    option = False  # whether the last word is an option, to which a value may belong
    for word in words_of(template):
        made = _filled(word, names)
        if made is None and option:
            found.pop()
        found += made or []
        option = made is not None and len(word) == 1 and _is_option(word[0])
    return found


def _is_option(part: str | Hole) -> bool:
    return isinstance(part, str) and part.startswith("-") and "=" not in part and part[1:].lstrip("-")[:1].isalpha()


def _filled(word: Word, names: Mapping[str, Any]) -> list[str] | None:
    """The words that one of a template becomes; None where its value is None, and all of it."""
    values = [part if isinstance(part, str) else _value(part, names) for part in word]
    if len(word) == 1 and isinstance(word[0], Hole):
        alone = values[0]
        if alone is None:
            return None
        if alone is ABSENT:
            return []
        if isinstance(alone, list | tuple):
            return [_text(item, word[0]) for item in alone if item is not None]
    if None in values:
        return []  # `--seed={{seed}}` is left out whole, and the option before it is another
    return ["".join(_joined(value, part) for value, part in zip(values, word, strict=True))]


def _joined(value: Any, part: str | Hole) -> str:
    if isinstance(part, str):
        return part
    if value is ABSENT:
        return ""
    return ",".join([_text(item, part) for item in value] if isinstance(value, list | tuple) else [_text(value, part)])


def _text(value: Any, hole: Hole) -> str:
    """A single value as a command has it."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, str | bool | int | float):
        return str(value)
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if hasattr(type(value), "shape") and value.shape == ():  # a number of NumPy; the value may have names of its own
        return str(value.item())
    raise _fault(hole, f"is {value!r}, which is no text", "name one of its values, or write it as text:  | tojson")


def _fault(hole: Hole, problem: str, *advice: str) -> SpecError:
    return SpecError(Fault("", f"{{{{{hole.text}}}}} at {hole.place} {problem}", advice=advice))


def _value(hole: Hole, names: Mapping[str, Any]) -> Any:
    """What an expression comes to: a value of Python."""
    jinja = _environment()  # first: it says what to do where jinja2 is missing
    from jinja2 import TemplateError, Undefined, meta

    try:
        wanted = meta.find_undeclared_variables(jinja.parse("{{" + hole.text + "}}"))
        value = jinja.compile_expression(hole.text, undefined_to_none=False)({n: names[n] for n in sorted(wanted)})
    except SpecError as error:
        raise SpecError(*(_placed(fault, hole) for fault in error.faults)) from None
    except TemplateError as error:
        raise _fault(hole, f"cannot be read: {error.message}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ExpressionError(*_fault(hole, f"raises {type(error).__name__}: {error}").faults) from None
    if isinstance(value, Undefined):
        raise _fault(hole, "comes to nothing", "say what else:  {{… if … else …}}")
    return value


def _placed(fault: Fault, hole: Hole) -> Fault:
    problem = f"{{{{{hole.text}}}}} at {hole.place}: {fault.path} {fault.problem}"
    return Fault("", problem, origin=fault.origin, advice=fault.advice)


def _flag(value: Any, option: str, otherwise: str | None = None) -> Any:
    """The filter `flag`: an option that is there where a value is true, maybe another one where it is false."""
    if value is None or (not value and otherwise is None):
        return ABSENT
    return option if value else otherwise


def _each(values: Any, option: str) -> list[Any]:
    """The filter `each`: an option before each of some values."""
    return [word for value in values or () for word in (option, value)]


@functools.cache
def _environment() -> Any:
    try:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ModuleNotFoundError:
        advice = ["pip install 'callsheet[command]'"]
        raise SpecError(Fault("", "filling in a command needs the package jinja2", advice=advice)) from None
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    made.globals.clear()
    made.filters |= {"flag": _flag, "each": _each}
    return made


class _Splitter:
    """One reading of a template, from its beginning to its end."""

    def __init__(self, template: str) -> None:
        self.text = template
        self.at = 0
        self.found: list[Word] = []
        self.parts: list[str | Hole] | None = None  # of the word that is being read; None between words

    def words(self) -> list[Word]:
        readers: dict[str, Callable[[], None]] = {"'": self._single, '"': self._double, "\\": self._escaped}
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.text.startswith(("{{", "{%", "{#"), self.at):
                self._hole()
            elif char in readers:
                readers[char]()
            elif char.isspace():
                self._end()
                self.at += 1
            elif char in _NEEDS_A_SHELL:
                raise self._shell(char)
            else:
                self._add(char)
                self.at += 1
        self._end()
        if not self.found:
            raise SpecError(Fault("", "is empty: a command has at least one word"))
        return self.found

    def _add(self, part: str | Hole) -> None:
        self.parts = self.parts if self.parts is not None else []
        if isinstance(part, str) and self.parts and isinstance(self.parts[-1], str):
            self.parts[-1] += part
        elif part != "" or not self.parts:
            self.parts.append(part)

    def _end(self) -> None:
        if self.parts is not None:
            parts = [part for part in self.parts if part != ""] or [""]
            self.found.append(tuple(parts))
        self.parts = None

    def _single(self) -> None:
        self._quoted("'")

    def _double(self) -> None:
        self._quoted('"')

    def _quoted(self, quote: str) -> None:
        start, self.at = self.at, self.at + 1
        self._add("")
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == quote:
                self.at += 1
                return
            if self.text.startswith("{{", self.at):
                self._hole()
                continue
            if quote == '"' and char in _SHELL_IN_QUOTES:
                raise self._shell(char)
            if quote == '"' and char == "\\" and self.text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`", "\n"):
                self.at += 1
                char = self.text[self.at].replace("\n", "")
            self._add(char)
            self.at += 1
        raise SpecError(Fault("", f"the quote at {self._place(start)} is not closed"))

    def _escaped(self) -> None:
        """A backslash: what comes next is meant as it stands; before the end of a line, the line goes on."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "":
            raise SpecError(Fault("", f"the backslash at {self._place(self.at)} has nothing after it"))
        if following != "\n":
            self._add(following)
        self.at += 2

    def _hole(self) -> None:
        start = self.at
        if not self.text.startswith("{{", start):
            raise SpecError(
                Fault("", f"{self.text[start : start + 2]} at {self._place(start)}: only {{{{…}}}} is read")
            )
        at = start + 2
        quote = ""
        while at < len(self.text):
            char = self.text[at]
            if quote:
                at += char == "\\"
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif self.text.startswith("}}", at):
                self._add(Hole(self.text[start + 2 : at].strip(), self._place(start)))
                self.at = at + 2
                return
            at += 1
        raise SpecError(Fault("", f"the {{{{ at {self._place(start)} is not closed by }}}}"))

    def _place(self, at: int) -> str:
        line, column = self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)
        return f"column {column}" if "\n" not in self.text else f"line {line}, column {column}"

    def _shell(self, char: str) -> SpecError:
        advice = ["quote it if it is meant as it stands", "for a shell:  sh -c '…'"]
        problem = f"{char} at {self._place(self.at)} asks for a shell, and a command runs without one"
        return SpecError(Fault("", problem, advice=advice))
