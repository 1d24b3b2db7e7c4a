"""What data may import: a policy that only trusted Python, the command line or the project gives."""

from __future__ import annotations

import sys

from .errors import Fault, TrustError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DISPATCHERS = frozenset(
    {
        ("builtins", "eval"), ("builtins", "exec"), ("builtins", "compile"), ("builtins", "__import__"),
        ("builtins", "getattr"), ("builtins", "setattr"), ("builtins", "delattr"), ("builtins", "open"),
        ("builtins", "breakpoint"), ("builtins", "input"), ("builtins", "globals"), ("builtins", "vars"),
        ("importlib", "import_module"), ("importlib", "reload"), ("importlib", "__import__"),
        ("functools", "partial"), ("functools", "partialmethod"), ("functools", "reduce"),
        ("operator", "attrgetter"), ("operator", "methodcaller"), ("operator", "itemgetter"), ("operator", "call"),
        ("runpy", "run_path"), ("runpy", "run_module"), ("io", "open"), ("_io", "open"),
        ("pkgutil", "resolve_name"), ("pydoc", "locate"), ("inspect", "getattr_static"),
    }
)  # fmt: skip
"""Callables that call or fetch whatever they are told to: never targets from data, allowed or not."""


class Policy:
    """Modules that data may name, judged before the import and again on what it gave.

    Args:
        allow: Module names; each allows itself and what lies below it. With a
            colon (`torch.optim:AdamW`) it allows that one object.

    >>> Policy(["torch.optim"]).allows("torch.optim.adamw", "AdamW")
    True
    >>> Policy(["torch.optim"]).allows("torch.optimize", "f")
    False
    """

    __slots__ = ("allow",)

    def __init__(self, allow: Iterable[str] = ()) -> None:
        if isinstance(allow, str):
            allow = [allow]
        self.allow = tuple(allow)

    def allows(self, module: str, qualname: str) -> bool:
        """Whether an object of this name may be used."""
        for entry in self.allow:
            owner, _, name = entry.partition(":")
            if name:
                if (owner, name) == (module, qualname):
                    return True
            elif module == owner or module.startswith(owner + "."):
                return True
        return False

    def judge_name(self, module: str, qualname: str, where: str) -> None:
        """Refuse a name before anything is imported for it.

        Raises:
            TrustError: It is not allowed, or names something private.
        """
        if any(part.startswith("_") for part in qualname.split(".")):
            raise _refused(module, qualname, where, "names a private attribute, which data may not follow")
        if (module, qualname) in DISPATCHERS:
            raise _refused(module, qualname, where, "calls or fetches whatever it is told, so data may never name it")
        if not self.allows(module, qualname):
            raise TrustError(
                Fault(
                    "",
                    f"{module}:{qualname} is named by data, which imports nothing by itself",
                    origin=where,
                    advice=[self._advice(module)],
                )
            )

    def judge_object(self, found: Any, module: str, qualname: str, where: str) -> None:
        """Refuse what an allowed name turned out to be.

        Raises:
            TrustError: The object belongs to a module that is not allowed, or is a dispatcher.
        """
        owner = getattr(found, "__module__", None)
        name = getattr(found, "__qualname__", None)
        is_module = isinstance(found, type(sys))
        if is_module:
            owner, name = found.__name__, ""
        if not isinstance(owner, str):
            return
        owner = {"nt": "os", "posix": "os", "_operator": "operator", "_functools": "functools"}.get(owner, owner)
        if (owner, name) in DISPATCHERS:
            raise _refused(module, qualname, where, f"is {owner}.{name}, which data may never name")
        if not self.allows(owner, str(name)):
            shown = f"the module {owner}" if is_module else f"{owner}.{name or type(found).__name__}"
            raise _refused(
                module,
                qualname,
                where,
                f"is really {shown}, which is not allowed",
                self._advice(owner),
            )

    def _advice(self, module: str) -> str:
        """The whole of what must be said: what is allowed already stays so."""
        allow = [*(entry for entry in self.allow if entry), module]
        entries = ", ".join(f'"{entry}"' for entry in allow)
        return f"to trust it:  load(..., allow=[{entries}])  or  {' '.join(f'--allow {entry}' for entry in allow)}"

    def judge_call(self, found: Any, holder: Any) -> None:
        """Refuse what a reference in data would call on a built object.

        Args:
            found: What would be called.
            holder: What it was taken from; a callable that says no module counts to its.

        Raises:
            TrustError: Its module is not allowed, or it is a dispatcher.
        """
        module = getattr(found, "__module__", None) or getattr(type(holder), "__module__", "builtins")
        qualname = getattr(found, "__qualname__", type(found).__qualname__)
        if isinstance(holder, type(sys)):
            module = getattr(found, "__module__", None) or holder.__name__
        self.judge_name(str(module), str(qualname), "")
        self.judge_object(found, str(module), str(qualname), "")


def _refused(module: str, qualname: str, where: str, problem: str, *advice: str) -> TrustError:
    return TrustError(Fault("", f"{module}:{qualname} {problem}", origin=where, advice=advice))
