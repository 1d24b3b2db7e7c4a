"""What a call calls, by name: one name for each object, found again in any process, under a policy for data."""

from __future__ import annotations

import os
import sys

from . import _configfile
from ._configfile import ConfigModule, show_file
from ._running import RUNNING, moved
from ._syntax import HOOKS
from ._tree import is_enum
from .errors import Fault, SpecError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ._trust import Policy

_UNKNOWN = object()


class TargetError(SpecError, ImportError):
    """A target cannot be found under its name."""


class MissingModuleError(TargetError, ModuleNotFoundError):
    """The module of a target does not exist."""


class Name:
    """An object known by its name, `module:qualname`, imported only when it is used for real.

    Attributes:
        module: A module, or the path of a `.py` file that defines the object itself.
        qualname: The way from the module to the object.
        digest: Of the file, where `module` is a path; else "".
        where: `file:line` that wrote the name, for errors: a text, or what gives it when it is asked.
        policy: Asked before anything is imported; None where trusted Python wrote the name.
    """

    __slots__ = ("__weakref__", "_found", "digest", "module", "policy", "qualname", "where")

    def __init__(
        self,
        module: str,
        qualname: str,
        *,
        digest: str = "",
        where: Any = "",
        policy: Policy | None = None,
        found: Any = _UNKNOWN,
    ) -> None:
        self.module = module
        self.qualname = qualname
        self.digest = digest
        self.where = where
        self.policy = policy
        self._found = found

    @property
    def key(self) -> str:
        """What `equal` and `hash_of` compare: a file counts by its digest, not by its place.

        Where the module ends and the object begins is not told apart: nobody
        knows that of `import a` and `a.b.c` before it is imported.
        """
        return f"#{self.digest}:{self.qualname}" if self.digest else f"{self.module}.{self.qualname}"

    @property
    def text(self) -> str:
        """The name as it is written in files."""
        return f"{self.module}:{self.qualname}" + (f"#{self.digest}" if self.digest else "")

    @property
    def dotted(self) -> str:
        """The name as a person reads it."""
        module = self.module.rpartition("/")[2].removesuffix(".py") if self.digest else self.module
        return self.qualname if module == "builtins" else f"{module}.{self.qualname}"

    def __repr__(self) -> str:
        return self.dotted

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.module, self.qualname, self.digest, str(self.where), self.policy)


def _restored(module: str, qualname: str, digest: str, where: str, policy: Policy | None) -> Name:
    return Name(module, qualname, digest=digest, where=where, policy=policy)


def parse_name(text: str, *, where: Any = "", policy: Policy | None = None) -> Name:
    """Read `module:qualname` or `module.qualname`, without importing anything.

    With dots only, the module ends before the first part that starts with a
    capital letter, else before the last part.

    Raises:
        TargetError: The text names no object.

    >>> parse_name("torch.nn.Module.eval").text
    'torch.nn:Module.eval'
    >>> parse_name("os.path.join").text
    'os.path:join'
    """
    body, _, digest = text.partition("#")
    module, colon, qualname = body.rpartition(":")
    if not colon:
        parts = body.split(".")
        cut = next((n for n, part in enumerate(parts) if n and part[:1].isupper()), len(parts) - 1)
        module, qualname = ".".join(parts[:cut]), ".".join(parts[cut:])
    names = (qualname if module.endswith(".py") else f"{module}.{qualname}").split(".")
    if not module or not qualname or not all(part.isidentifier() for part in names):
        raise TargetError(
            Fault(
                "",
                f"{text!r} names no object",
                origin=where,
                advice=["write  package.module:Class  or  package.module.Class"],
            )
        )
    return Name(module, qualname, digest=digest, where=where, policy=policy)


