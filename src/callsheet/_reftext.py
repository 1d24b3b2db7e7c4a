r"""References read from text: `${a.b}`, `${.x}`, `run-${seed}`, `${env:HOME,default}`, `${plans.${plan}.lr}`, `\${`."""

from __future__ import annotations

from ._path import parse_path
from ._ref import Ref
from ._tree import kind_of
from ._word import typed
from ._written import WRITTEN, Asked, Route, Template, written
from .errors import Fault, PathError, ReferenceUseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

_DEEPEST = 50
"""References within references that a text may hold."""

_ESCAPED = "\\,[]{}'\":= "
"""What a backslash in an unquoted argument makes literal, as in an override."""


def ref(target: Any) -> Any:
    """A reference to a node, or to a place in the spec.

    Args:
        target: A node (`ref(model)`), or as text the path of a value
            (`ref("train.steps")`, `ref(".lr")` for one beside it), or what a
            data file would write (`ref("${env:PORT}")`).

    Returns:
        A `Ref`; attributes, items, calls and arithmetic on it are done when it is built.

    Raises:
        PathError: The text is not a path.
        ReferenceUseError: The value is neither a text nor a node.

    >>> ref("train.steps") // 10
    ref("train.steps") // 10
    """
    if isinstance(target, str):
        if "${" in target:
            return parse_text(target)
        path = target.lstrip(".")
        return Ref(parse_path(path), dots=len(target) - len(path))
    if type(target) is Ref:
        return target
    if kind_of(type(target)) is None:
        raise ReferenceUseError(
            Fault(
                "",
                f"cannot refer to {target!r}: it is no node",
                advice=['refer to a call, a dataclass, or a path: ref("a.b")'],
            )
        )
    if hasattr(type(target), "__held__"):
        object.__setattr__(target, "__held__", 2)
    return Ref(target)


def parse_text(text: str) -> Ref:
    r"""Read a text that holds `${`: a whole reference, or a text with references inside.

    A backslash before `${` makes it literal; before a reference, a backslash is
    written twice (`C:\\${name}`).

    Raises:
        PathError: A `${` is not closed, or what stands in it is no reference.
    """
    parts = _Reader(text).parts(0, len(text))
    if len(parts) == 1 and isinstance(parts[0], Ref):
        return parts[0]
    return Ref(Template(tuple(parts)))


