"""Runs a Python config file as code, with hooks that whoever runs it gives.

The file is rewritten in its syntax tree, with its line numbers, and nothing
outside it is touched.
"""

from __future__ import annotations

import _ast as ast
import os
import sys
from _thread import RLock, allocate_lock
from importlib import import_module

from ._imports import CALLSHEET, TAKEN
from ._rewrite import Rewriter
from ._syntax import HOOKS
from .errors import Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any, Protocol

    from ._imports import Meanings, Words

    class Hooks(Protocol):
        """What happens when a config file is run. The names of its own imports and their uses come to it as well."""

        names: dict[str, Any]

        def after(self, number: int) -> None:
            """Called after each module-level statement that may have changed something, with its number."""

        def bind(self, bound: str, module: str, name: str, line: int, submodule: str) -> Any:
            """Gives what stands for an import until it is used."""

        def note(self, bound: str, module: str, name: str, line: int, value: Any) -> None:
            """Called after an import that has happened."""

        def use(self, value: Any) -> Any:
            """Gives the object of what may be an import that waits."""

        def name(self, value: Any, bound: str, rest: str, line: int) -> Any:
            """Gives what a lazy call receives for a name that an import bound, and the attributes behind it."""

        def stay(self, value: Any, bound: str, rest: str, line: int) -> Any:
            """As `name`, for what stands under the key that stays a name; called where the file's words have one."""

        def settle(self, *names: str) -> None:
            """Called before a definition whose annotations name imports that may wait."""

        def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
            """Gives what `from .module import name as bound` binds."""

        def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
            """Gives what `from .module import *` binds."""
            ...


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PREFIX = "callsheet.config:"
"""What the module name of a config file starts with."""

MAIN = ("__main__", "__mp_main__")
"""What the program's own module is called, and in a process that `multiprocessing` has started."""