def resolve(name: Name) -> Any:
    """The object behind a name; imports its module where that has not happened yet.

    Raises:
        TargetError: There is no such module or object.
        TrustError: The name came from data and no policy allows it.
        Exception: Whatever the imported module itself raises.
    """
    if name._found is not _UNKNOWN:
        return name._found
    policy = name.policy
    if policy is not None:
        policy.judge_name(name.module, name.qualname, name.where)
    holder, path = (_definitions(name), name.qualname) if name.module.endswith(".py") else _imported(name)
    found = holder
    parts = path.split(".")
    for n, part in enumerate(parts, 1):
        try:
            found = getattr(found, part)
        except AttributeError:
            deeper = _submodule(found, part) if policy is None else None
            if deeper is None:
                raise _no_such(name, found, part) from None
            found = deeper
        if policy is not None:
            policy.judge_object(found, name.module, name.qualname, name.where, on_the_way=n < len(parts))
    name._found = found
    return found


def _imported(name: Name) -> tuple[Any, str]:
    """The innermost module on the way to the object, and what is left of the way."""
    from importlib import import_module

    parts = [*name.module.split("."), *name.qualname.split(".")]
    cut = name.module.count(".") + 1
    module = _import(import_module, name, ".".join(parts[:cut]))
    while module is None and cut > 1:  # `from package import thing` names no module when thing is an object
        cut -= 1
        module = _import(import_module, name, ".".join(parts[:cut]))
    if module is None:
        raise _no_module(name.dotted, name.module.partition(".")[0], name.where)
    while cut < len(parts) - 1 and not hasattr(module, parts[cut]):
        deeper = _import(import_module, name, ".".join(parts[: cut + 1]))
        if deeper is None:
            break
        module, cut = deeper, cut + 1
    return module, ".".join(parts[cut:])


def _no_module(wanted: str, missing: str, where: str) -> MissingModuleError:
    problem = f"cannot import {wanted}: no module named {missing!r}"
    close = nearest(missing, _own_modules())[:1] if wanted.partition(".")[0] == missing else []
    advice = [
        *(f"did you mean  {name}{wanted.removeprefix(missing)}?" for name in close),
        _where_it_looks(missing.partition(".")[0]),
        "in Python, sys.path is yours to set",
    ]
    return MissingModuleError(Fault("", problem, origin=where, advice=advice))


def _where_it_looks(missing: str) -> str:
    """What says where the command looks for modules; where one lies in `src` right there, what lets it look there."""
    there = os.path.join("src", missing)
    if os.path.isdir(there):
        return f"--path src  finds {there}"
    if os.path.isfile(f"{there}.py"):
        return f"--path src  finds {there}.py"
    return "the command looks in the project's root and in --path DIR"


def _own_modules() -> list[str]:
    """The modules in the folders of `sys.path` that stand before the standard library's."""
    found: list[str] = []
    library = os.path.dirname(os.__file__)
    for folder in sys.path:
        if folder == library or folder.endswith(".zip"):
            break
        try:
            found += [name.partition(".")[0] for name in os.listdir(folder or ".")]
        except OSError:
            continue
    return [name for name in dict.fromkeys(found) if name.isidentifier() and name[0] != "_"]


def _import(import_module: Callable[[str], Any], name: Name, module: str) -> Any:
    """The module, or None where exactly it is what does not exist."""
    if name.policy is not None and module != name.module:
        name.policy.judge_name(module, name.qualname, name.where)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            return None
        raise


def _submodule(found: Any, part: str) -> Any:
    """What `from package import module` means, where the package has not imported it; None where there is none."""
    if not hasattr(found, "__path__"):
        return None
    from importlib import import_module

    return _import(import_module, Name(found.__name__, part), f"{found.__name__}.{part}")


def _no_such(name: Name, holder: Any, part: str) -> TargetError:
    label = getattr(holder, "__qualname__", None) or getattr(holder, "__name__", type(holder).__name__)
    public = [n for n in dir(holder) if not n.startswith("_")]
    close = nearest(part, public)
    advice = [f"did you mean  {close[0]}?"] if close else []
    return TargetError(
        Fault("", f"cannot import {name.dotted}: {label} has no {part!r}", origin=name.where, advice=advice)
    )


