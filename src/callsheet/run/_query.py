"""Filters of runs as text: `status=done and metrics.acc>0.9`, read by a small grammar and never evaluated as code."""

from __future__ import annotations

import ast
import datetime
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from callsheet.errors import Fault, QueryError, nearest
from callsheet.run._store import STATES

Columns = Callable[[str, int], Sequence[Any]]
"""Gives a name's value of each run, None where a run has none; the column of the text is for its errors."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<op>!=|<=|>=|==|[=<>~])
      | (?P<paren>[()])
      | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>(?:[^\s()=<>!~"'\[]|\[(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\]"']*)\])+)
    )""",
    re.VERBOSE,
)

_VALUE = re.compile(r"""\s*(?P<word>[^\s()=<>!~"'][^\s()"']*)""")
"""What follows a comparison, where it has no quotes: it may hold what would be a comparison elsewhere."""

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d)")
_WORDS = {"true": True, "false": False, "none": None, "null": None}
_TIMES = ("started", "ended")
_STATE = ("state", "status")


@dataclass(frozen=True)
class _Comparison:
    """`name op value`; `said` is the value as it was written."""

    name: str
    op: str
    value: Any
    said: str
    at: int


@dataclass(frozen=True)
class _Joined:
    """`and`, `or` or `not` of parts."""

    how: str
    parts: tuple[Any, ...]


class Query:
    """A filter that was read.

    Comparisons are `=`, `!=`, `<`, `<=`, `>`, `>=`, and `~` for "contains", whatever the case; they are joined by
    `and`, `or`, `not` and parentheses. A run that has no such value fits only `!=`, and `= none`.

    Args:
        text: The filter.

    Raises:
        QueryError: It cannot be read; the error points at the column.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._root = _Reader(text).whole()

    def keep(self, columns: Columns, count: int) -> list[bool]:
        """For each of `count` runs whether it fits."""
        return _judged(self._root, columns, count)


def column_error(text: str, at: int, problem: str, advice: Iterable[str] = ()) -> QueryError:
    """An error that points at a column of a filter, counted from 0."""
    return QueryError(Fault("", problem, advice=[text, " " * at + "^", *advice]))


class _Reader:
    """Reads by recursive descent; `or` binds less than `and`, that less than `not`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.n = 0
        self.depth = 0
        at = 0
        while text[at:].strip():
            after = bool(self.tokens) and self.tokens[-1][0] == "op"
            found = (_VALUE.match(text, at) if after else None) or _TOKEN.match(text, at)
            if found is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                self._refuse(at, f"cannot read the filter at {text[at]!r}")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind)))
            at = found.end()
        self.tokens.append(("end", "", len(text.rstrip())))

    def whole(self) -> Any:
        if len(self.tokens) == 1:
            self._refuse(0, "the filter is empty: compare something, as in  state=done")
        found = self._any()
        kind, said, at = self.tokens[self.n]
        if kind != "end":
            self._refuse(at, f"expected 'and' or 'or' before {said!r}")
        return found

    def _any(self) -> Any:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _Joined("or", tuple(parts))

    def _all(self) -> Any:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else _Joined("and", tuple(parts))

    def _one(self) -> Any:
        kind, said, at = self.tokens[self.n]
        self.depth += 1
        if self.depth > 50:
            self._refuse(at, "the filter is nested too deeply")
        try:
            if self._take("not"):
                return _Joined("not", (self._one(),))
            if (kind, said) == ("paren", "("):
                self.n += 1
                found = self._any()
                if self.tokens[self.n][1] != ")" or self.tokens[self.n][0] != "paren":
                    self._refuse(at, "this '(' is not closed")
                self.n += 1
                return found
            return self._comparison()
        finally:
            self.depth -= 1

    def _comparison(self) -> _Comparison:
        kind, name, at = self.tokens[self.n]
        if kind != "word":
            self._refuse(at, "expected a name" + (f", found {name!r}" if name else " at the end"))
        op_kind, op, op_at = self.tokens[self.n + 1]
        if op_kind != "op":
            self._refuse(op_at, f"expected a comparison after {name!r}: one of  = != < <= > >= ~")
        value_kind, said, value_at = self.tokens[self.n + 2]
        if value_kind not in ("word", "quoted"):
            self._refuse(value_at, f"expected a value after {op!r}")
        self.n += 3
        if name in _STATE and op in ("=", "==", "!="):
            self._judge_state(said.strip("\"'"), value_at)
        if value_kind == "quoted":
            value = said = str(ast.literal_eval(said))
        else:
            value = self._value(name, said, value_at)
        return _Comparison(name, "=" if op == "==" else op, value, said, at)

    def _value(self, name: str, said: str, at: int) -> Any:
        if name in _TIMES:
            try:
                return datetime.datetime.fromisoformat(said).timestamp()
            except (ValueError, OverflowError):
                self._refuse(at, f"{name} is compared with a date, as in  2026-11-22  or  2026-11-22T08:30")
        duration = _DURATION.fullmatch(said)
        if name == "duration" and duration:
            return float(duration[1]) * _UNITS[duration[2]]
        if name == "duration" and said.lower() not in _WORDS and isinstance(typed(said), str):
            self._refuse(at, "duration is compared with seconds, or with a time as in  30s  5m  1.5h  2d")
        return _WORDS.get(said.lower(), typed(said)) if said.lower() in _WORDS else typed(said)

    def _judge_state(self, said: str, at: int) -> None:
        if said not in STATES and said.lower() not in _WORDS:
            close = nearest(said, STATES)
            advice = [f"did you mean  {close[0]}?"] if close else []
            raise column_error(
                self.text, at, f"there is no state {said!r}", [*advice, f"states are  {', '.join(STATES)}"]
            )

    def _take(self, word: str) -> bool:
        kind, said, _ = self.tokens[self.n]
        follows = self.tokens[self.n + 1][0] if self.n + 1 < len(self.tokens) else "end"
        if kind != "word" or said.lower() != word or follows == "op":
            return False
        self.n += 1
        return True

    def _refuse(self, at: int, problem: str) -> NoReturn:
        raise column_error(self.text, at, problem)


