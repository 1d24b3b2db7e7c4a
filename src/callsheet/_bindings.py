"""The names that a written Python file binds: imports, which give way to whatever has the same name, and variables."""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_USUAL = {"numpy": "np", "torch": "torch"}
"""Modules whose members everybody writes behind the module's name, and that name."""


def is_name(text: object) -> bool:
    """Whether a text can stand as a name in Python and is read as that very text."""
    from keyword import iskeyword

    if not isinstance(text, str) or not text.isidentifier() or iskeyword(text) or text == "__debug__":
        return False
    if text.isascii():
        return True
    from unicodedata import normalize

    return normalize("NFKC", text) == text


class Bindings:
    """Gives out names, each once.

    Args:
        taken: Names that the file binds whatever else it does.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self._numbers: dict[str, int] = {}
        self._members: dict[tuple[str, str], str] = {}
        self._modules: dict[str, str] = {}

    def variable(self, wish: str) -> str:
        """A name for a value that is no top-level name: it starts with `_`, so that `load` leaves it out."""
        clean = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in wish).strip("_")
        return self._free(f"_{clean or 'value'}")

    def member(self, module: str, name: str) -> str:
        """How the file says an object of a module: imported by its name, under another where that is taken."""
        if module in _USUAL:
            return f"{self.module(module)}.{name}"
        key = (module, name)
        if key not in self._members:
            own = module == "builtins"
            if own and name not in self.taken:
                return name
            wish = name if own or not hasattr(builtins, name) else f"{module.rpartition('.')[2]}_{name}"
            self._members[key] = self._free(wish, or_else=f"{module.rpartition('.')[2]}_{name}")
        return self._members[key]

    def module(self, module: str) -> str:
        """How the file says a module."""
        if module not in self._modules:
            self._modules[module] = self._free(_USUAL.get(module, module))
        return self._modules[module]

    def _free(self, wish: str, *, or_else: str = "") -> str:
        name = wish
        if name in self.taken and or_else:
            name = wish = or_else
        while name in self.taken:
            self._numbers[wish] = self._numbers.get(wish, 1) + 1
            name = f"{wish}_{self._numbers[wish]}"
        self.taken.add(name)
        return name

    def lines(self) -> list[str]:
        """The import statements: Python's own modules, a blank line, all others."""
        blocks: list[list[str]] = [[], []]
        for module, bound in sorted(self._modules.items()):
            blocks[_is_other(module)].append(f"import {module}" + (f" as {bound}" if bound != module else ""))
        members: dict[str, list[str]] = {}
        for (module, name), bound in sorted(self._members.items()):
            members.setdefault(module, []).append(f"{name} as {bound}" if bound != name else name)
        for module, names in members.items():
            blocks[_is_other(module)] += _import_lines(module, names)
        before, after = blocks
        return [*before, *([""] if before and after else []), *after]


def _is_other(module: str) -> bool:
    return module.partition(".")[0] not in sys.stdlib_module_names


def _import_lines(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 88:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]
