"""Runs a Python config file as code, with hooks that whoever runs it gives.

The file is rewritten in its syntax tree, with its line numbers, and nothing
outside it is touched.
"""

from __future__ import annotations

import _ast as ast
import os
import sys

from ._rewrite import HOOKS, Rewriter, Statement, relative_imports
from ._running import RUNNING
from .errors import Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
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


PREFIX = "callsheet.config:"
"""What the module name of a config file starts with."""


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
        self.taken = list(relative_imports(self.tree.body))

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
