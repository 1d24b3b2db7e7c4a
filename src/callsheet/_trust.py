"""What data may import and call: a policy that only trusted Python, the command line or the project gives."""

from __future__ import annotations

import os
import sys

from ._configfile import MAIN, PREFIX, file_of_module, show_file
from ._dispatchers import GUARDS, public_module, why_never
from ._signature import signature_of
from .errors import Fault, TrustError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ._signature import Signature


_NONE: Mapping[str, Any] = {}


class Policy:
    """What data may name, judged before the import and again on what it gave.

    Args:
        allow: Names of modules; each allows itself and all that lies below it, with
            any arguments. With a colon (`torch.optim:AdamW`) it allows what stands there
            under that name. The path of a `.py` file allows what that file defines, and
            `file:~/.token` allows that secret.
        project: The same, as the project's own `pyproject.toml` gives it.
        reads: What was called to read the data, up to its `allow=`, where that was not `load` itself: for advice.

    Raises:
        TrustError: An entry is none of these.

    >>> Policy(["torch.optim"]).allows("torch.optim.adamw", "AdamW")
    True
    >>> Policy(["torch.optim"]).allows("torch.optimize", "f")
    False
    """

    __slots__ = ("allow", "project", "reads")

    def __init__(self, allow: Iterable[str] = (), *, project: Iterable[str] = (), reads: str = "") -> None:
        alone = isinstance(allow, str) or not hasattr(allow, "__iter__")
        self.allow = tuple(map(_entry, [allow] if alone else allow))
        self.project = tuple(project)
        self.reads = reads

    def allows(self, module: str, qualname: str, *, on_the_way: bool = False) -> bool:
        """Whether an object of this name may be used, or passed through on the way to another."""
        module = public_module(module)
        for entry in (*self.allow, *self.project):
            owner, _, name = entry.partition(":")
            owner = public_module(owner)
            if entry.endswith(".py"):
                if module == entry:
                    return True
            elif name:
                if owner == module and (name == qualname or (on_the_way and name.startswith(qualname + "."))):
                    return True
            elif module == owner or module.startswith(owner + "."):
                return True
        return False

    def names(self, module: str, qualname: str) -> bool:
        """Whether an entry names this object itself, and not only what it stands in."""
        return f"{module}:{qualname}" in (*self.allow, *self.project)

    def judge_name(self, module: str, qualname: str, where: str) -> None:
        """Refuse a name before anything is imported for it.

        Raises:
            TrustError: It is not allowed, or names something private or a dispatcher.
        """
        name = f"{module}:{qualname}"
        reason = why_never(module, qualname)
        if reason:
            raise _refused(f"{name} {reason}, so data may never name it", where)
        if any(part.startswith("_") for part in qualname.split(".")):
            raise _refused(f"{name} names a private attribute, which data may not follow", where)
        if module.endswith(".py") and os.path.normpath(module) != os.path.abspath(module):
            raise _refused(f"{name} is in a file that is not named by its whole path", where)
        if not self.allows(module, qualname):
            raise self._unallowed(f"{name} is named by data, which imports nothing by itself", module, where)

    def judge_object(self, found: Any, module: str, qualname: str, where: str, *, on_the_way: bool = False) -> None:
        """Refuse what an allowed name turned out to be, or what stands on the way to it.

        Raises:
            TrustError: The object belongs to a module that is not allowed, or is a dispatcher.
        """
        owner, name = _owner_of(found)
        shown = _shown(owner, name)
        reason = _why_never(found, owner, name)
        if reason:
            raise _refused(f"{module}:{qualname} is really {shown}, which {reason}, so data may never name it", where)
        if not owner:
            return  # it counts to the module that it was taken from, which is allowed
        if self.names(module, qualname) or self.allows(owner, name, on_the_way=on_the_way):
            return
        raise self._unallowed(f"{module}:{qualname} is really {shown}, which is not allowed", owner, where)

    def judge_step(self, found: Any, holder: Any) -> None:
        """Refuse code that a reference in data would fetch from a built object: a module, class or function.

        Raises:
            TrustError: It belongs to a module that is not allowed, or is a dispatcher.
        """
        if _is_a(found, _CODE) or _is_partial(found):
            self.judge_call(found, holder)

    def judge_call(
        self, found: Any, holder: Any = None, args: Sequence[Any] = (), kwargs: Mapping[str, Any] = _NONE
    ) -> None:
        """Refuse what a reference in data would call on a built object.

        Args:
            found: What would be called.
            holder: What it was taken from; a callable that says no module counts to its.
            args: With what it would be called.
            kwargs: The same, by name.

        Raises:
            TrustError: Its module is not allowed, it is a dispatcher, or the arguments lift a guard of it.
        """
        owner, name = _owner_of(found)
        if not owner:
            owner = _owner_of(holder)[0] or public_module(type(holder).__module__)
            name = getattr(found, "__qualname__", type(found).__qualname__)
        reason = _why_never(found, owner, name)
        if reason:
            raise _refused(f"{_shown(owner, name)} {reason}, so data may never reach it", "")
        if not self.allows(owner, name):
            raise self._unallowed(f"{_shown(owner, name)} is reached by data, and nothing allows it", owner, "")
        if (args or kwargs) and not self.names(owner, name):
            for key, value in lifted(guards_in(args, kwargs, signature_of(found))).values():
                raise TrustError(self.guard_fault(key, value, owner, name, ""))

    def guard_fault(self, name: str, value: Any, module: str, qualname: str, where: str) -> Fault:
        """What is wrong with an argument of data by which a callable would run what it reads."""
        problem = f"{name}={value!r} would let {module}:{qualname} run what it reads, and no entry names that itself"
        return Fault("", problem, origin=where, advice=self._advice(f"{module}:{qualname}", where))

    def judge_secret(self, reference: str, where: str) -> None:
        """Refuse the secret of a file that nobody allowed data to read.

        Raises:
            TrustError: Nothing allows it.
        """
        if reference.startswith("file:") and reference not in (*self.allow, *self.project):
            raise self._unallowed(f"is {reference}, which data may not read by itself", reference, where)

    def _unallowed(self, problem: str, entry: str, where: object) -> TrustError:
        return TrustError(Fault("", problem, origin=where, advice=self._advice(entry, str(where))))

    def _advice(self, entry: str, where: str) -> list[str]:
        """Each way to allow it, whole: what is allowed already stays so."""
        head, _, line = where.rpartition(":")
        file = head if line.isdigit() else where
        reads = f'load("{file}", ' if file.endswith(_DATA_FILES) else "from_data(..., "
        allow = [*self.allow, entry]
        typed = [] if self.reads else [f"on the command line:     {' '.join(f'--allow {each}' for each in allow)}"]
        return [
            f"to allow it in Python:   {self.reads or reads}allow=[{_quoted(allow)}])",
            *typed,
            f"in pyproject.toml:       allow = [{_quoted([*self.project, entry])}]  under [tool.callsheet]",
        ]


