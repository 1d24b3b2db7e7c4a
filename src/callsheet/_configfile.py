"""Runs a Python config file as code: names kept for lazy calls, relative imports by place, a hook after each statement.

The file is rewritten in its syntax tree, with its line numbers, and nothing
outside it is touched. Who runs it says what the hooks do.
"""

from __future__ import annotations

import _ast as ast
import os
import sys

from ._running import RUNNING
from .errors import Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType
    from typing import Any, Protocol

    class Hooks(Protocol):
        """What happens when a config file is run."""

        def after(self, number: int) -> None:
            """Called after each module-level statement that may have changed something, with its number."""

        def name(self, dotted: str, module: str, line: int, value: Any) -> Any:
            """Gives what a lazy call receives for an imported name."""

        def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
            """Gives what `from .module import name as bound` binds."""

        def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
            """Gives what `from .module import *` binds."""
            ...


HOOKS = "__callsheet__"
"""The global name through which a rewritten file reaches its hooks."""

PREFIX = "callsheet.config:"
"""What the module name of a config file starts with."""


class Statement:
    """A module-level statement: where it stands and which names it binds by assignment."""

    __slots__ = ("end", "line", "names")

    def __init__(self, line: int, end: int, names: tuple[str, ...]) -> None:
        self.line = line
        self.end = end
        self.names = names