class _Reader:
    """Reads references from left to right, looking at each character once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0

    def parts(self, at: int, end: int) -> list[str | Ref]:
        """Text and references in turn."""
        parts: list[str | Ref] = []
        plain = ""
        while (start := self.text.find("${", at, end)) >= 0:
            before, literal = _unescaped(self.text[at:start])
            plain += before
            if literal:
                plain, at = plain + "${", start + 2
                continue
            if plain:
                parts.append(plain)
                plain = ""
            inner, at = self.reference(start)
            parts.append(inner)
        plain += self.text[at:end]
        return [*parts, plain] if plain else parts

    def reference(self, start: int) -> tuple[Ref, int]:
        """The reference that opens at `start`, and where it ends."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PathError(Fault("", f"{_shown(self.text)} nests references more than {_DEEPEST} levels deep"))
        at = start + 2
        while self.text[at : at + 1] == " ":
            at += 1
        end = at
        while self.text[end : end + 1].isalnum() or self.text[end : end + 1] in ("_", ".", "-"):
            end += 1
        if self.text[end : end + 1] == ":" and self.text[at] not in ".:":
            found = self.asked(start, at, end)
        else:
            found = self.path(start, at)
        self.depth -= 1
        return found

    def path(self, start: int, at: int) -> tuple[Ref, int]:
        dots = at
        while self.text[at : at + 1] == ".":
            at += 1
        dots = at - dots
        out: list[str | Ref] = [""]
        quote = ""
        while (c := self.text[at : at + 1]) != "}" or quote:
            if not c:
                raise self.open(start)
            if c == "\\" and not self.text.startswith("${", self.backslashes(at)):
                out[-1] += self.text[at : at + 2]  # type: ignore[operator]  # a key has escapes of its own
                at += 2
                continue
            if quote:
                quote = "" if c == quote else quote
            elif c in "\"'" and self.text[at - 1] == "[":
                quote = c
            at = self.piece(out, at, "")
        parts = [part for part in out if isinstance(part, Ref) or part]
        if parts and isinstance(parts[-1], str):
            parts[-1] = parts[-1].rstrip()
        if all(isinstance(part, str) for part in parts):
            return Ref(self.steps("".join(parts), start, at), dots=dots), at + 1  # type: ignore[arg-type]
        return Ref(Route(tuple(parts)), dots=dots), at + 1

    def steps(self, path: str, start: int, end: int) -> tuple[object, ...]:
        try:
            return parse_path(path)
        except PathError as error:
            inner = self.text[start : end + 1]
            raise PathError(
                Fault(
                    "",
                    f"{_shown(self.text)} holds {inner}, which is no reference: {error.faults[0].problem}",
                    advice=[r"as in ${model.width}, ${.lr} or ${env:HOME}; a literal ${ is written \${"],
                )
            ) from None

    def asked(self, start: int, at: int, colon: int) -> tuple[Ref, int]:
        args: list[Any] = []
        end = self.space(colon + 1)
        while self.text[end : end + 1] != "}" or args:
            value, end = self.argument(start, end, ",}")
            args.append(value)
            if self.text[end] == "}":
                break
            end += 1  # the comma
        return Ref(Asked(self.text[at:colon], tuple(args), self.text[at:end])), end + 1

    def argument(self, start: int, at: int, ends: str) -> tuple[Any, int]:
        """A value up to one of `ends`: a quoted text, a list, a dict or a word; and where it ends."""
        at = self.space(at)
        c = self.text[at : at + 1]
        if not c or c not in "\"'[{":
            return self.word(start, at, ends)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PathError(Fault("", f"{_shown(self.text)} nests values more than {_DEEPEST} levels deep"))
        value: Any
        if c == "[":
            value, at = self.sequence(start, at + 1)
        elif c == "{":
            value, at = self.mapping(start, at + 1)
        else:
            value, at = self.quoted(start, at)
        self.depth -= 1
        at = self.space(at)
        if not self.text[at : at + 1]:
            raise self.open(start)
        if self.text[at] not in ends:
            raise self.bad(f"expected {' or '.join(map(repr, ends))} after a value", at)
        return value, at

    def sequence(self, start: int, at: int) -> tuple[list[Any], int]:
        made: list[Any] = []
        at = self.space(at)
        while self.text[at : at + 1] != "]":
            value, at = self.argument(start, at, ",]")
            made.append(value)
            at = self.space(at + (self.text[at] == ","))
        return made, at + 1

    def mapping(self, start: int, at: int) -> tuple[dict[Any, Any], int]:
        made: dict[Any, Any] = {}
        at = self.space(at)
        while self.text[at : at + 1] != "}":
            key, at = self.argument(start, at, ":")
            if type(key) in (Ref, list, dict):
                raise self.bad("a key must be a word or a quoted text", at)
            made[key], at = self.argument(start, at + 1, ",}")
            at = self.space(at + (self.text[at] == ","))
        return made, at + 1

    def quoted(self, start: int, at: int) -> tuple[Any, int]:
        quote, begin, at = self.text[at], at, at + 1
        out: list[str | Ref] = [""]
        while (c := self.text[at : at + 1]) != quote:
            if not c:
                raise self.bad("this quote is not closed", begin)
            at = self.piece(out, at, (quote, "\\"))
        if len(out) == 1:
            return out[0], at + 1
        return Ref(Template(tuple([part for part in out if part != ""]))), at + 1  # text, whatever is referred to

    def word(self, start: int, at: int, ends: str) -> tuple[Any, int]:
        begin = at
        out: list[str | Ref] = [""]
        while (c := self.text[at : at + 1]) not in ends or not c:
            if not c:
                raise self.open(start)
            if c in "\"'[]{}":
                raise self.bad(f"{c!r} in a word: quote the whole value", at)
            at = self.piece(out, at, _ESCAPED)
        if len(out) == 1:
            assert isinstance(out[0], str)
            found = out[0].strip()
            return (found if "\\" in self.text[begin:at] else typed(found)), at
        for n, strip in ((0, str.lstrip), (-1, str.rstrip)):
            if isinstance(out[n], str):
                out[n] = strip(out[n])  # type: ignore[arg-type]
        parts = tuple([part for part in out if isinstance(part, Ref) or part])
        return (parts[0] if len(parts) == 1 and isinstance(parts[0], Ref) else Ref(Template(parts))), at

    def piece(self, out: list[str | Ref], at: int, escaped: Container[str]) -> int:
        """Read one character or reference, or what a backslash makes literal; give where it ends."""
        c = self.text[at]
        if c == "$" and self.text[at + 1 : at + 2] == "{":
            inner, at = self.reference(at)
            out += [inner, ""]
            return at
        if c == "\\":
            end = self.backslashes(at)
            if self.text[end : end + 2] == "${":
                out[-1] += "\\" * ((end - at) // 2)  # type: ignore[operator]
                if (end - at) % 2 == 0:
                    return end
                c, at = "${", end + 1
            elif self.text[at + 1 : at + 2] and self.text[at + 1] in escaped:
                c, at = self.text[at + 1], at + 1
        out[-1] += c  # type: ignore[operator]
        return at + 1

    def backslashes(self, at: int) -> int:
        while self.text[at : at + 1] == "\\":
            at += 1
        return at

    def space(self, at: int) -> int:
        while self.text[at : at + 1] == " ":
            at += 1
        return at

    def open(self, start: int) -> PathError:
        problem = f"{_shown(self.text)} opens a reference that is not closed at column {start + 1}"
        return PathError(Fault("", problem, advice=[r"write \${ for a literal ${"]))

    def bad(self, problem: str, at: int) -> PathError:
        return PathError(Fault("", f"{_shown(self.text)} cannot be read: {problem}, at column {at + 1}"))


def _unescaped(text: str) -> tuple[str, bool]:
    """A text that stands before `${` without what escapes that, and whether it is escaped."""
    bare = text.rstrip("\\")
    count = len(text) - len(bare)
    return bare + "\\" * (count // 2), count % 2 == 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:76] + " ...")


def asked_like(asked: Asked, args: list[Any]) -> Asked | None:
    """What a resolver is asked for with other arguments, as it would be written; None where that cannot be written."""
    texts = [_argument_text(arg) for arg in args]
    if None in texts:
        return None
    text = f"{asked.name}:{','.join(texts)}"  # type: ignore[arg-type]
    return Asked(asked.name, tuple(args), text, asked.function)


def _argument_text(x: Any) -> str | None:
    if type(x) is Ref:
        return None if x.__steps__ or type(x.__base__) not in WRITTEN else written(x.__base__, x.__dots__)
    if isinstance(x, (list, dict)):
        inner = [_argument_text(member) for member in (x if isinstance(x, list) else x.values())]
        if None in inner:
            return None
        if type(x) is list:
            return f"[{','.join(inner)}]"  # type: ignore[arg-type]
        return "{" + ",".join(f"{_quoted(key)}:{text}" for key, text in zip(x, inner, strict=True)) + "}"
    if x is None or type(x) is bool:
        return "null" if x is None else str(x).lower()
    if type(x) in (int, float):
        return repr(x)
    return _quoted(x) if type(x) is str else None


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