def _definitions(name: Name) -> Any:
    """What a config file or script defines, by running it; the file must still be what it was."""
    path = moved(name.module)
    module = _configfile.defining_module(path, name.digest)
    if module is not None:
        return module
    try:
        source = _configfile.read_source(path)
    except OSError as error:
        raise TargetError(Fault("", f"cannot find {name.dotted}: {error}", origin=name.where)) from None
    if _configfile.digest_of(source) != name.digest:
        raise TargetError(
            Fault(
                "",
                f"{name.dotted} was defined by another version of {name.module}",
                origin=name.where,
                advice=[
                    f"then {name.digest}, now {_configfile.digest_of(source)}: to keep it, move it to its own module"
                ],
            )
        )
    return run_plainly(path)


def run_plainly(path: str) -> ModuleType:
    """Run a config file or script only for what it defines."""
    source = _configfile.source_of(path)
    module = _configfile.new_module(source)
    token = RUNNING.set({"defining": path})
    try:
        code = source.compile(_configfile.meanings_through(path, _configfile.source_of, {}, _configfile.place_of))
        _configfile.execute(code, module, _PlainHooks(path))
    finally:
        RUNNING.reset(token)
    return module


class ModuleName:
    """A module that `import a.b` named and nobody has used yet.

    Attributes:
        module: What the name is bound to.
        submodules: What has to be imported with it.
        where: `file:line` of the import.
    """

    __slots__ = ("_found", "module", "submodules", "where")

    def __init__(self, module: str, submodules: tuple[str, ...], where: str, found: Any = _UNKNOWN) -> None:
        self.module = module
        self.submodules = submodules
        self.where = where
        self._found = found

    def resolve(self) -> Any:
        """The module, imported with its submodules."""
        if self._found is _UNKNOWN:
            from importlib import import_module

            for submodule in self.submodules:
                try:
                    import_module(submodule)
                except ModuleNotFoundError as error:
                    if not f"{submodule}.".startswith(f"{error.name}."):
                        raise
                    raise _no_module(submodule, str(error.name), self.where) from None
            self._found = sys.modules[self.module]
        return self._found


class ImportHooks:
    """What the imports of a config file and their uses come to: names, which import when they are used.

    Args:
        path: The file.
    """

    names: dict[str, Any]
    runs_again = True
    """Whether whoever finds a name in the file can run it for that, without these hooks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.shown = show_file(path)
        self.bound: dict[str, Name | ModuleName] = {}  # what imports bound last, whatever the name holds now

    def _where(self, line: int) -> str:
        return f"{self.shown}:{line}"

    def bind(self, bound: str, module: str, name: str, line: int, submodule: str) -> Name | ModuleName:
        """Gives what stands for an import until it is used."""
        where = self._where(line)
        if name:
            made: Name | ModuleName = Name(module, name, where=where)
        else:
            known = self.bound.get(bound)
            more = known.submodules if type(known) is ModuleName and known.module == module else ()
            made = ModuleName(module, (*more, submodule), where)
        self.bound[bound] = made
        return made

    def note(self, bound: str, module: str, name: str, line: int, value: Any) -> None:
        """Keeps the name of what an import has bound that happened where it stands."""
        where = self._where(line)
        self.bound[bound] = (
            Name(module, name, where=where, found=value) if name else ModuleName(module, (), where, value)
        )

    def use(self, value: Any) -> Any:
        """The object of an import that waits; anything else as it is."""
        if type(value) is Name:
            return resolve(value)
        return value.resolve() if type(value) is ModuleName else value

    def name(self, value: Any, bound: str, rest: str, line: int) -> Any:
        """What a lazy call receives for a name that an import may have bound, and the attributes behind it.

        The name may have been bound anew since, by an assignment or a loop: then the value counts.
        """
        known: Any = value
        if type(value) is not Name and type(value) is not ModuleName:
            known, found = self.bound.get(bound), value
            steps = rest.split(".") if rest else []
            for n, step in enumerate(steps):
                inside = vars(found).get(step) if type(found) is ConfigModule else None
                if type(inside) is Name or type(inside) is ModuleName:
                    return extended(inside, ".".join(steps[n + 1 :]), self._where(line))
                found = getattr(found, step)
            a_call = hasattr(type(found), "__held__")  # what is a part of the spec is given itself
            if known is None or known._found is not value or (type(known) is ModuleName and not rest) or a_call:
                return found
            known = extended(known, rest, self._where(line))
            known._found = found
            return known
        return extended(known, rest, self._where(line))

    def stay(self, value: Any, bound: str, rest: str, line: int) -> Any:
        """What stands under a key that stays a name; in Callsheet's own words there is none."""
        return self.name(value, bound, rest, line)

    def settle(self, *names: str) -> None:
        """Imports what annotations name that a decorator or a base class will read in the module."""
        for name in names:
            value = self.names.get(name)
            if type(value) is Name or type(value) is ModuleName:
                self.names[name] = self.use(value)
                self.bound[name] = value


