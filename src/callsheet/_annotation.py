"""Annotations read from their texts, each by itself, in the module that wrote them."""

from __future__ import annotations

import _ast as ast
import os
import sys

from ._syntax import HOOKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

EMPTY = object()
"""Stands for "no default" and "no annotation"."""


class Scope:
    """Where the names in an annotation mean something.

    Args:
        names: The globals of the module that wrote it.
        local: What counts before them: type parameters.
        owner: The class that `Self` stands for, or None.
    """

    __slots__ = ("_checked", "local", "names", "owner")

    def __init__(self, names: dict[str, Any], local: dict[str, Any] | None = None, owner: Any = None) -> None:
        self.names = names
        self.local = local or {}
        self.owner = owner
        self._checked: dict[str, tuple[str, str]] | None = None

    def read(self, text: str) -> Any:
        """The annotation behind a text; `EMPTY` where it is none.

        A name that only a type checker knows is looked up in the imports under
        `if TYPE_CHECKING:`, where those are of the standard library or of the
        same project; else it may be anything.
        """
        from typing import Any as Anything

        names: Any = _Names(self)
        try:
            return eval(text, self.names, names)  # noqa: S307  (code of the module that wrote it)
        except SyntaxError:
            return EMPTY  # a remark
        except Exception:  # noqa: BLE001  (an unknown name was subscripted: the whole may be anything)
            return Anything

    def look_up(self, name: str) -> Any:
        """What a name means that the module does not have at run time."""
        from importlib import import_module
        from typing import Any

        if self._checked is None:
            self._checked = dict(_imports_for_checkers(self.names))
        module, attribute = self._checked.get(name, ("", ""))
        if not module or not self._is_near(module):
            return Any
        try:
            found = import_module(module)
            return getattr(found, attribute) if attribute else found
        except Exception:  # noqa: BLE001  (what is imported for a type checker need not exist)
            return Any

    def _is_near(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top == str(self.names.get("__name__")).partition(".")[0]:
            return True
        beside = os.path.join(os.path.dirname(str(self.names.get("__file__"))), top)
        return os.path.isfile(beside + ".py") or os.path.isfile(os.path.join(beside, "__init__.py"))


class _Names:
    """The names that an evaluated text sees: a mapping that has an answer for each."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __getitem__(self, name: str) -> Any:
        scope = self.scope
        if name in scope.local:
            return scope.local[name]
        hooks = scope.names.get(HOOKS)
        if hooks is not None and name in scope.names:
            return hooks.use(scope.names[name])  # of a config file, where an import may wait
        if name in scope.names or name in vars(sys.modules["builtins"]):
            raise KeyError(name)  # Python goes on there
        return scope.look_up(name)


def scope_of(target: Any, name: str, annotation: object) -> Scope:
    """Where the annotation of a parameter or field was written.

    Args:
        target: A callable or a class.
        name: The parameter or field.
        annotation: As the signature has it: a text.
    """
    owner = target if isinstance(target, type) else None
    first: Scope | None = None
    for told, names, holder in places_of(target):
        local = {parameter.__name__: parameter for parameter in getattr(holder, "__type_params__", ())}
        if owner is not None:
            local |= {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
        scope = Scope(names, local, owner)
        if told.get(name) == annotation:
            return scope
        first = first or scope
    return first or Scope({}, owner=owner)


def places_of(target: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any], Any]]:
    """Annotations of a callable, with the globals that they were written in and whom they belong to."""
    if isinstance(target, type):
        fields = hasattr(target, "__dataclass_fields__") or hasattr(target, "__attrs_attrs__")
        if fields or (issubclass(target, tuple) and hasattr(target, "_fields")):
            for cls in target.__mro__:
                yield vars(cls).get("__annotations__", {}), vars(sys.modules.get(cls.__module__, _NOWHERE)), cls
        meta: Any = type(target)
        for cls in (*target.__mro__, *meta.__mro__):
            for method in ("__init__", "__new__", "__call__"):
                if method in vars(cls):
                    yield from places_of(vars(cls)[method])
        return
    seen: set[int] = set()
    while target is not None and id(target) not in seen:
        seen.add(id(target))
        names = getattr(target, "__globals__", None)
        if isinstance(names, dict):
            yield getattr(target, "__annotations__", {}), names, target
        inner = getattr(target, "__wrapped__", None) or getattr(target, "__func__", None)
        inner = inner or getattr(target, "func", None)  # a functools.partial
        target = inner if inner is not None else getattr(type(target), "__call__", None)  # noqa: B004  (it is read)


_NOWHERE = type(sys)("nowhere")


def _imports_for_checkers(names: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names bound under `if TYPE_CHECKING:` in a module's file, each with its module and attribute."""
    path = str(names.get("__file__"))
    try:
        with open(path, "rb") as file:
            tree: Any = compile(file.read(), path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return
    package: list[str] = str(names.get("__package__") or "").split(".")
    for statement in tree.body:
        if not isinstance(statement, ast.If):
            continue
        test: Any = statement.test
        if getattr(test, "id", "") != "TYPE_CHECKING" and getattr(test, "attr", "") != "TYPE_CHECKING":
            continue
        inner: Any
        for inner in statement.body:
            if isinstance(inner, ast.Import):
                for alias in inner.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    yield bound, (alias.name if alias.asname else bound, "")
            elif isinstance(inner, ast.ImportFrom):
                above: list[str] = package[: len(package) - inner.level + 1] if inner.level else []
                module = ".".join([*above, inner.module] if inner.module else above)
                for alias in inner.names:
                    yield alias.asname or alias.name, (module, alias.name)
