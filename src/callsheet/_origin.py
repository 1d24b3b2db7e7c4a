"""Who set a value: a line of a file, an override, a sweep axis or Python code."""

from __future__ import annotations

import _ast as ast
import os

from ._configfile import show_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any, Protocol

    class Source(Protocol):
        """A data file that knows its lines."""

        def where(self, place: str, *keys: object) -> str:
            """Where a place of its spec stands, or what stands there under a key."""
            ...

        def at(self, place: str) -> object:
            """What says that as a text, when it is asked."""

    Site = tuple[CodeType, int] | tuple[str, int, int] | tuple[str | Source, int, str]
    """A place in running code (its code object and instruction), a file with first and last line, or 0 and a place."""


class Origin:
    """Who set a value.

    Attributes:
        kind: "file", "override", "sweep", "given" (an axis whose values are objects), "space" (where a sweep puts one
            of its values), "python", "data" or "default".
        where: `conf.py:8`, `command line`, or what else a person can follow.
        text: What was written, for an override or a sweep axis, or in a space; else "".
        replaced: The value that stood there before and its origin, or None.
    """

    __slots__ = ("kind", "replaced", "text", "where")

    def __init__(self, kind: str, where: str, text: str = "", replaced: tuple[Any, Origin] | None = None) -> None:
        self.kind = kind
        self.where = where
        self.text = text
        self.replaced = replaced

    def __repr__(self) -> str:
        return f"Origin({self.kind!r}, {self.where!r}, {self.text!r})"

    def chain(self) -> Iterator[tuple[Any, Origin]]:
        """What was replaced, the latest first."""
        at = self.replaced
        while at is not None:
            yield at
            at = at[1].replaced


UNKNOWN = Origin("python", "")


def locate(site: Site | None, key: object) -> Origin:
    """The origin of an argument or item, from where its holder was written."""
    if site is None:
        return UNKNOWN
    first: int | None
    last: Any
    path: Any
    if len(site) == 3:
        path, first, last = site
        if not first:
            return Origin("data", show_file(path) if isinstance(path, str) else path.where(last, key))
        line = _line_within(path, first, last, key) if last > first else first
    else:
        code, instruction = site
        path = code.co_filename
        first, last, column, _ = _positions_of(code)[instruction // 2]
        line = first or code.co_firstlineno
        if last is not None and last > line and column is not None:
            line = _line_of_argument(path, line, last, column, key)
    if path.startswith("<"):
        return Origin("python", f"{path}:{line}")
    return Origin("file", f"{show_file(os.path.abspath(path))}:{line}")


_MOST = 8
_positions: dict[int, tuple[Any, list[Any]]] = {}  # a memo of the code that origins were asked of last


def _positions_of(code: Any) -> list[Any]:
    """By instruction, its first and last line and columns."""
    known = _positions.get(id(code))
    if known is None:
        if len(_positions) >= _MOST:
            _positions.clear()
        known = _positions[id(code)] = code, list(code.co_positions())
    return known[1]


_parsed: dict[str, tuple[float, Any]] = {}  # a memo of the files that origins were asked of


def _tree_of(path: str) -> Any:
    try:
        changed = os.stat(path).st_mtime
        if path not in _parsed or _parsed[path][0] != changed:
            with open(path, "rb") as file:
                _parsed[path] = changed, compile(file.read(), path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        return _parsed[path][1]
    except (OSError, SyntaxError, ValueError):
        return None  # gone or changed since: the line of the whole statement is what is known


def _nodes(tree: Any) -> Iterator[Any]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, ast.AST):
            yield node
            todo += [getattr(node, field, None) for field in node._fields]


def _line_of_argument(path: str, first: int, last: int, column: int, key: object) -> int:
    for node in _nodes(_tree_of(path)):
        if isinstance(node, ast.Call) and (node.lineno, node.end_lineno, node.col_offset) == (first, last, column):
            if isinstance(key, int) and key < len(node.args):
                return int(node.args[key].lineno)
            for keyword in node.keywords:
                if keyword.arg == key:
                    return int(keyword.lineno)
    return first


def _line_within(path: str, first: int, last: int, key: object) -> int:
    found = []
    for node in _nodes(_tree_of(path)):
        if isinstance(node, ast.keyword) and node.arg == key and first <= node.lineno <= last:
            found.append(node.lineno)
        elif isinstance(node, ast.Dict):
            found += [
                k.lineno
                for k in node.keys
                if isinstance(k, ast.Constant) and k.value == key and first <= k.lineno <= last
            ]
    return found[0] if len(found) == 1 else first
