"""What the import statements of a config file bind, read from its syntax tree before any file runs."""

from __future__ import annotations

import _ast as ast

from ._syntax import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Taken = tuple[int, str, str, str]
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


class Words:
    """The words in which a file describes calls.

    Args:
        modules: By the module that it imports them from, the words and what they mean.
        stays: The key, argument or attribute whose value stays a name as well (`_target_`).
    """

    __slots__ = ("modules", "stays")

    def __init__(self, modules: Mapping[str, Mapping[str, str]], stays: str = "") -> None:
        self.modules = modules
        self.stays = stays


OWN = {"lazy": LAZY, "partial": LAZY, "Config": CONFIG}
CALLSHEET = Words({"callsheet": OWN})


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


def imports_of(body: list[Any], *, waits: bool, words: Words = CALLSHEET) -> tuple[Meanings, list[Taken]]:
    """What the imports of a file bind, and what it takes from other config files.

    Args:
        body: Its statements.
        waits: Whether an import at module level waits until what it binds is used.
        words: In which the file describes calls.

    Returns:
        The meanings of the names, and for each `from .module import name as
        bound` a tuple `(level, module, name, bound)`, name `*` for a star. Those
        inside functions are left out: they are read when they run.
    """
    found: Meanings = {}
    taken: list[Taken] = []
    _collect(body, waits, found, taken, words)
    return found, taken


def _collect(body: list[Any], waits: bool, found: Meanings, taken: list[Taken] | None, words: Words) -> None:
    for node in body:
        cls = type(node)
        if cls in _SIMPLE:
            continue
        if cls is ast.Import:
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                _note(found, bound, PACKAGE if alias.name == "callsheet" else DEFERRED if waits else IMPORTED)
        elif cls is ast.ImportFrom:
            own = words.modules.get(node.module or "")
            _collect_from(node, waits or own is not None, found, taken, own or {})
        elif isinstance(node, FUNCTIONS):
            _collect(node.body, False, found, None, words)
        else:
            for may_wait, inner in blocks(node):
                _collect(inner, waits and may_wait, found, taken, words)


def _collect_from(node: Any, waits: bool, found: Meanings, taken: list[Taken] | None, own: Mapping[str, str]) -> None:
    for alias in node.names:
        bound = alias.asname or alias.name
        if node.level:
            if taken is not None:
                taken.append((node.level, node.module or "", alias.name, bound))
            _note(found, bound, TAKEN)
        elif alias.name in own or (own and alias.name == "*"):
            for name in own if alias.name == "*" else [alias.name]:
                _note(found, alias.asname or name, own[name])
        elif is_ordinary(node.module or ""):
            _note(found, bound, DEFERRED if waits else IMPORTED)


_SIMPLE = frozenset((ast.Assign, ast.Expr, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Pass, ast.Assert))


def is_ordinary(module: str) -> bool:
    """Whether a module is neither Callsheet nor Python's own `__future__`."""
    return module.partition(".")[0] not in ("callsheet", "__future__")


def _note(found: Meanings, name: str, meaning: str) -> None:
    if meaning and name != "*" and found.get(name) != DEFERRED:
        found[name] = meaning