@cache
def typed(text: str) -> Any:
    """What a text of a spec's leaf says: a number, a text without its quotes, true, false, none; else itself.

    >>> typed("1e-3"), typed("'adam'"), typed("True"), typed("Net")
    (0.001, 'adam', True, 'Net')
    """
    if text[:1] in ("'", '"'):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _judged(node: Any, columns: Columns, count: int) -> list[bool]:
    if isinstance(node, _Comparison):
        test = _test(node)
        return [test(value) for value in columns(node.name, node.at)]
    found = [_judged(part, columns, count) for part in node.parts]
    if node.how == "not":
        return [not kept for kept in found[0]]
    join = all if node.how == "and" else any
    return [join(kept) for kept in zip(*found, strict=True)]


def _test(node: _Comparison) -> Callable[[Any], bool]:
    wanted, said, op = node.value, node.said, node.op
    is_number = isinstance(wanted, int | float)
    if op in ("=", "!="):
        negated = op == "!="

        def same(value: Any) -> bool:
            if value is None or wanted is None:
                return (value is wanted) is not negated
            if wanted != wanted and isinstance(value, float):  # NaN, which equals nothing
                return (value != value) is not negated
            equal = value == (wanted if is_number and not isinstance(value, str) else said)
            return equal is not negated

        return same
    if op == "~":
        part = said.casefold()
        return lambda value: value is not None and part in str(value).casefold()
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[op]
    if is_number:
        return lambda value: value is not None and type(value) is not str and compare(value, wanted)
    return lambda value: type(value) is str and compare(value, said)


MISSING_KEY: tuple[int, Any] = (2, 0)
"""What sorts a value that is missing, behind all others."""


def sort_key(value: Any) -> tuple[int, Any]:
    """Orders values of any kinds: numbers, then texts, then what is missing."""
    if isinstance(value, int | float) and not math.isnan(value):
        return 0, value
    return (1, value) if isinstance(value, str) else MISSING_KEY