def guards_in(
    args: Sequence[Any], kwargs: Mapping[str, Any], signature: Signature | None
) -> dict[int | str, tuple[str, Any]]:
    """By the key of the argument, its name and value, for each that tells whether to run what is read."""
    found: dict[int | str, tuple[str, Any]] = {name: (name, kwargs[name]) for name in GUARDS if name in kwargs}
    if args and signature is not None:
        for n, parameter in enumerate(signature.slots[: len(args)]):
            if parameter.name in GUARDS:
                found[n] = parameter.name, args[n]
    return found


def lifted(guards: dict[int | str, tuple[str, Any]]) -> dict[int | str, tuple[str, Any]]:
    """Those among `guards_in` that do not say for sure that nothing is run."""
    return {key: (name, value) for key, (name, value) in guards.items() if value is not GUARDS[name]}


_DATA_FILES = (".json", ".yaml", ".yml", ".toml")

_FUNCTION: Any = type(lambda: None)
_METHOD: Any = type(Fault("", "").as_data)
_BUILTIN: Any = type(len)
_DESCRIPTORS = (type(str.upper), type("".__str__), type(object.__init__))
_CODE = (type(sys), type, _FUNCTION, _METHOD, _BUILTIN, *_DESCRIPTORS)
"""What is code rather than a value: modules, classes, functions and methods, of Python and of C."""

_module_of_class = type.__dict__["__module__"].__get__
_qualname_of_class = type.__dict__["__qualname__"].__get__


def _entry(text: Any) -> str:
    """An entry of `allow` as it is compared: a file by its whole path."""
    if isinstance(text, str):
        if text.startswith("file:"):
            return text
        if text.endswith(".py"):
            return os.path.abspath(os.path.expanduser(text))
        module, colon, name = text.partition(":")
        if all(part.isidentifier() for part in f"{module}{'.' if colon else ''}{name}".split(".")):
            return text
    raise TrustError(
        Fault("", f"{text!r} is nothing that can be allowed", advice=['allow=["train", "torch.optim:AdamW"]'])
    )


