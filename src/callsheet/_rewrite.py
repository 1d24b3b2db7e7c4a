"""The syntax tree of a config file, changed: hooks after statements, names in lazy calls, relative imports by place."""

from __future__ import annotations

import _ast as ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._configfile import ConfigSource

HOOKS = "__callsheet__"
"""The global name through which a rewritten file reaches its hooks."""


class Statement:
    """A module-level statement: where it stands and which names it binds by assignment."""

    __slots__ = ("end", "line", "names")

    def __init__(self, line: int, end: int, names: tuple[str, ...]) -> None:
        self.line = line
        self.end = end
        self.names = names


def relative_imports(body: list[Any]) -> Iterator[tuple[int, str, str, str]]:
    """Each `from .module import name as bound` of a file as `(level, module, name, bound)`; name `*` for a star."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                yield node.level, node.module or "", alias.name, alias.asname or alias.name
        else:
            for name in ("body", "orelse", "finalbody"):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                    inner = getattr(node, name, None)
                    if isinstance(inner, list):
                        yield from relative_imports(inner)
            for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                yield from relative_imports(part.body)


_SILENT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.Pass, ast.Global, ast.Nonlocal)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DISPLAYS = (ast.List, ast.Tuple, ast.Set)


class Rewriter:
    """Makes a config file's syntax tree call its hooks."""

    def __init__(self, source: ConfigSource) -> None:
        self.source = source
        self.imported: dict[str, tuple[str, str]] = {}  # bound name -> dotted name, module that it surely names
        self.lazies: set[str] = set()  # dotted texts that mean lazy or partial in this file

    def rewrite(self) -> None:
        self._collect_imports(self.source.tree.body)
        self.source.tree.body = self._block(self.source.tree.body)

    def _collect_imports(self, body: list[Any]) -> None:
        for node in body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    dotted = alias.name if alias.asname else alias.name.split(".")[0]
                    self._import(alias.asname or dotted, dotted, "")
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                for alias in node.names:
                    self._import(alias.asname or alias.name, f"{node.module}.{alias.name}", node.module)
            else:
                for name in ("body", "orelse", "finalbody"):
                    inner = getattr(node, name, None)
                    if isinstance(inner, list) and not isinstance(
                        node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
                    ):
                        self._collect_imports(inner)
                for handler in getattr(node, "handlers", ()):
                    self._collect_imports(handler.body)

    def _import(self, bound: str, dotted: str, module: str) -> None:
        if dotted in ("callsheet.lazy", "callsheet.partial"):
            self.lazies.add(bound)
        elif dotted == "callsheet":
            self.lazies.update({f"{bound}.lazy", f"{bound}.partial"})
        elif not dotted.startswith(("callsheet.", "__future__")):
            self.imported[bound] = (dotted, module)

    def _block(self, body: list[Any]) -> list[Any]:
        out = []
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.level:
                out += [*self._take(node), self._after(node, ())]
                continue
            if isinstance(node, ast.If | ast.With | ast.Try) or type(node).__name__ == "TryStar":
                self._compound(node)
                out.append(node)
                continue
            if not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
                self._rewrite_uses(node)
            out.append(node)
            if isinstance(node, (*_SILENT, ast.ImportFrom)):
                continue
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            out.append(self._after(node, tuple(_bound_names(node))))
        return out

    def _compound(self, node: Any) -> None:
        for field in ("test", "items"):
            self._rewrite_uses(getattr(node, field, None))
        node.body = self._block(node.body)
        if isinstance(node, ast.With):
            names = [n for item in node.items for n in _targets(item.optional_vars)]
            if names:
                node.body.insert(0, self._after(node, tuple(names), line=node.lineno))
        for handler in getattr(node, "handlers", ()):
            handler.body = self._block(handler.body)
        for field in ("orelse", "finalbody"):
            setattr(node, field, self._block(getattr(node, field))) if getattr(node, field, None) else None

    def _after(self, node: Any, names: tuple[str, ...], *, line: int = 0) -> Any:
        self.source.assigned.update(dict.fromkeys(names))
        statement = Statement(node.lineno, node.end_lineno, names)
        self.source.statements.append(statement)
        at = _place(node) if not line else {**_place(node), "end_lineno": line}
        number = ast.Constant(len(self.source.statements) - 1, **at)
        return ast.Expr(_call("after", [number], at), **at)

    def _take(self, node: Any) -> list[Any]:
        """Relative imports become assignments from the hooks."""
        at = _place(node)
        out: list[Any] = []
        for alias in node.names:
            arguments = [ast.Constant(v, **at) for v in (node.level, node.module or "")]
            if alias.name == "*":
                arguments.append(ast.Constant(node.lineno, **at))
                namespace = ast.Call(ast.Name("globals", ast.Load(), **at), [], [], **at)
                update = ast.Attribute(namespace, "update", ast.Load(), **at)
                taken = ast.Call(update, [_call("take_all", arguments, at)], [], **at)
                out.append(ast.Expr(taken, **at))
                continue
            bound = alias.asname or alias.name
            arguments += [ast.Constant(v, **at) for v in (alias.name, bound, node.lineno)]
            out.append(ast.Assign([ast.Name(bound, ast.Store(), **at)], _call("take", arguments, at), **at))
        return out

    def _rewrite_uses(self, node: Any) -> None:
        """Within any part of the tree, give lazy calls the names of imports, and relative imports their place."""
        todo = [(node, isinstance(node, _SCOPES))]
        while todo:
            x, inner = todo.pop()
            if isinstance(x, list):
                todo += [(part, inner) for part in x]
            elif isinstance(x, ast.AST):
                if isinstance(x, ast.Call):
                    self._rewrite_call(x)
                inner = inner or isinstance(x, _SCOPES)
                for field in x._fields:
                    part = getattr(x, field, None)
                    if isinstance(part, list) and part and isinstance(part[0], ast.stmt):
                        part[:] = [s for statement in part for s in self._taken_within(statement, inner)]
                    todo.append((part, inner))

    def _taken_within(self, node: Any, inner: bool) -> list[Any]:
        # Python allows a star at module level only, and says so itself.
        if isinstance(node, ast.ImportFrom) and node.level and not (inner and node.names[0].name == "*"):
            return self._take(node)
        return [node]

    def _rewrite_call(self, call: Any) -> None:
        if self._is_lazy(call.func) and call.args:  # lazy(T)
            call.args[0] = self._named(call.args[0])
        elif isinstance(call.func, ast.Call) and self._is_lazy(call.func.func):  # lazy(T)(...)
            call.args = [self._named(a) for a in call.args]
            for keyword in call.keywords:
                keyword.value = self._named(keyword.value)

    def _is_lazy(self, func: Any) -> bool:
        return bool(self.lazies) and _dotted(func) in self.lazies

    def _named(self, value: Any) -> Any:
        if isinstance(value, _DISPLAYS):
            value.elts = [self._named(v) for v in value.elts]
        elif isinstance(value, ast.Dict):
            value.values = [self._named(v) for v in value.values]
        dotted = _dotted(value)
        head, _, rest = dotted.partition(".")
        if not dotted or head not in self.imported:
            return value
        base, module = self.imported[head]
        at = _place(value)
        arguments = [ast.Constant(v, **at) for v in (f"{base}.{rest}" if rest else base, module, value.lineno)]
        return _call("name", [*arguments, value], at)


def _call(hook: str, arguments: list[Any], at: dict[str, Any]) -> Any:
    owner = ast.Name(HOOKS, ast.Load(), **at)
    return ast.Call(ast.Attribute(owner, hook, ast.Load(), **at), arguments, [], **at)


def _place(node: Any) -> dict[str, Any]:
    names = ("lineno", "col_offset", "end_lineno", "end_col_offset")
    return {name: getattr(node, name) for name in names}


def _dotted(node: Any) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for inner in node.elts:
            yield from _targets(inner)
    elif isinstance(node, ast.Starred):
        yield from _targets(node.value)


def _bound_names(node: Any) -> Iterator[str]:
    """Names that a statement binds by assignment, in the loops that it may hold as well; loop variables are none."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _targets(target)
    elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        yield from _targets(node.target)
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            for statement in inner if isinstance(inner, list) else ():
                yield from _bound_names(statement)
        for case in (*getattr(node, "cases", ()), *getattr(node, "handlers", ())):
            for statement in case.body:
                yield from _bound_names(statement)