def extended(known: Name | ModuleName, rest: str, where: str) -> Any:
    """The name of an attribute of what a name names."""
    if not rest:
        return known if type(known) is Name else known.resolve()  # type: ignore[union-attr]
    if type(known) is ModuleName and "." not in rest:
        return Name(known.module, rest, where=where)
    head = f"{known.module}.{known.qualname}" if type(known) is Name else known.module
    name = parse_name(f"{head}.{rest}", where=where)
    if not f"{name.module}.".startswith(f"{known.module}."):
        name = Name(known.module, f"{head}.{rest}"[len(known.module) + 1 :], where=where)
    return name


class _PlainHooks(ImportHooks):
    """Runs a file as if it were ordinary Python, but for its imports, which wait, and go by place where relative."""

    def after(self, number: int) -> None:
        pass

    def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
        names = self._names(level, module, line)
        return names[name] if name in names else self._names(level, f"{module}.{name}" if module else name, line)

    def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
        return {k: v for k, v in self._names(level, module, line).items() if not k.startswith("_")}

    def _names(self, level: int, module: str, line: int) -> dict[str, Any]:
        path = _configfile.place_of(self.path, level, module)
        if path is None:
            raise _configfile.no_such_file(self.path, level, module, line)
        digest = _configfile.digest_of(_configfile.read_source(path))
        return vars(_configfile.defining_module(path, digest) or run_plainly(path))


def name_of(x: Any) -> Name | None:
    """The one name under which an object can be found again in any process, or None.

    What a config file or `__main__` defines is named by its file.
    """
    module = getattr(x, "__module__", None)
    qualname = getattr(x, "__qualname__", None) or getattr(x, "__name__", None)
    if isinstance(x, type(sys)):
        return None
    if module is None and isinstance(getattr(x, "__objclass__", None), type):  # a method of a class written in C
        module = x.__objclass__.__module__
    owner = getattr(x, "__self__", None)
    if isinstance(owner, type) and callable(x):  # a classmethod, maybe inherited
        module, qualname = owner.__module__, f"{owner.__qualname__}.{x.__name__}"
    if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
        return None
    holder = sys.modules.get(module)
    found = _defined(holder, qualname)
    if found is not x and module.startswith(_configfile.PREFIX):
        holder = _configfile.whole_module(module)
        found = _defined(holder, qualname)
    if holder is None:
        return None
    if not getattr(vars(holder).get(HOOKS), "runs_again", True):
        return None
    path, digest = _configfile.file_of_module(holder)
    if found is x or (owner is not None and found == x):
        return Name(path or module, qualname, digest=digest, found=x)
    if digest and type(found) is type(x) and module.endswith(digest):
        return Name(path, qualname, digest=digest, found=x)  # of an earlier load of the very same text
    own = getattr(x, "__name__", None)
    if isinstance(own, str) and getattr(holder, "__dict__", {}).get(own) is x:
        return Name(path or module, own, digest=digest, found=x)  # as torch.relu, whose qualname leads nowhere
    return None


def _defined(holder: Any, qualname: str) -> Any:
    """What a name leads to, None for nothing."""
    for part in qualname.split("."):
        holder = getattr(holder, part, None)
    return holder


def named_value(x: Any) -> Name | None:
    """The name of a class or function that stands as a value, None for any other value."""
    if is_enum(x) or not callable(x):
        return None
    return name_of(x)
