"""Statements that need no hook: they bind names that no override is about to numbers and texts."""

from __future__ import annotations

import _ast as ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Quiet:
    """Knows, statement by statement from the top of a file, which names hold numbers and texts.

    Args:
        text: The file's text.
        watched: Names that overrides are about.
    """

    def __init__(self, text: str, watched: frozenset[str]) -> None:
        self.watched = watched
        # Whoever binds names from elsewhere could bind them to anything.
        self.silent = any(word in text for word in ("global", "exec", ":="))
        self.atoms: set[str] = set()

    def is_quiet(self, node: Any) -> bool:
        """Whether nothing has to happen after a module-level statement."""
        if self.silent or type(node) is not ast.Assign:
            if type(node) is not ast.Expr:
                self.atoms.clear()
            return False
        names = [target.id if type(target) is ast.Name else "" for target in node.targets]
        if "" in names or not self._is_atom(node.value) or not self.watched.isdisjoint(names):
            self.atoms.clear() if "" in names else self.atoms.difference_update(names)
            return False
        self.atoms.update(names)
        return True

    def _is_atom(self, value: Any) -> bool:
        todo = [value]
        while todo:
            x = todo.pop()
            cls = type(x)
            if cls is ast.BinOp:
                todo += (x.left, x.right)
            elif cls is ast.UnaryOp:
                todo.append(x.operand)
            elif cls is ast.Constant:
                if type(x.value) is str and "${" in x.value:
                    return False
            elif cls is not ast.Name or x.id not in self.atoms:
                return False
        return True
