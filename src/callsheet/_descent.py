"""What the values of a file's names come from: whether a statement binds a name anew, or goes on from what it held."""

from __future__ import annotations

import _ast as ast

from ._syntax import SCOPES, bound_names, targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_TAKEN = "*"
"""Stands for what other config files hold, and for the names that a star has bound."""


class Descent:
    """Knows, statement by statement, by which names a value was made.

    A statement that does more than bind names to what they are written as may let each thing that it names hold each
    other: all of them are made of one another then.

    Args:
        watched: Names that overrides are about.
        only_binds: Whether a statement binds names and changes nothing that is there.
    """

    def __init__(self, watched: frozenset[str], only_binds: Callable[[Any], bool]) -> None:
        self.watched = watched
        self.only_binds = only_binds
        self.made_of: dict[str, set[str]] = {}
        self._own: set[str] = set()  # names that the file has bound, but for functions and classes
        self._bodies: dict[str, set[str]] = {}  # of these: the names in them
        self._links = 0
        self._has_star = False

    def anew(self, node: Any) -> tuple[str, ...]:
        """Of the watched names that a statement binds those whose value does not come from what they held."""
        if not self.watched:
            return ()
        if isinstance(node, SCOPES):
            self._bodies[node.name] = self.made_of[node.name] = {name for name, _ in _names(node)}
            return ()
        parts = _heads(node)
        read = {name for name, _ in _names(parts)}
        found: tuple[str, ...] = ()
        if type(node) is ast.Assign:
            plain = {name for target in node.targets for name in targets(target)} & self.watched
            if plain:
                sources = self._sources({name for name, _ in _names(node.value)})
                found = tuple(
                    sorted(name for name in plain if name not in sources and self._known(name) not in sources)
                )
        for name in bound_names(node) if parts is node else ():
            self.made_of.setdefault(name, set()).update(read - {name} if name in found else read)
        if isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.ImportFrom) and node.level:
                self._has_star = self._has_star or _TAKEN in read
                self._own.update(read)
                self._link({*read, _TAKEN})
            return ()
        self._own.update(name for name, is_bound in _names(parts) if is_bound)
        if not self.only_binds(node):
            self._link(read)
        return found

    def _link(self, read: set[str]) -> None:
        """Note that what some names hold may hold each other; of functions, what these name."""
        for name in read & self._bodies.keys():
            read = read | self._bodies[name]
        linked = {name for name in map(self._known, read) if name in self._own or name == _TAKEN}
        self._links += 1
        link = f"#{self._links}"
        self.made_of[link] = linked
        for name in linked:
            self.made_of.setdefault(name, set()).add(link)

    def _known(self, name: str) -> str:
        return _TAKEN if self._has_star and name not in self._own and name not in self._bodies else name

    def _sources(self, names: set[str]) -> set[str]:
        """Names, and all by which their values were made."""
        found: set[str] = set()
        todo = [*names]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [*self.made_of.get(name, ()), self._known(name)]
        return found


def _heads(node: Any) -> Any:
    """What a statement does itself; the statements in a block that is looked at by itself are no part of it."""
    if isinstance(node, ast.If):
        return node.test
    if isinstance(node, ast.With):
        return node.items
    if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        return [handler.type for handler in node.handlers]
    return node


def _names(node: Any) -> Iterator[tuple[str, bool]]:
    """All names in a syntax tree, each with whether it is bound there."""
    todo = [node]
    while todo:
        x = todo.pop()
        if isinstance(x, list):
            todo += x
        elif isinstance(x, ast.Name):
            yield x.id, isinstance(x.ctx, ast.Store)
        elif isinstance(x, ast.alias):
            yield x.asname or x.name.partition(".")[0], True
        elif isinstance(x, ast.AST):
            todo += [getattr(x, field, None) for field in x._fields]
            if isinstance(x, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and x.name:
                yield x.name, True
            elif isinstance(x, ast.MatchMapping) and x.rest:
                yield x.rest, True