def entries_of(texts: Iterable[Any], folder: str) -> tuple[str, ...]:
    """What a project allows; the paths of files start in its folder.

    Raises:
        TrustError: A text can be no such entry.
    """
    texts = [os.path.join(folder, os.path.expanduser(t)) if str(t).endswith(".py") else t for t in texts]
    return tuple(map(_entry, texts))


def deciding_owner(found: Any) -> tuple[str, str]:
    """Module and name by which alone a policy decides over an object; two empty texts where it must see the object."""
    owner, name = _owner_of(found)
    return ("", "") if _why_never(found, owner, name) else (owner, name)


def _owner_of(found: Any) -> tuple[str, str]:
    """The module that an object counts to and its name there; two empty texts where it says none.

    What it claims counts only where that cannot be seen: a function counts to
    the module of its code, an instance to that of its class, a wrapper to that
    of what it wraps.
    """
    found = _unwrapped(found)
    if _is_a(found, type(sys)):
        return public_module(found.__name__), ""
    if _is_a(found, type):
        return _module(_module_of_class(found)), _qualname_of_class(found)
    if type(found) is _FUNCTION:
        return _module(found.__globals__.get("__name__", "")), found.__code__.co_qualname
    if type(found) is _BUILTIN:
        return public_module(found.__module__ or ""), found.__qualname__
    if _is_a(found, _DESCRIPTORS):
        cls = getattr(found, "__objclass__", type(found))
        return _module(_module_of_class(cls)), found.__qualname__
    cls = type(found)
    if cls.__name__.endswith("cython_function_or_method"):
        return public_module(str(found.__module__)), str(found.__qualname__)
    module = _module(_module_of_class(cls))
    return ("", "") if module == "builtins" else (module, cls.__qualname__)


def _unwrapped(found: Any) -> Any:
    """What is called in the end: behind a bound method, a partial, or the wrapper of a decorator."""
    for _ in range(100):
        if type(found) is _METHOD:
            found = found.__func__
        elif _is_partial(found):
            found = found.func
        elif type(found) is _FUNCTION and "__wrapped__" in vars(found):
            found = vars(found)["__wrapped__"]
        elif type(found).__name__ == "_lru_cache_wrapper" and type(found).__module__ == "functools":
            found = found.__wrapped__
        else:
            break
    return found


def _is_partial(found: Any) -> bool:
    functools = sys.modules.get("functools")
    return functools is not None and type(found) is functools.partial


def _is_a(found: Any, classes: Any) -> bool:
    """`isinstance`, which believes what a proxy says of its class, without that."""
    return issubclass(type(found), classes)


def _module(name: Any) -> str:
    """A module's name as policies know it: a config file or the program by its path."""
    if not isinstance(name, str):
        return ""
    if (name.startswith(PREFIX) or name in MAIN) and name in sys.modules:
        return file_of_module(sys.modules[name])[0] or name
    return public_module(name)


def _why_never(found: Any, owner: str, name: str) -> str:
    """Why data may never reach an object, by where its code is and by what it says of itself."""
    reason = why_never(owner, name)
    inner = _unwrapped(found)
    if not reason and type(inner) is _FUNCTION:
        reason = why_never(str(inner.__module__), inner.__qualname__)
    if not owner and type(inner) is _BUILTIN:  # a method of an object that says no module
        of = inner.__self__
        reason = why_never(_module(_module_of_class(of if _is_a(of, type) else type(of))), inner.__qualname__)
    if not reason and _is_a(found, type) and issubclass(found, type):
        reason = why_never("builtins", "type")
    own = owner.startswith("callsheet.") and not owner.startswith("callsheet.examples.")
    if not reason and own and not _is_a(found, (type, type(sys))):
        reason = "is Callsheet's own and could lift what holds for data"
    return reason


def _shown(owner: str, name: str) -> str:
    where = show_file(owner) if owner.endswith(".py") else owner
    return ".".join(filter(None, (where, name))) if name else f"the module {owner}"


def _quoted(entries: Iterable[str]) -> str:
    return ", ".join(f'"{entry}"' for entry in entries)


def _refused(problem: str, where: str) -> TrustError:
    return TrustError(Fault("", problem, origin=where))
