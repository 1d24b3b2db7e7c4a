"""The syntax tree of a config file, changed: hooks after statements, imports that wait, relative ones by place."""

from __future__ import annotations

import _ast as ast

from ._descent import Descent
from ._imports import CALLSHEET, blocks, imports_of
from ._quiet import Quiet
from ._syntax import SCOPES, bound_names, hook, place, targets
from ._uses import Uses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._imports import Meanings, Words

EAGER = "# callsheet: eager"
"""The line with which a file asks for ordinary imports."""

_SILENT = (*SCOPES, ast.Pass, ast.Global, ast.Nonlocal)


class Statement:
    """A module-level statement: where it stands and which names it binds by assignment.

    Attributes:
        line: Its first line.
        end: Its last.
        names: What it binds.
        anew: Of these the ones that overrides are about, and that get a value which does not come from what they held.
        inert: Whether it does nothing but bind these names.
    """

    __slots__ = ("anew", "end", "inert", "line", "names")

    def __init__(
        self, line: int, end: int, names: tuple[str, ...], anew: tuple[str, ...] = (), *, inert: bool = False
    ) -> None:
        self.line = line
        self.end = end
        self.names = names
        self.anew = anew
        self.inert = inert


class Rewriter:
    """Makes a config file's syntax tree call its hooks.

    Args:
        tree: The parsed file; changed by `rewrite`.
        text: What it was parsed from.
        words: In which it describes calls.

    Attributes:
        taken: Its relative imports, `(level, module, name, bound name)`; name `*` for a star.
        meanings: What its own imports bind.
        statements: The statements after which a hook is called, by number.
        assigned: Names that its module-level assignments bind, in order.
        quiet: The first and last line of the statement without a hook that bound a name last.
    """

    def __init__(self, tree: Any, text: str, words: Words = CALLSHEET) -> None:
        self.tree = tree
        self.words = words
        self.lines = text.split("\n")
        self.waits = not (EAGER in text and any(line.strip() == EAGER for line in self.lines))
        self.meanings, self.taken = imports_of(tree.body, waits=self.waits, words=words)
        self.statements: list[Statement] = []
        self.assigned: dict[str, None] = {}
        self.quiet: dict[str, tuple[int, int]] = {}

    def rewrite(self, meanings: Meanings, watched: frozenset[str]) -> None:
        """Change the tree.

        Args:
            meanings: Of all names that imports bind, relative ones among them.
            watched: Names that overrides are about.
        """
        self._quiet = Quiet("\n".join(self.lines), watched)
        postponed = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.tree.body[:20]
        )
        self._uses = Uses(self.lines, dict(meanings), postponed=postponed, words=self.words)
        self._descent = Descent(watched, self._uses.only_binds)
        self.tree.body = self._block(self.tree.body, self.waits, top=True)

    def _block(self, body: list[Any], waits: bool, *, top: bool = False) -> list[Any]:
        out: list[Any] = []
        for node in body:
            anew = self._descent.anew(node)
            if top and self._quiet.is_quiet(node):
                names = dict.fromkeys(bound_names(node))
                self.assigned.update(names)
                self.quiet.update(dict.fromkeys(names, (node.lineno, node.end_lineno)))
                out.append(node)
            elif isinstance(node, ast.ImportFrom) and node.level:
                out += [*self._uses.take(node, "module"), self._after(node, ())]
            elif isinstance(node, ast.Import | ast.ImportFrom):
                out += self._uses.imported(node, waits=waits)
            elif isinstance(node, ast.If | ast.With | ast.Try) or type(node).__name__ == "TryStar":
                self._compound(node, waits)
                out.append(node)
            else:
                inert = bool(self._descent.watched) and self._uses.only_binds(node)
                out += self._uses.statement(node, "module") if self._uses.mentions(node) else [node]
                docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                if not isinstance(node, _SILENT) and not docstring:
                    out.append(self._after(node, tuple(bound_names(node)), anew=anew, inert=inert))
        return out

    def _compound(self, node: Any, waits: bool) -> None:
        self._uses.heads(node)
        for may_wait, inner in blocks(node):
            inner[:] = self._block(inner, waits and may_wait)
        if isinstance(node, ast.With):
            names = [n for item in node.items for n in targets(item.optional_vars)]
            if names:
                node.body.insert(0, self._after(node, tuple(names), line=node.lineno))

    def _after(
        self, node: Any, names: tuple[str, ...], *, line: int = 0, anew: tuple[str, ...] = (), inert: bool = False
    ) -> Any:
        self.assigned.update(dict.fromkeys(names))
        self.statements.append(Statement(node.lineno, node.end_lineno, names, anew, inert=inert))
        at = place(node) if not line else {**place(node), "end_lineno": line}
        return ast.Expr(hook("after", [len(self.statements) - 1], at), **at)
