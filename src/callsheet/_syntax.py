"""Pieces of a syntax tree: made with a place in the file, or read."""

from __future__ import annotations

import _ast as ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HOOKS = "__callsheet__"
"""The global name through which a rewritten file reaches its hooks."""

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def place(node: Any) -> dict[str, Any]:
    """Where a node stands, as what new nodes in its place are made with."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


_NOWHERE: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
_LOAD = ast.Load()
_OWNER = ast.Name(HOOKS, _LOAD, **_NOWHERE)


def hook(name: str, arguments: list[Any], at: dict[str, Any]) -> Any:
    """A call of a hook; arguments that are no nodes become constants."""
    given: list[Any] = [a if isinstance(a, ast.AST) else ast.Constant(a, **_NOWHERE) for a in arguments]
    # A traceback shows where the attribute of a method call stands: it must be the statement's line.
    return ast.Call(ast.Attribute(_OWNER, name, _LOAD, **at), given, [], **at)


def assign(name: str, value: Any, at: dict[str, Any]) -> Any:
    """`name = value`."""
    return ast.Assign([ast.Name(name, ast.Store(), **at)], value, **at)


def dotted(node: Any) -> str:
    """`a.b.c` of a name or a chain of attributes, "" of any other expression."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def targets(node: Any) -> Iterator[str]:
    """The names that the target of an assignment binds."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for inner in node.elts:
            yield from targets(inner)
    elif isinstance(node, ast.Starred):
        yield from targets(node.value)


def bound_names(node: Any) -> Iterator[str]:
    """Names that a statement binds by assignment, in the loops that it may hold as well; loop variables are none."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from targets(target)
    elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        yield from targets(node.target)
    elif not isinstance(node, SCOPES):
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            for statement in inner if isinstance(inner, list) else ():
                yield from bound_names(statement)
        for case in (*getattr(node, "cases", ()), *getattr(node, "handlers", ())):
            for statement in case.body:
                yield from bound_names(statement)


def names_in(node: Any) -> Iterator[Any]:
    """The names that an expression reads, and the texts in it, which may be annotations."""
    todo = [node]
    while todo:
        x = todo.pop()
        if isinstance(x, list):
            todo += x
        elif isinstance(x, ast.Name) or (isinstance(x, ast.Constant) and isinstance(x.value, str)):
            yield x
        elif isinstance(x, ast.AST):
            todo += [getattr(x, field, None) for field in x._fields]
