"""What the values of a file's names come from: whether a statement binds a name anew, or goes on from what it held."""

from __future__ import annotations

import _ast as ast

from ._syntax import SCOPES, bound_names, names_in, targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Descent:
    """Knows, statement by statement, by which names a value was made.

    Args:
        watched: Names that overrides are about.
    """

    def __init__(self, watched: frozenset[str]) -> None:
        self.watched = watched
        self.made_of: dict[str, set[str]] = {}

    def anew(self, node: Any) -> tuple[str, ...]:
        """Of the watched names that a statement binds those whose value does not come from what they held."""
        if not self.watched:
            return ()
        read = {name.id for name in names_in(node) if type(name) is ast.Name}
        found: tuple[str, ...] = ()
        if type(node) is ast.Assign:
            plain = {name for target in node.targets for name in targets(target)} & self.watched
            if plain:
                sources = self._sources({name.id for name in names_in(node.value) if type(name) is ast.Name})
                found = tuple(sorted(plain - sources))
        names = [node.name] if isinstance(node, SCOPES) else bound_names(node)
        for name in names:
            self.made_of.setdefault(name, set()).update(read - {name} if name in found else read)
        return found

    def _sources(self, names: set[str]) -> set[str]:
        """Names, and all by which their values were made."""
        found: set[str] = set()
        todo = [*names]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.made_of.get(name, ())
        return found