class ConfigSource:
    """A config file, parsed.

    Args:
        path: Absolute.
        text: As read.
        words: In which it describes calls.

    Attributes:
        path: Absolute.
        text: As read.
        taken: `(level, module, name, bound name)` for each relative import; name `*` for a star.
        meanings: What its imports bind.
        statements: Those after which a hook is called, once it is compiled.
        assigned: Names that its module-level assignments bind, in order, once it is compiled.
        quiet: The lines of the statement without a hook that bound a name last, once it is compiled.
    """

    __slots__ = (
        "_code",
        "_known",
        "_lock",
        "_tree",
        "assigned",
        "meanings",
        "path",
        "quiet",
        "statements",
        "taken",
        "text",
        "words",
    )

    def __init__(self, path: str, text: str, words: Words = CALLSHEET) -> None:
        self.path = path
        self.text = text
        self.words = words
        self._lock = allocate_lock()
        self._code: CodeType | None = None
        self._tree: Rewriter | None = self._parsed()
        self._known: Any = None  # what the code was compiled for
        self.taken = self._tree.taken
        self.meanings = self._tree.meanings
        self.statements = self._tree.statements
        self.assigned = self._tree.assigned
        self.quiet = self._tree.quiet

    def _parsed(self) -> Rewriter:
        try:
            tree = compile(self.text, self.path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            raise _syntax_fault(self.path, error) from None
        except (RecursionError, MemoryError):
            raise LoadError(Fault("", f"{show_file(self.path)} is nested too deeply for Python's own parser")) from None
        except ValueError as error:
            raise LoadError(Fault("", f"{show_file(self.path)} is no Python text: {error}")) from None
        return Rewriter(tree, self.text, self.words)

    def compile(self, meanings: Meanings, watched: frozenset[str] = frozenset()) -> CodeType:
        """The file as code that calls its hooks.

        Args:
            meanings: Of all names that its imports bind, as `meanings_through` gives them.
            watched: Names that overrides are about.

        Raises:
            LoadError: The file is not valid Python.
        """
        with self._lock:
            if self._code is None or self._known != (meanings, watched):
                rewriter = self._tree or self._parsed()
                rewriter.rewrite(meanings, watched)
                self._tree, self._known = None, (meanings, watched)
                self.statements, self.assigned, self.quiet = rewriter.statements, rewriter.assigned, rewriter.quiet
                self._code = self._compiled(rewriter.tree)
            return self._code

    def _compiled(self, tree: Any) -> CodeType:
        try:
            code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
            return code
        except SyntaxError as error:
            raise _syntax_fault(self.path, error) from None
        except (RecursionError, MemoryError):
            raise LoadError(
                Fault("", f"{show_file(self.path)} is nested too deeply for Python's own compiler")
            ) from None


_sources: dict[str, ConfigSource] = {}  # a memo: losing it costs time, never an answer
_MEMO_LIMIT = 256


def source_of(path: str, words: Words = CALLSHEET) -> ConfigSource:
    """A config file as it is now, parsed once for each text that it has.

    Args:
        path: Absolute.
        words: In which it describes calls.

    Raises:
        LoadError: The file is not valid Python.
        OSError: It cannot be read.
    """
    text = read_source(path)
    known = _sources.get(path)
    if known is None or known.text != text or known.words is not words:
        if len(_sources) >= _MEMO_LIMIT:
            _sources.clear()
        known = _sources[path] = ConfigSource(path, text, words)
    return known


def meanings_through(
    path: str,
    source_at: Callable[[str], ConfigSource],
    known: dict[str, Meanings],
    place_at: Callable[[str, int, str], str | None],
) -> Meanings:
    """What the names of a config file mean that its imports bind, through the files that it takes from.

    Args:
        path: The file.
        source_at: Gives the source of a file by its path.
        known: The meanings of files by path, added to.
        place_at: Gives the file that a relative import means, as `place_of` does.
    """
    if path in known:
        return known[path]
    source = source_at(path)
    found = known[path] = dict(source.meanings)
    for level, module, name, bound in source.taken:
        place = place_at(path, level, module)
        if place is None:
            continue
        theirs = meanings_through(place, source_at, known, place_at)
        brought = (
            {n: meaning for n, meaning in theirs.items() if not n.startswith("_")}
            if name == "*"
            else {bound: theirs[name]}
            if name in theirs
            else {}
        )
        found.update({n: meaning for n, meaning in brought.items() if source.meanings.get(n) in (None, TAKEN)})
    return found


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
    encoding = "utf-8"
    for line in raw.split(b"\n", 2)[:2]:
        if line.lstrip().startswith(b"#") and b"coding" in line:
            import io
            from tokenize import detect_encoding

            try:
                encoding = detect_encoding(io.BytesIO(raw).readline)[0]
            except SyntaxError as error:
                raise _syntax_fault(path, error) from None
            break
    raw = raw.removeprefix(_BYTE_ORDER_MARK)  # which needs no codec of its own to be loaded
    try:
        return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise LoadError(Fault("", f"is not text: {error}", origin=f"{show_file(path)}:{row}")) from None


def digest_of(text: str) -> str:
    """Twelve hex digits that change whenever a file's text changes."""
    for name in ("_sha2", "_sha256", "hashlib"):  # the last of which loads OpenSSL, and that takes longer than a config
        try:
            return str(import_module(name).sha256(text.encode()).hexdigest())[:12]
        except ImportError:
            continue
    raise AssertionError("hashlib is a part of Python")


def show_file(path: str) -> str:
    """A path as a person wants to read it: relative where it lies below the working directory."""
    try:
        here = os.getcwd()
    except OSError:
        return path
    return path[len(here) + 1 :] if path.startswith(here + os.sep) else path


class ConfigModule(type(sys)):  # type: ignore[misc]
    """The module of a config file, out of which an import that waits comes as the object that it stands for."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name.startswith("__"):
            return value
        hooks = super().__getattribute__("__dict__").get(HOOKS)
        return value if hooks is None else hooks.use(value)


def new_module(source: ConfigSource) -> ModuleType:
    """An empty module for a config file, findable by what pickles its classes or reads their annotations.

    Its name holds the file's digest: another version of the file is another module.
    """
    module: ModuleType = ConfigModule(f"{PREFIX}{source.path}@{digest_of(source.text)}")
    module.__file__ = source.path
    return module


_locks: dict[str, Any] = {}
"""By the name of a config's module: threads that run the same file would else read each other's half-made module."""


def execute(code: CodeType, module: ModuleType, hooks: Hooks) -> None:
    """Run a config file's code in its module; what the file raises passes through.

    The hooks stay: a function of the file may describe calls whenever it is called.
    """
    name, names = module.__name__, vars(module)
    hooks.names = names
    names[HOOKS] = hooks
    with _locks.setdefault(name, RLock()):
        before = sys.modules.get(name)
        sys.modules[name] = module
        try:
            exec(code, names)  # noqa: S102  (a Python config is code, trusted as such)
        except BaseException:
            if before is None:
                del sys.modules[name]
            else:
                sys.modules[name] = before
            raise


def whole_module(name: str) -> ModuleType | None:
    """The module of a config, once no other thread runs its file: until then it is half-made."""
    with _locks.setdefault(name, RLock()):
        return sys.modules.get(name)


def file_of_module(module: ModuleType) -> tuple[str, str]:
    """The path and the digest of the file behind a config or the program; two empty texts for any other module."""
    if module.__name__.startswith(PREFIX):
        path, _, digest = module.__name__[len(PREFIX) :].rpartition("@")
        return path, digest
    file = getattr(module, "__file__", None)
    if module.__name__ not in MAIN or not file:
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
