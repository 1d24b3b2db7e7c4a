"""What the import statements of a config file bind, read from its syntax tree before any file runs."""

from __future__ import annotations

import _ast as ast

from ._syntax import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Meanings = dict[str, str]
    """Bound name to what is known of it: one of the words below."""

DEFERRED = "deferred"
"""It may be the name of something that is not imported yet."""
IMPORTED = "imported"
"""An import bound it that happens where it stands."""
TAKEN = "taken"
"""A relative import bound it: it may be a config file as a module."""
LAZY = "lazy"
"""`callsheet.lazy` or `callsheet.partial`."""
CONFIG = "config"
"""`callsheet.Config`."""
PACKAGE = "package"
"""`callsheet` itself."""

OWN = {"lazy": LAZY, "partial": LAZY, "Config": CONFIG}


def relative_imports(body: list[Any]) -> Iterator[tuple[int, str, str, str]]:
    """Each `from .module import name as bound` of a file as `(level, module, name, bound)`; name `*` for a star.

    Those inside functions and classes are left out: they are read when they run.
    """
    for node in body:
        if isinstance(node, ast.ImportFrom):
            if node.level:
                for alias in node.names:
                    yield node.level, node.module or "", alias.name, alias.asname or alias.name
        else:
            for _, inner in blocks(node):
                yield from relative_imports(inner)


def blocks(node: Any) -> Iterator[tuple[bool, list[Any]]]:
    """The blocks of a compound statement, each with whether what is imported there may wait.

    In `try` and `with` an import that fails is handled where it stands, and a
    loop may depend on what it has imported.
    """
    if isinstance(node, ast.If):
        yield True, node.body
        yield True, node.orelse
    elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        yield not node.handlers, node.body
        for handler in node.handlers:
            yield True, handler.body
        yield True, node.orelse
        yield True, node.finalbody
    elif isinstance(node, ast.With | ast.For | ast.While | ast.Match):
        yield False, getattr(node, "body", [])
        yield False, getattr(node, "orelse", [])
        for case in getattr(node, "cases", ()):
            yield False, case.body


def meanings_of(body: list[Any], *, waits: bool) -> Meanings:
    """What the imports of a file bind.

    Args:
        body: Its statements.
        waits: Whether an import at module level waits until what it binds is used.
    """
    found: Meanings = {}
    _collect(body, waits, found)
    return found


def _collect(body: list[Any], waits: bool, found: Meanings) -> None:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                _note(found, bound, PACKAGE if alias.name == "callsheet" else DEFERRED if waits else IMPORTED)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.level:
                    _note(found, alias.asname or alias.name, TAKEN)
                elif node.module == "callsheet":
                    for name in OWN if alias.name == "*" else [alias.name]:
                        _note(found, alias.asname or name, OWN.get(name, ""))
                elif is_ordinary(node.module or "") and alias.name != "*":
                    _note(found, alias.asname or alias.name, DEFERRED if waits else IMPORTED)
        elif isinstance(node, FUNCTIONS):
            _collect(node.body, False, found)
        else:
            for may_wait, inner in blocks(node):
                _collect(inner, waits and may_wait, found)


def is_ordinary(module: str) -> bool:
    """Whether a module is neither Callsheet nor Python's own `__future__`."""
    return module.partition(".")[0] not in ("callsheet", "__future__")


def _note(found: Meanings, name: str, meaning: str) -> None:
    if meaning and found.get(name) != DEFERRED:
        found[name] = meaning