class ConfigSource:
    """A config file, parsed.

    Attributes:
        path: Absolute.
        text: As read.
        tree: Rewritten when `compile` is called.
        assigned: Names that its module-level assignments bind, in order.
        taken: `(level, module, name, bound name)` for each relative import; name `*` for a star.
    """

    __slots__ = ("assigned", "path", "statements", "taken", "text", "tree")

    tree: Any

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        try:
            self.tree = compile(text, path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            raise _syntax_fault(path, error) from None
        except (RecursionError, MemoryError):
            raise LoadError(Fault("", f"{show_file(path)} is nested too deeply for Python's own parser")) from None
        except ValueError as error:
            raise LoadError(Fault("", f"{show_file(path)} is no Python text: {error}")) from None
        self.statements: list[Statement] = []
        self.assigned: dict[str, None] = {}
        self.taken = list(_relative_imports(self.tree.body))

    def compile(self) -> CodeType:
        """The file as code that calls its hooks.

        Raises:
            LoadError: The file is not valid Python.
        """
        Rewriter(self).rewrite()
        try:
            code: CodeType = compile(self.tree, self.path, "exec", dont_inherit=True)
            return code
        except SyntaxError as error:
            raise _syntax_fault(self.path, error) from None
        except (RecursionError, MemoryError):
            raise LoadError(
                Fault("", f"{show_file(self.path)} is nested too deeply for Python's own compiler")
            ) from None


def read_source(path: str) -> str:
    """The text of a Python file, decoded as Python does.

    Raises:
        LoadError: The file is not text.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        raw = file.read()
    if b"\0" in raw:
        raise LoadError(Fault("", f"{show_file(path)} is not text: it holds null bytes"))
    encoding = "utf-8-sig"
    for line in raw.split(b"\n", 2)[:2]:
        if line.lstrip().startswith(b"#") and b"coding" in line:
            import io
            from tokenize import detect_encoding

            try:
                encoding = detect_encoding(io.BytesIO(raw).readline)[0]
            except SyntaxError as error:
                raise _syntax_fault(path, error) from None
            break
    try:
        return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise LoadError(Fault("", f"is not text: {error}", origin=f"{show_file(path)}:{row}")) from None


def digest_of(text: str) -> str:
    """Twelve hex digits that change whenever a file's text changes."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:12]


def show_file(path: str) -> str:
    """A path as a person wants to read it: relative where it lies below the working directory."""
    try:
        here = os.getcwd()
    except OSError:
        return path
    return path[len(here) + 1 :] if path.startswith(here + os.sep) else path


def new_module(source: ConfigSource) -> ModuleType:
    """An empty module for a config file, findable by what pickles its classes or reads their annotations.

    Its name holds the file's digest: another version of the file is another module.
    """
    module = type(sys)(f"{PREFIX}{source.path}@{digest_of(source.text)}")
    module.__file__ = source.path
    return module


def execute(code: CodeType, module: ModuleType, hooks: Hooks) -> None:
    """Run a config file's code in its module; what the file raises passes through.

    The hooks stay: a function of the file may describe calls whenever it is called.
    """
    vars(module)[HOOKS] = hooks
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        exec(code, vars(module))  # noqa: S102  (a Python config is code, trusted as such)
    except BaseException:
        if before is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = before
        raise


def file_of_module(module: ModuleType) -> tuple[str, str]:
    """The path and the digest of the file behind a config or `__main__`; two empty texts for any other module."""
    if module.__name__.startswith(PREFIX):
        path, _, digest = module.__name__[len(PREFIX) :].rpartition("@")
        return path, digest
    file = getattr(module, "__file__", None)
    if module.__name__ != "__main__" or not file:
        return "", ""
    path = os.path.abspath(file)
    try:
        return path, digest_of(read_source(path))
    except OSError:
        return "", ""


def defining_module(path: str, digest: str) -> ModuleType | None:
    """The module of a file that this process has run already, in that very version."""
    for name in (f"{PREFIX}{path}@{digest}", "__main__"):
        module = sys.modules.get(name)
        if module is not None and file_of_module(module) == (path, digest):
            return module
    return None


def run_plainly(path: str, text: str) -> ModuleType:
    """Run a config file or script only for what it defines."""
    source = ConfigSource(path, text)
    module = new_module(source)
    token = RUNNING.set({"defining": path})
    try:
        execute(source.compile(), module, _PlainHooks(path))
    finally:
        RUNNING.reset(token)
    return module


class _PlainHooks:
    """Runs a file as if it were ordinary Python, but for its relative imports, which go by place."""

    def __init__(self, path: str) -> None:
        self.path = path

    def after(self, number: int) -> None:
        pass

    def name(self, dotted: str, module: str, line: int, value: Any) -> Any:
        return value

    def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
        names = self._names(level, module, line)
        return names[name] if name in names else self._names(level, f"{module}.{name}" if module else name, line)

    def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
        return {k: v for k, v in self._names(level, module, line).items() if not k.startswith("_")}

    def _names(self, level: int, module: str, line: int) -> dict[str, Any]:
        path = place_of(self.path, level, module)
        if path is None:
            raise no_such_file(self.path, level, module, line)
        text = read_source(path)
        return vars(defining_module(path, digest_of(text)) or run_plainly(path, text))


def place_of(path: str, level: int, module: str) -> str | None:
    """The file that a relative import means, by its place; None where there is none."""
    folder = os.path.dirname(path)
    for _ in range(level - 1):
        folder = os.path.dirname(folder)
    base = os.path.join(folder, *module.split(".")) if module else folder
    for candidate in (base + ".py" if module else "", os.path.join(base, "__init__.py")):
        if candidate and os.path.isfile(candidate):
            return candidate
    return None


def no_such_file(path: str, level: int, module: str, line: int) -> LoadError:
    """The error of a relative import that leads nowhere."""
    folder = os.path.dirname(path)
    for _ in range(level - 1):
        folder = os.path.dirname(folder)
    wanted = os.path.join(folder, *module.split(".")) + ".py" if module else os.path.join(folder, "__init__.py")
    beside = (
        sorted(f[:-3] for f in os.listdir(os.path.dirname(wanted)) if f.endswith(".py"))
        if os.path.isdir(os.path.dirname(wanted))
        else []
    )
    return LoadError(
        Fault(
            "",
            f"no config file {show_file(wanted)}",
            origin=f"{show_file(path)}:{line}",
            advice=[f"beside it stand  {', '.join(beside)}"] if beside else [],
        )
    )


def _syntax_fault(path: str, error: SyntaxError) -> LoadError:
    text = (error.text or "").rstrip("\n")
    advice = []
    if text.strip():
        stripped = text.lstrip()
        column = max((error.offset or 1) - 1 - (len(text) - len(stripped)), 0)
        advice = [stripped, " " * column + "^"]
    return LoadError(
        Fault("", f"is not valid Python: {error.msg}", origin=f"{show_file(path)}:{error.lineno or 1}", advice=advice)
    )


def _relative_imports(body: list[Any]) -> Iterator[tuple[int, str, str, str]]:
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                yield node.level, node.module or "", alias.name, alias.asname or alias.name
        else:
            for name in ("body", "orelse", "finalbody"):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                    inner = getattr(node, name, None)
                    if isinstance(inner, list):
                        yield from _relative_imports(inner)
            for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                yield from _relative_imports(part.body)


_SILENT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.Pass, ast.Global, ast.Nonlocal)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
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
